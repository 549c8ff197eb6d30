"""Your own Twisted application, with the gateway as one of its services.

    twistd -ny examples/application.tac

The gateway is on http://localhost:3001 as always, with the demonstration feed; the other service
is a small site on http://localhost:8080 that says how long the application has run.

The process stays yours: the gateway handles no signals and sets no log.  `gateway.reload()` reads
its certificates, tokens and holidays again.  When the gateway starts it does two things to the
whole process: it turns core dumps off, since they would hold keys, and raises the limit of open
files.

All services log as twistd says.  To have them log by the gateway's options instead (--log-file,
--log-format, --log-level), with its secrets taken out of every line, add at the end:

    application.setComponent(ILogObserver, gateway.make_observer())
"""

import os

from twisted.application.internet import StreamServerEndpointService, TimerService
from twisted.application.service import Application
from twisted.internet import reactor
from twisted.internet.endpoints import serverFromString
from twisted.web.resource import Resource
from twisted.web.server import Site

from gateway.tap import Options, makeService

application = Application("trading")


class Uptime(Resource):
    isLeaf = True

    def __init__(self):
        super().__init__()
        self.minutes = -1

    def count(self):
        """Called at the start, and every minute."""
        self.minutes += 1

    def render_GET(self, request):
        return f"up for {self.minutes} minutes\n".encode()


uptime = Uptime()
port = os.environ.get("SITE_PORT", "8080")
endpoint = serverFromString(reactor, f"tcp:{port}:interface=127.0.0.1")
StreamServerEndpointService(endpoint, Site(uptime)).setServiceParent(application)
TimerService(60, uptime.count).setServiceParent(application)

options = Options()
options.parseOptions(["--demo"])  # what would stand after `twistd sjgateway`
gateway = makeService(options)
gateway.setServiceParent(application)
