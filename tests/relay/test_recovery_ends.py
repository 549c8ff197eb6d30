"""Who takes over, who gets a fresh session, and for how long the log is kept."""

from gateway.relay.recovery import NOTES
from tests.relay.test_recovery import STAY, Recovering
from tests.relay.world import RelayWorld, WebSocketClient


class TakeoverTests(Recovering):
    def test_the_old_connection_ends_when_the_client_is_back_before_it_was_missed(self):
        self.say("a")
        back = self.back(offset=0)
        self.assert_recovered(back)
        self.assertEqual((self.client.is_open, len(self.world.hub.members)), (False, 2))
        self.say("b")
        self.assertEqual(back.heard, ['42["b","E-1"]'])

    def test_what_the_old_one_had_not_taken_goes_to_the_new_one(self):
        self.client.wire.full = True
        self.say("a", "b")
        self.say("c")
        self.assert_recovered(self.back(offset=0), '42["b","E-1"]', '42["c","E-2"]')

    def test_the_late_end_of_the_old_one_changes_nothing(self):
        back = self.back()
        self.client.lose()
        self.say("a")
        self.assertEqual(back.heard, ['42["a","E-0"]'])


class FreshTests(Recovering):
    log_records = 10

    def test_a_foreign_pid(self):
        self.client.lose()
        self.assert_fresh(self.back(pid="guessed"))
        self.assert_recovered(self.back())

    def test_a_pid_of_another_namespace(self):
        world = self.world = RelayWorld(namespaces=("/", "/chat"))
        client = self.client = world.client(recover=True)
        client.lose()
        back = WebSocketClient(world)
        world.flush()
        self.assertEqual(len(back.heard), 1)
        back.join("/chat", recover=True, pid=client.reply["pid"])
        self.assert_fresh(back)

    def test_two_minutes(self):
        self.client.lose()
        self.world.wait(STAY - 1)
        again = self.back()
        self.assert_recovered(again)
        again.lose()
        self.world.wait(STAY)
        self.assert_fresh(self.back())

    def test_what_the_log_has_forgotten(self):
        self.client.lose()
        self.say(*"abcdefghij")
        back = self.back()
        self.assertEqual(len(back.after), 10)
        back.lose()
        self.say("k")
        self.assert_fresh(self.back())

    def test_but_not_who_came_before_what_it_has_forgotten(self):
        self.say(*"abcdefghijklmnop")
        self.client.lose()
        self.say("q")
        self.assert_recovered(self.back(offset=15), '42["q","E-16"]')

    def test_an_offset_that_never_was(self):
        self.client.lose()
        self.say("a")
        self.assert_fresh(self.back(offset=1))

    def test_an_offset_that_is_none(self):
        self.say("a")
        self.client.lose()
        self.assert_fresh(self.back(offset="text"))

    def test_an_offset_from_before_its_time(self):
        self.say("a", "b")
        self.client = self.world.client(recover=True)
        self.client.lose()
        self.assert_fresh(self.back(offset=0))

    def test_a_fresh_session_can_be_recovered_itself(self):
        self.client.lose()
        self.client = self.back(pid="guessed")
        self.client.lose()
        self.say("a")
        self.assert_recovered(self.back(), '42["a","E-0"]')

    def test_who_left_of_its_own_will(self):
        self.client.say("41")
        for _ in range(2):
            self.assert_fresh(self.back())

    def test_who_was_sent_away(self):
        socket = next(reversed(self.world.hub.members))
        socket.disconnect()
        self.assert_fresh(self.back())

    def test_who_does_not_ask_again(self):
        self.client.lose()
        plain = self.world.client(pid=self.client.reply["pid"])
        self.assertEqual(set(plain.reply), {"sid"})
        self.assertNotEqual(plain.reply["sid"], self.client.reply["sid"])


class ManyTests(Recovering):
    """One address connects and drops more often than is noted."""

    def setUp(self):
        super().setUp()
        self.world.watcher.owner = lambda session: self.owner
        self.owner = "192.0.2.2"
        self.filtering = self.world.client(recover=True, events=["a"])
        for client in (self.client, self.filtering):
            client.lose()
        self.owner = "192.0.2.1"
        self.first = self.world.client(recover=True)
        self.say("before")
        self.filters = [self.world.client(recover=True, events=["a"]) for _ in range(2)]
        for client in (self.first, *self.filters):
            client.lose()
        for _ in range(NOTES):
            self.world.client(recover=True).lose()
        self.say("a")

    def test_others_come_back(self):
        self.assert_recovered(self.back(0), '42["a","E-1"]')
        self.client = self.filtering
        self.assert_recovered(self.back(events=["a"]), '42["a","E-1"]')

    def test_so_do_its_own_clients_but_for_those_of_whom_too_little_is_known(self):
        self.client = self.first
        self.assert_fresh(self.back())
        self.assert_recovered(self.back(0), '42["a","E-1"]')
        self.client = self.filters[0]
        self.assert_fresh(self.back(events=["a"]))


class OtherLogTests(Recovering):
    """A gateway that was started again, or another one: the key is the same, the log is not."""

    def setUp(self):
        key = bytes(32)
        self.world = RelayWorld(recovery_time=STAY, pid_key=lambda: key)
        self.sender, self.client = self.world.client(), self.world.client(recover=True)
        self.say("a", "b")
        self.client.lose()
        self.world = RelayWorld(recovery_time=STAY, pid_key=lambda: key)
        self.world.log.epoch = "F"
        self.sender = self.world.client()
        self.world.client(recover=True)  # for whom the log is kept

    def test_neither_its_pid_nor_its_offset_counts(self):
        for offset in (None, "E-0", "E-1", "F-0"):
            self.assert_fresh(self.back(offset))
            self.say("x")

    def test_an_offset_of_another_log_does_not_count_with_a_pid_of_this_one(self):
        self.client = self.world.client(recover=True)
        self.say("x", "y")
        self.client.lose()
        self.assert_fresh(self.back("E-0"))

    def test_who_continues_a_log_knows_the_clients_of_the_one_before(self):
        self.world.log.epoch = "E"
        self.say("c", "d", "e")
        self.assert_recovered(self.back(1), '42["e","E-2"]')

    def test_a_pid_that_another_key_signed_does_not_count(self):
        self.world = RelayWorld(recovery_time=STAY)
        self.sender = self.world.client()
        self.world.client(recover=True)
        self.say("c", "d")
        self.assert_fresh(self.back(0))


class RetentionTests(Recovering):
    log_records = 10

    @property
    def kept(self):
        return self.world.log.head - self.world.log.tail

    def test_the_log_keeps_its_bound_while_a_session_can_be_recovered(self):
        self.say(*"abc")
        self.assertEqual(self.kept, 3)
        self.say(*"defghijklmnop")
        self.assertEqual(self.kept, 10)

    def test_and_nothing_after_that(self):
        self.say(*"abc")
        self.client.lose()
        self.world.wait(STAY - 1)
        self.say("d")
        self.assertEqual(self.kept, 4)
        self.world.wait(1)
        self.say("e")
        self.assertEqual(self.kept, 0)

    def test_nothing_while_nobody_asks(self):
        self.client.say("41")
        self.say(*"abc")
        self.assertEqual(self.kept, 0)
