"""`shioaji.stream_data_type`, for those who import from it."""

from shioaji import _names

globals().update(_names("stream_data_type"))
