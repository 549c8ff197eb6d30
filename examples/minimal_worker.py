"""最小的 worker：只用 python-socketio 與 shioaji，把一檔期貨的成交送到 gateway。
The smallest worker: python-socketio and shioaji alone; it tells the gateway one future's ticks.

    API_KEY=... SECRET_KEY=... twistd -n sjgateway --main examples/minimal_worker.py
"""

import os
import signal
import time
from typing import Any

import shioaji as sj
import socketio

CODE = "TXFR1"
client = socketio.Client(handle_sigint=False)  # 先登出再斷線 log out first, then disconnect
api = sj.Shioaji(simulation=True)


def tell(name: str, data: dict[str, object]) -> None:
    if client.connected:  # gateway 不在時不送 nobody to tell: the client connects again by itself
        client.emit(name, data)


def on_tick(*arguments: Any) -> None:  # 1.2：（交易所, 成交）(exchange, tick)；1.7：(tick)
    tick = arguments[-1]
    price, at = float(tick.close), tick.datetime.isoformat()
    fields = {"code": tick.code, "datetime": f"{at}+08:00", "price": price, "close": price}
    more = {"volume": tick.volume, "total_volume": tick.total_volume}
    tell("market_tick", {**fields, **more, "simtrade": bool(tick.simtrade)})


def main() -> None:
    # gateway 以 SIGINT 停止 worker，SIGTERM 也一樣處理
    # The gateway stops a worker by SIGINT; SIGTERM is to mean the same.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    client.connect(os.environ.get("GATEWAY_URL", "http://localhost:3001"), retry=True)
    try:
        api.login(api_key=os.environ["API_KEY"], secret_key=os.environ["SECRET_KEY"])
        api.on_tick_fop_v1()(on_tick)
        subscribe = getattr(api, "subscribe", None) or api.quote.subscribe
        subscribe(api.Contracts.Futures[CODE], quote_type="tick")
        tell("shioaji_ready", {"status": "ready", "version": sj.__version__})
        while True:
            tell("heartbeat", {"status": "running", "shioaji_connected": True})
            time.sleep(10)
    except KeyboardInterrupt:
        print("stopped")
    except Exception as error:
        tell("python_error", {"error": f"{type(error).__name__}: {error}", "service": "shioaji"})
        raise
    finally:
        api.logout()
        client.disconnect()


if __name__ == "__main__":
    main()
