"""A stock python-socketio client, driven by lines of JSON: see agents/__init__.py."""

import base64
import json
import os
import sys
import threading

from tests.interop.agents.in_order import Client


def wrap(value):
    if isinstance(value, bytes):
        return {"$bytes": base64.b64encode(value).decode()}
    if isinstance(value, (list, tuple)):
        return [wrap(item) for item in value]
    if isinstance(value, dict):
        return {key: wrap(item) for key, item in value.items()}
    return value


def unwrap(value):
    if isinstance(value, dict):
        if "$bytes" in value:
            return base64.b64decode(value["$bytes"])
        return {key: unwrap(item) for key, item in value.items()}
    return [unwrap(item) for item in value] if isinstance(value, list) else value


class Agent:
    def __init__(self, url: str, transports: str, auth: str) -> None:
        self._lock = threading.Lock()
        self._answers: list = []
        soon = {"reconnection_delay": 0.05, "reconnection_delay_max": 0.05}
        self._client = Client(handle_sigint=False, randomization_factor=0, **soon)
        self._client.on("*", self._heard)
        self._client.on("connect", self._connected)
        self._client.on("disconnect", lambda *reason: self._say({"disconnected": str(reason)}))
        self._client.on("connect_error", self._refused)
        kinds = None if transports == "default" else transports.split(",")
        self._client.connect(url, transports=kinds, auth=json.loads(auth), wait_timeout=60)

    def _connected(self) -> None:
        transport = self._client.transport()
        self._say({"connected": self._client.sid, "transport": transport, "recovered": False})

    def _refused(self, data) -> None:
        self._say({"refused": data.get("message") if isinstance(data, dict) else str(data)})

    def _heard(self, name, *arguments):
        if name == "ask":
            return tuple(self._answers)
        self._say({"event": [name, *map(wrap, arguments)]})
        return None

    def _say(self, message) -> None:
        with self._lock:
            print(json.dumps(message), flush=True)

    def emit(self, name, *arguments):
        self._client.emit(name, tuple(map(unwrap, arguments)))

    def ask(self, *arguments):
        def answered(*answer):
            self._say({"answer": [wrap(item) for item in answer]})

        self._client.emit("ask", tuple(map(unwrap, arguments)), callback=answered)

    def answer(self, *arguments):
        self._answers = [unwrap(argument) for argument in arguments]

    def close(self):
        self._client.disconnect()
        raise SystemExit(0)


agent = Agent(*sys.argv[1:4])
for line in sys.stdin:
    command, *arguments = json.loads(line)
    getattr(agent, command)(*arguments)
os._exit(0)  # its threads are not waited for
