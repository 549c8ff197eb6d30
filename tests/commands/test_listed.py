"""The list of commands is whole, and true."""

from twisted.trial.unittest import SynchronousTestCase

from tests.commands import listed
from tests.commands.documents import DOCUMENTS, ROOT, commands


class ListTests(SynchronousTestCase):
    def test_it_has_each_command_of_the_documents_once(self) -> None:
        told = {each for page in DOCUMENTS for each in commands(page)}
        groups = (
            *(listed.ALONE, listed.GO_ON, listed.ASKED, listed.ASKED_OF_A_REPLAY, listed.CLUSTER),
            *listed.GATEWAYS.values(),
            *listed.BY_OTHERS.values(),
            *listed.NOT_TYPED.values(),
        )
        known = [each for group in groups for each in group]
        self.assertEqual(told - set(known), set(), "commands that nobody types")
        self.assertEqual(set(known) - told, set(), "commands that no document has")
        self.assertEqual(len(known), len(set(known)))

    def test_what_others_type_is_there(self) -> None:
        for file, text in listed.BY_OTHERS:
            self.assertIn(text, (ROOT / file).read_text("utf-8"), file)
