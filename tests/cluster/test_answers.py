"""Acknowledgments over gateways."""

from gateway.relay import acks
from tests.cluster.world import ClusterCase, Ear, PostOffice, until


def answer(ear: Ear, arguments: str, *attached: bytes) -> None:
    """Answer the question that `ear` has heard last."""
    asked = [line for line in ear.lines if line[:2] in ("42", "45")][-1]
    head = asked[2 : asked.index("[")].rpartition("-")[2]
    kind = f"46{len(attached)}-" if attached else "43"
    ear.say(f"{kind}{head}{arguments}", *attached)


class AnswersTests(ClusterCase):
    async def asked(self, near=1, far=1, *, settled=True):
        """An asker at the first gateway has asked; the others there, and those at the second.

        `settled`: the first gateway knows the second.
        """
        offices: dict[str, PostOffice] = {}
        nodes = []
        for name in ("g1", "g2"):
            node = self.node(name, post=PostOffice(name, offices))
            nodes.append(node)
            await until(lambda node=node: node.journal.reading.is_attached, "the log")
        self.office, self.far = offices["g1"], nodes[1]
        if not settled:
            self.office.is_settled = False
            self.patch(self.office, "present", lambda: {"g1"})
        self.asker = await nodes[0].ear()
        ears = [await nodes[0].ear() for _ in range(near)]
        ears += [await nodes[1].ear() for _ in range(far)]
        self.asker.emit("ask", {"n": 1}, id=5)
        await until(lambda: all(ear.events for ear in ears), "the question")
        return ears

    @property
    def answers(self):
        return [line for line in self.asker.lines if line[:2] in ("43", "46")]

    async def test_an_answer_comes_from_the_other_gateway(self):
        _, far = await self.asked()
        self.assertIn('["ask",{"n":1}]', far.events[0])
        answer(far, '["yes",1]')
        await until(lambda: self.answers, "the answer")
        self.assertEqual(self.answers, ['435["yes",1]'])

    async def test_it_comes_from_a_gateway_that_is_not_known_yet(self):
        near, far = await self.asked(settled=False)
        answer(near, "[]")
        answer(far, '["far"]')
        await until(lambda: self.answers, "the answer")
        self.assertEqual(self.answers, ['435["far"]'])

    async def test_attachments_come_with_it(self):
        (far,) = await self.asked(near=0)
        answer(far, '[{"_placeholder":true,"num":0}]', b"\x00\xff")
        await until(lambda: self.answers, "the answer")
        self.assertIn(b"\x00\xff", self.asker.all)
        self.assertEqual(self.answers, ['461-5[{"_placeholder":true,"num":0}]'])

    async def test_the_first_answer_that_has_an_argument_counts(self):
        near, far = await self.asked()
        answer(near, "[]")
        answer(far, '["far"]')
        await until(lambda: self.answers, "the answer")
        answer(near, '["near"]')
        self.asker.emit("ask", {"n": 2}, id=6)
        await until(lambda: len(near.events) == 2)
        answer(near, '["near"]')
        await until(lambda: len(self.answers) == 2)
        self.assertEqual(self.answers, ['435["far"]', '436["near"]'])

    async def test_an_empty_one_only_when_all_were_empty(self):
        near, *far = await self.asked(far=2)
        answer(near, "[]")
        answer(far[0], "[]")
        self.asker.emit("mark", {})
        await until(lambda: len(far[0].events) == 2)
        self.assertEqual(self.answers, [])
        answer(far[1], "[]")
        await until(lambda: self.answers, "the answer")
        self.assertEqual(self.answers, ["435[]"])

    async def test_a_gateway_where_nobody_was_asked_keeps_nobody_waiting(self):
        (near,) = await self.asked(far=0)
        answer(near, "[]")
        await until(lambda: self.answers, "the answer")
        self.assertEqual(self.answers, ["435[]"])

    async def test_a_gateway_that_is_gone_keeps_nobody_waiting(self):
        near, _ = await self.asked()
        answer(near, "[]")
        self.office.lose("g2")
        await until(lambda: self.answers, "the answer")
        self.assertEqual(self.answers, ["435[]"])

    async def test_questions_of_a_gateway_take_the_place_of_its_own(self):
        self.patch(acks, "PENDING", 2)
        _, far, _ = await self.asked(far=2)
        far.emit("ask", {}, id=1)
        for number in range(3):
            self.asker.emit("ask", {"n": number}, id=10 + number)
        await until(lambda: self.far.log.head == 5, "all of them")
        self.assertEqual(len(self.far.hub._acks), 3, "one of its own client, two of the other's")
