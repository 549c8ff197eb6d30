"""`shioaji.error`, for those who import from it."""

from shioaji import _names

globals().update(_names("error"))
