"""`examples/socketio_echo.py` in a process of its own, and clients that speak its frames."""

import json
import os
import subprocess
import sys
from functools import partial
from pathlib import Path

import requests
from websocket import ABNF, WebSocketConnectionClosedException, create_connection

from tests.interop.kept import Kept
from tests.patience import PATIENCE

ROOT = Path(__file__).parents[2]
SEPARATOR = "\x1e"


class Example:
    """An example in a process of its own."""

    def __init__(self, name, *options):
        self._process = subprocess.Popen(
            [sys.executable, f"examples/{name}.py", "--port", "0", *options],
            cwd=ROOT,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            stdout=subprocess.PIPE,
            text=True,
        )
        self.port = self._process.stdout.readline().split()[-1]
        self.url = f"//127.0.0.1:{self.port}/socket.io/"

    def ended(self):
        """With which status it has ended; None: it runs."""
        status = self._process.poll()
        return None if status is None else f"the example has ended with {status}"

    def close(self):
        self._process.terminate()
        self._process.communicate(timeout=PATIENCE)


echo = Kept(partial(Example, "socketio_echo"))


class WebSocketClient:
    """Answers pings by itself; text packets are `str` from the Socket.IO type digit on."""

    def __init__(self, url, query="EIO=4"):
        self._socket = create_connection(f"ws:{url}?transport=websocket&{query}", timeout=PATIENCE)

    def close(self):
        self._socket.close()

    def send(self, *messages):
        for message in messages:
            if isinstance(message, bytes):
                self._socket.send_binary(message)
            else:
                self.send_engine("4" + message)

    def send_engine(self, packet):
        self._socket.send(packet)

    def receive(self):
        """The next message; None: the server closed the connection."""
        while (packet := self.receive_engine()) is not None:
            if isinstance(packet, bytes):
                return packet
            if packet[0] == "4":
                return packet[1:]
        return None

    def receive_engine(self):
        """The next packet that is no ping; None: the server closed the connection."""
        while True:
            try:
                opcode, data = self._socket.recv_data()
            except WebSocketConnectionClosedException:
                return None
            if opcode == ABNF.OPCODE_CLOSE:
                return None
            if opcode == ABNF.OPCODE_BINARY:
                return data
            if data != b"2":
                return data.decode()
            self.send_engine("3")


class PollingClient:
    """One request at a time; packets as they stand in payloads."""

    def __init__(self, url):
        self._http = requests.Session()
        self._url = f"http:{url}?EIO=4&transport=polling"
        opened = self._http.get(self._url, timeout=PATIENCE).text
        self.sid = json.loads(opened[1:])["sid"]
        self._url += f"&sid={self.sid}"
        self._waiting = []

    def post(self, *packets):
        answer = self._http.post(self._url, SEPARATOR.join(packets).encode(), timeout=PATIENCE)
        return answer.status_code

    def receive(self):
        """The next packet that is no ping; None: the session is gone."""
        while not self._waiting:
            answer = self._http.get(self._url, timeout=PATIENCE)
            if answer.status_code != 200:
                return None
            answer.encoding = "utf-8"
            self._waiting = [packet for packet in answer.text.split(SEPARATOR) if packet != "2"]
            if not self._waiting:
                self.post("3")
        return self._waiting.pop(0)
