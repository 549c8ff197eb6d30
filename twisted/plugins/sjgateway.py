"""Tells twistd that `twistd sjgateway` is made by `gateway.tap`."""

from twisted.application.service import ServiceMaker

sjgateway = ServiceMaker(
    "sjgateway",
    "gateway.tap",
    "A Socket.IO gateway that relays events and supervises one worker",
    "sjgateway",
)
