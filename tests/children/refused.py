"""A worker that the broker refuses; its argument says how, and how it goes on."""

import sys
import time

from journal import note

BAN = "StatusCode: 503, Detail: 操作異常，請1分鐘後再重新登入"


def stdout():
    """Behind a progress bar, in colours, and not on stderr."""
    for part in range(0, 101, 10):
        sys.stdout.write(f"\r{part:3}%|{'#' * (part // 10):10}|")
    sys.stdout.write(f"\r\x1b[31mlogin failed: {BAN}\x1b[0m\r")
    sys.stdout.flush()
    sys.exit(1)


def again():
    """It logs in again and again by itself."""
    while True:
        note("login")
        print(f"login failed: {BAN}", file=sys.stderr)
        time.sleep(1.1)


def keys():
    """Its keys are wrong."""
    sys.exit("ValueError: invalid api_key")


def prompt():
    """It asks, and hangs."""
    sys.stdout.write("憑證密碼: ")
    sys.stdout.flush()
    time.sleep(600)


note("start")
try:
    globals()[sys.argv[1]]()
finally:
    note("finally")
