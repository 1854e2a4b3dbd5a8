"""The simulator as one object: started and stopped as a context, asked and told from a test."""

from collections.abc import Sequence
from types import TracebackType
from typing import Any, Self

from aiohttp import web

from sandbox.calls import Call, CallLog
from sandbox.claude.simulator import Scripted
from sandbox.faults import Faults
from sandbox.serving import Site

from . import control, listings, messages
from .blocks import JsonObject
from .config import LARGEST_REQUEST, Config
from .files import FileStore
from .script import Script
from .service import Service


class Simulator(Scripted[Script]):
    """Anthropic's Messages API on loopback. Serves while its context is open."""

    def __init__(self, config: Config | None = None) -> None:
        self._config = config or Config()
        self._service = Service(self._config)
        super().__init__(Site(self._config.host, self._config.port), self._service, self._service.scripts)

    async def __aenter__(self) -> Self:
        app = web.Application(client_max_size=LARGEST_REQUEST)
        app.add_routes(messages.routes(self._service))
        app.add_routes(listings.routes(self._service))
        app.add_routes(control.routes(self._service))
        # handler_cancellation: the handler of a caller who has gone is cancelled, which is how leaving is noticed.
        await self._site.start(app, handler_cancellation=True, shutdown_timeout=0.0)
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        await self._site.stop()
        self._service.calls.close()

    @property
    def key(self) -> str:
        """The only good API key."""
        return self._config.key

    @property
    def calls(self) -> CallLog:
        """Every call received, in order of arrival.

        `notes` of a message call: `request_id`, `version`, `headers` (names alone), `sent_headers` (with values, but for keys),
        `tokens` (of the input), `step` (answers of this turn so far), `stop`, `usage`, `left_out` (what the script wanted and
        the request did not offer), `port` (the caller's), `last` (start
        of the last user message), `rule` (number of the rule that answered, None for the default), `text` (the whole text
        it was to send), `deltas` (monotonic time of each delta sent) and `outcome`: whole, cut, eof, error, silence,
        disconnected, refused, json, empty, html or fault.
        """
        return self._service.calls

    @property
    def faults(self) -> Faults:
        """The faults in force. "before" strikes when a request has been read, "after" when its stream has been sent."""
        return self._service.faults

    def script(self, script: Script, *, match: str = "", times: int | None = 1, skip: int = 0, **conditions: Any) -> int:
        """Answer the next `times` (None: all) requests whose last user message contains `match` by `script`.

        The first `skip` such requests pass. Older rules go first. `conditions` are further fields of `rules.Rule`: `pattern`,
        `request`, `step`, `model`, `tool`, `anywhere`. Returns the rule's number. Raises ValueError for others.
        """
        return self._service.scripts.add(script, match=match, times=times, skip=skip, **conditions).number

    def turn(self, scripts: Sequence[Script], *, match: str = "", times: int | None = 1, **conditions: Any) -> list[int]:
        """Answer one turn by several scripts: the question by the first, and by the next each time tools or a pause return."""
        found = [
            self._service.scripts.add(script, match=match, times=times, step=step, **conditions)
            for step, script in enumerate(scripts)
        ]
        return [rule.number for rule in found]

    def remove(self, number: int) -> None:
        """Forget one rule; an unknown number is ignored."""
        self._service.scripts.remove(number)

    def advance(self, seconds: float) -> None:
        """Let so many seconds pass for the prompt cache, and for nothing else."""
        self._service.cache.advance(seconds)

    @property
    def files(self) -> FileStore:
        """The files of the Files API."""
        return self._service.files

    def bodies(self) -> list[JsonObject]:
        """Return the bodies of POST /v1/messages that are still kept, in order of arrival."""
        return [call.body for call in self.asked() if call.body is not None]

    def asked(self) -> list[Call]:
        """Return the calls of POST /v1/messages, in order of arrival."""
        return [call for call in self.calls.matching("POST", "/v1/messages") if "count_tokens" not in call.path]
