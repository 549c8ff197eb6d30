"""A worker as its users write them: it knows nothing of sjgateway.

The gateway's address is written into it, the keys are read when it is imported, every
event carries one object, and the log-out is in `finally`.
"""

import os
import time
from datetime import datetime

import shioaji as sj
import socketio

try:
    from dotenv import load_dotenv

    load_dotenv()
except ImportError:
    pass

API_KEY = os.environ.get("API_KEY")
SECRET_KEY = os.environ.get("SECRET_KEY")
CA_CERT_PATH = os.environ.get("CA_CERT_PATH")
CA_PASSWORD = os.environ.get("CA_PASSWORD")
GATEWAY_URL = "http://localhost:3001"
HEARTBEAT_SECONDS = 1

print(f"shioaji {sj.__version__}")
sio = socketio.Client()


def now():
    return datetime.now().isoformat()


@sio.event
def connect():
    print("connected to the gateway")
    sio.emit("python_status", {"status": "connected", "timestamp": now()})


@sio.event
def disconnect():
    print("disconnected from the gateway")


@sio.on("*")
def catch_all(event, data):
    print(f"heard {event}: {data}")


def on_tick(exchange, tick):
    sio.emit(
        "market_tick",
        {"code": tick.code, "close": float(tick.close), "datetime": str(tick.datetime)},
    )


def main():
    api = None
    try:
        sio.connect(GATEWAY_URL)
        api = sj.Shioaji(simulation=True)
        api.login(api_key=API_KEY, secret_key=SECRET_KEY)
        print("logged in")
        if CA_CERT_PATH:
            api.activate_ca(ca_path=CA_CERT_PATH, ca_passwd=CA_PASSWORD)
        sio.emit("shioaji_ready", {"status": "ready", "simulation": True, "timestamp": now()})
        contracts = list(api.Contracts.Options.TXO)[:3]
        sio.emit(
            "contracts_loaded",
            {"count": len(contracts), "sample": str(contracts), "timestamp": now()},
        )
        api.quote.set_on_tick_stk_v1_callback(on_tick)
        api.quote.subscribe(api.Contracts.Stocks["2330"], quote_type="tick")
        while True:
            sio.emit("heartbeat", {"status": "running", "timestamp": now()})
            time.sleep(HEARTBEAT_SECONDS)
    except KeyboardInterrupt:
        print("interrupted")
    except Exception as error:
        print(f"error: {error}")
        if sio.connected:
            sio.emit("python_error", {"error": str(error), "timestamp": now()})
    finally:
        if api:
            print("logging out")
            api.logout()
        if sio.connected:
            sio.disconnect()
        print("cleaned up")


if __name__ == "__main__":
    main()
