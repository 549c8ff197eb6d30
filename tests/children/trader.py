"""A worker that logs in at the broker (a stand-in) as workers for shioaji 1.2 do."""

import time

import shioaji
from journal import note

api = shioaji.Shioaji()
try:
    note("start")
    api.login("the-api-key", "the-secret-key", contracts_timeout=1000)
    note("in")
    time.sleep(600)
except KeyboardInterrupt:
    pass
finally:
    note("finally")
    api.logout()
