import json

from twisted.trial.unittest import SynchronousTestCase

from gateway.engineio import errors
from gateway.engineio.errors import EngineError


class EngineErrorTests(SynchronousTestCase):
    def test_code_status_and_body(self) -> None:
        for code, message, status in (
            (errors.UNKNOWN_TRANSPORT, "Transport unknown", 400),
            (errors.UNKNOWN_SID, "Session ID unknown", 400),
            (errors.BAD_HANDSHAKE_METHOD, "Bad handshake method", 400),
            (errors.BAD_REQUEST, "Bad request", 400),
            (errors.FORBIDDEN, "Forbidden", 403),
            (errors.BAD_VERSION, "Unsupported protocol version", 400),
        ):
            error = EngineError(code)
            self.assertEqual(json.loads(error.body), {"code": code, "message": message})
            self.assertEqual(error.status, status)
        self.assertEqual([*range(6)], [*errors.MESSAGES])

    def test_a_message_of_its_own(self) -> None:
        error = EngineError(errors.BAD_REQUEST, "Payload too large", status=413)
        self.assertEqual(json.loads(error.body), {"code": 3, "message": "Payload too large"})
        self.assertEqual(error.status, 413)
