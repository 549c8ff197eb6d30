"""Stock clients in processes of their own.

An agent is told lines of JSON, `[command, ...arguments]`, and says lines of JSON:
`{"connected": sid, ...}`, `{"event": [name, ...arguments]}`, `{"answer": [...]}`,
`{"disconnected": reason}`, `{"refused": message}`.  Bytes are `{"$bytes": base64}`.
"""

import json
import os
import queue
import subprocess
import threading
from pathlib import Path
from subprocess import PIPE

from tests.interop.node import node_modules, require_node
from tests.patience import PATIENCE
from tests.warm import Warm, start

HERE = Path(__file__).parent
ROOT = Path(__file__).parents[3]


class Agent:
    """One process that speaks JSON lines."""

    def __init__(self, process: subprocess.Popen[str] | Warm) -> None:
        self._process = process
        self._said: queue.SimpleQueue[dict] = queue.SimpleQueue()
        self._kept: list[dict] = []
        threading.Thread(target=self._listen, daemon=True).start()

    def _listen(self) -> None:
        for line in self._process.stdout:
            self._said.put(json.loads(line))

    def tell(self, command: str, *arguments) -> None:
        """Say one command."""
        self._process.stdin.write(json.dumps([command, *arguments]) + "\n")
        self._process.stdin.flush()

    def hear(self, kind: str):
        """The next message of `kind`, its whole object; others are kept for later."""
        for at, message in enumerate(self._kept):
            if kind in message:
                return self._kept.pop(at)
        while True:
            try:
                message = self._said.get(timeout=PATIENCE)
            except queue.Empty:
                raise AssertionError(f"no {kind}, but {self._kept[-10:]}") from None
            if kind in message:
                return message
            self._kept.append(message)

    def passed_over(self, kind: str) -> list[dict]:
        """What came of `kind` while something else was waited for."""
        return [message for message in self._kept if kind in message]

    def events_until(self, name: str) -> list[list]:
        """Every event before the next one called `name`."""
        events = []
        while (event := self.hear("event")["event"])[0] != name:
            events.append(event)
        return events

    def close(self) -> None:
        self._process.stdin.close()
        try:
            self._process.wait(5)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._process.stdout.close()


def _node(script: str, *arguments: str) -> Agent:
    """A process of Node.js with the packages of the tests."""
    environ = {**os.environ, "NODE_PATH": str(node_modules())}
    command = [require_node(), str(HERE / script), *arguments]
    return Agent(subprocess.Popen(command, stdin=PIPE, stdout=PIPE, text=True, env=environ))


def node_client(url: str, transports: str = "default", *, version: str = "4", **auth) -> Agent:
    """socket.io-client from npm; connected when it says so."""
    return _node("client.mjs", url, transports, version, json.dumps(auth))


def python_client(url: str, transports: str = "default", **auth) -> Agent:
    """python-socketio."""
    command = [HERE / "client.py", url, transports, json.dumps(auth)]
    environ = {**os.environ, "PYTHONPATH": str(ROOT)}
    return Agent(start(command, cwd=Path.cwd(), env=environ, stdin=PIPE, stdout=PIPE))


def node_relay() -> tuple[Agent, str]:
    """A relay on a stock Socket.IO server, and its URL."""
    agent = _node("relay.mjs")
    return agent, f"http://127.0.0.1:{agent.hear('port')['port']}"
