"""Your own Twisted application, with the gateway as one of its services.

    twistd -ny examples/application.tac

The gateway is on http://localhost:3001 as always, with the demonstration feed; the other service
is a small site on http://localhost:8080 that says how long the application has run.

The process stays yours: the gateway handles no signals and sets no log, and `gateway.reload()`
reads its files again.  When it starts it takes two things for the whole process: core dumps are
off, since they would hold keys, and the limit of open files is raised.
"""

import os

from twisted.application.internet import StreamServerEndpointService, TimerService
from twisted.application.service import Application
from twisted.internet import reactor
from twisted.internet.endpoints import serverFromString
from twisted.logger import ILogObserver, Logger
from twisted.web.resource import Resource
from twisted.web.server import Site

from gateway.tap import Options, makeService

application = Application("trading")
log = Logger(namespace="trading")


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

# Leave this out, and all services log as twistd says.  With it they log by the gateway's options
# (--log-file, --log-format, --log-level), and no line has one of its secrets in it.
application.setComponent(ILogObserver, gateway.make_observer())
