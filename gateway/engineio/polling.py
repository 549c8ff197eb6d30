"""Engine.IO over HTTP long-polling, sans-IO.

Source: Engine.IO protocol 4, section "HTTP long-polling"; protocol 3, section "XHR".
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from gateway.engineio import forms
from gateway.engineio.errors import BAD_REQUEST, UNKNOWN_SID, EngineError, ProtocolError
from gateway.engineio.handshake import POLLING
from gateway.engineio.packet import CLOSE, NOOP, Packet, Record
from gateway.engineio.payload import decode3, decode3_binary, decode4
from gateway.engineio.upload import Upload

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gateway.engineio.outbox import Form
    from gateway.engineio.session import Session

CLOSE_PACKET, NOOP_PACKET = Packet(CLOSE), Packet(NOOP)

FULL = "the outbox wrote to a sink that was full"


class Poll(Protocol):
    """One pending GET."""

    def answer(self, payload: bytes, content_type: str) -> None:
        """Answer it with status 200."""
        ...

    def refuse(self, error: EngineError) -> None:
        """Answer it with an error."""
        ...


class PollingChannel:
    """A session's polling transport: its pending GET is the sink for one write.

    `uploading`: a POST came and is not received to its end.
    """

    __slots__ = ("_gone", "_poll", "_polling_form", "_session", "form", "uploading")

    name = POLLING
    taken = 0

    def __init__(self, *, eio: int, base64: bool, many: bool = False) -> None:
        self._polling_form = forms.polling(eio, base64=base64, many=many)
        self.form: Form = self._polling_form
        self.uploading = False
        self._gone = False
        self._poll: Poll | None = None
        self._session: Session | None = None

    @property
    def sink(self) -> PollingChannel:
        return self

    @property
    def has_room(self) -> bool:
        return self._poll is not None

    def start(self, session: Session) -> None:
        """Be the transport of `session`."""
        self._session = session

    def get(self, poll: Poll) -> None:
        """A GET came; it is answered when there is something to send.

        Raises `EngineError` (3), and closes the session, when another one is pending.
        """
        session = self._started()
        if self._poll is not None:
            session.abort("transport error", farewell=CLOSE_PACKET)
            raise EngineError(BAD_REQUEST)
        self._poll = poll
        session.room()
        if session.probe is not None:
            session.probe.polled()

    def repeat(self, poll: Poll) -> bool:
        """A GET came that is like one before; False: it has to be verified again.

        Of what is verified, only the session changes: it may be over, or polls no longer.
        """
        session = self._session
        if session is None or self._poll is not None or session.heartbeat.overdue:
            return False
        self._poll = poll
        session.room()
        if session.probe is not None:
            session.probe.polled()
        return True

    def post(self, body: bytes, *, binary: bool) -> Upload:
        """A POST came; `binary`: its content type says so.

        Raises `EngineError`: 413 when the body is too long; the session stays open then.
        400 when the body is malformed, or another POST is not received to its end yet; then
        the session is closed.
        """
        session = self._started()
        limit = session.server.settings.max_payload
        if len(body) > limit:
            raise EngineError(
                BAD_REQUEST, f"Payload too large: send at most {limit} bytes", status=413
            )
        try:
            packets = self._decode(session, body, binary=binary)
        except ProtocolError as error:
            session.abort(error.reason)
            raise EngineError(BAD_REQUEST) from error
        self.uploading = True
        return Upload(session, packets, self._uploaded)

    def lost(self) -> None:
        """The connection of the pending GET was lost, perhaps with what was written to it.

        The rest of a POST that is still being received is taken before the session ends.
        """
        self._poll = None
        session = self._session
        if session is None:
            return
        if self.uploading:
            self._gone = True
            session.detach()
        else:
            session.abort("transport error")

    @property
    def at_once(self) -> None:
        """None: a write is an answer."""

    def write(self, data: bytes) -> bool:
        """Answer the pending GET."""
        poll, self._poll = self._poll, None
        assert poll is not None, FULL
        assert self._session is not None
        self._session.heartbeat.fetched()
        poll.answer(data, self._polling_form.content_type(data))  # may end the session at once
        return False

    def release(self) -> None:
        """Answer a pending GET with a noop."""
        if self._poll is not None:
            self._started().detach()
            self._answer(self.form.encode((Record(NOOP_PACKET),)))

    def end(self, farewell: Packet | None, code: int) -> None:
        self._session = None
        if self._poll is None:
            return
        if farewell is not None:
            self._answer(self.form.encode((Record(farewell),)))
        else:
            poll, self._poll = self._poll, None
            poll.refuse(EngineError(UNKNOWN_SID))

    def _answer(self, payload: bytes) -> None:
        poll, self._poll = self._poll, None
        assert poll is not None, FULL
        poll.answer(payload, self._polling_form.content_type(payload))

    def _started(self) -> Session:
        assert self._session is not None, "requests are verified before they get here"
        return self._session

    def _uploaded(self) -> None:
        self.uploading = False
        if self._gone:
            self.lost()

    def _decode(self, session: Session, body: bytes, *, binary: bool) -> Iterator[Packet]:
        if self.uploading:
            raise ProtocolError("another POST is not received yet", "transport error")
        if not binary:
            return decode4(body) if session.eio == 4 else decode3(body)
        if session.eio == 4:
            raise ProtocolError("Engine.IO 4 has no binary payloads", "transport error")
        return decode3_binary(body)
