"""python-socketio's client, which hears one message after the other."""

import engineio
import socketio

from tests.patience import PATIENCE


class Client(socketio.Client):
    """The library's own client starts a thread for each message that comes.

    On a busy machine the attachment of an event may so be taken before its text, and the event
    is lost in the client; or a later event is heard first.  There it may also be more than its
    5 seconds until an answer to a request has come.
    """

    def __init__(self, **options):
        super().__init__(request_timeout=PATIENCE, **options)

    def _engineio_client_class(self):
        return _Engine


class _Engine(engineio.Client):
    def _trigger_event(self, event, *args, **how):
        if event == "message":
            how["run_async"] = False
        return super()._trigger_event(event, *args, **how)
