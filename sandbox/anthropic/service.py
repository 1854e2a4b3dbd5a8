"""What all endpoints of one simulator share: its log, its scripts, its faults."""

from aiohttp import web

from sandbox.calls import Call
from sandbox.claude.logbook import Logbook
from sandbox.faults import Rule

from .cache import PrefixCache
from .config import Config
from .files import FileStore
from .issued import Issued
from .rules import Scripts

_SECRETS = ("authorization", "x-api-key", "cookie")


class Service(Logbook):
    """The state of one simulator."""

    def __init__(self, config: Config) -> None:
        super().__init__(config.journal, config.seed, config.keep_bodies)
        self.config = config
        self.scripts = Scripts(config.script)
        self.cache = PrefixCache(config.clock)
        self.files = FileStore()
        self.issued = Issued()
        self.asked = 0
        """How many requests for messages were answered or refused by a script."""

    def begin(self, request: web.Request) -> Call:
        """Log a call that has just arrived. The key is not kept."""
        call = super().begin(request)
        call.notes["request_id"] = f"req_{call.number:08d}"
        call.notes["version"] = request.headers.get("anthropic-version")
        call.notes["sent_headers"] = {
            name.lower(): "redacted" if name.lower() in _SECRETS else value.replace(self.config.key, "redacted")
            for name, value in request.headers.items()
        }
        return call

    def end(self, call: Call) -> None:
        """Log the end of a call, with the status that it has been given."""
        self.calls.end(call, call.status)

    def fault(self, call: Call, request: web.Request) -> Rule | None:
        """Draw the fault that strikes a call, if any, and log its name."""
        rule = self.faults.draw(request.method, request.path)
        if rule is not None:
            call.fault = rule.label
        return rule
