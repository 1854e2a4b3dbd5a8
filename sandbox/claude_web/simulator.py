"""The simulator as one object: started and stopped as a context, asked and told from a test."""

from types import TracebackType
from typing import Self

from aiohttp import web

from sandbox.calls import Call, CallLog
from sandbox.claude.simulator import Scripted
from sandbox.faults import Faults
from sandbox.serving import Site

from . import account, completions, control, conversations, files
from .config import LARGEST_REQUEST, Config
from .gate import Gate
from .model import Conversation, JsonObject, Message, StoredFile
from .script import Script
from .service import Service


class ClaudeWebSimulator(Scripted[Script]):
    """claude.ai's web API on loopback. Serves while its context is open."""

    def __init__(self, config: Config | None = None) -> None:
        self._config = config or Config()
        self._service = Service(self._config)
        super().__init__(Site(self._config.host, self._config.port), self._service, self._service.scripts)

    async def __aenter__(self) -> Self:
        app = web.Application(client_max_size=LARGEST_REQUEST, middlewares=[Gate(self._service).middleware])
        for part in (account, conversations, completions, files, control):
            app.add_routes(part.routes(self._service))
        # handler_cancellation: the handler of a caller who has gone is cancelled, which is how leaving is noticed.
        await self._site.start(app, handler_cancellation=True, shutdown_timeout=0.0)
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        await self._site.stop()
        self._service.close()

    @property
    def session_key(self) -> str:
        """The only good value of the cookie `sessionKey`."""
        return self._service.session_key

    @property
    def organization(self) -> str:
        """The uuid of the first organisation that has conversations. Raises LookupError if there is none."""
        for each in self._config.organizations:
            if "chat" in each.capabilities:
                return each.uuid
        raise LookupError("no organisation with the capability chat")

    @property
    def calls(self) -> CallLog:
        """Every call to /api received, in order of arrival.

        `notes` of each: `headers` and `cookies` (names alone), `user_agent`, `port` (the caller's), and `outcome`:
        answered, refused, fault, disconnected; of a completion also whole, cut, eof, error, silence, stopped, empty, html.
        A completion has `prompt` (its start), `rule` (number of the rule that answered, None for the default), `style`
        (prompt of its custom style), `human`, `assistant`, `parent` (uuids), `branch` (uuids from the first message to
        the human one), `text` (the whole text it was to send), `deltas` (monotonic time of each text delta sent). An
        upload has `file` (uuid), `name`, `content_type`, `size` (bytes).
        """
        return self._service.calls

    @property
    def faults(self) -> Faults:
        """The faults in force. "before" strikes before anything is looked at, "after" before the answer, or its end."""
        return self._service.faults

    @property
    def conversations(self) -> dict[str, Conversation]:
        """The conversations by uuid, as they stand."""
        return self._service.conversations

    @property
    def styles(self) -> dict[str, JsonObject]:
        """The custom styles of `organization` by uuid, as they stand."""
        return self._service.styles[self.organization]

    @property
    def files(self) -> dict[str, StoredFile]:
        """The uploaded files by uuid."""
        return self._service.files

    def script(self, script: Script, *, match: str = "", times: int | None = 1, skip: int = 0) -> int:
        """Answer the next `times` (None: all) completions whose prompt contains `match` by `script`.

        A retry has the prompt of its human message. The first `skip` such completions pass. Older rules go first. Returns
        the rule's number.
        """
        return self._service.scripts.add(script, match=match, times=times, skip=skip).number

    def now(self) -> float:
        """The simulator's time in Unix seconds."""
        return self._service.now()

    def block(self, blocked: bool = True) -> None:
        """Let the edge answer everything with its bot check, 403 and a page; or no longer."""
        self._service.edge_blocks = blocked

    def expire(self, status: int = 403) -> None:
        """Let the session run out: every call is refused with this status, 401 or 403, and JSON."""
        self._service.session_refusal = status

    def renew(self, session_key: str) -> None:
        """Begin a new session: this key alone is good now."""
        self._service.session_refusal = None
        self._service.session_key = session_key

    def exhaust(self, resets_at: float, *, retry_after: bool = True) -> None:
        """Use up the quota until `resets_at` (Unix seconds): completions get 429, with a Retry-After or without."""
        quota = self._service.quota
        quota.remaining, quota.resets_at, quota.retry_after = 0, resets_at, retry_after

    def refill(self) -> None:
        """Give the account as many completions as its window has."""
        self._service.quota.remaining = self._config.messages

    def lose(self, conversation: str) -> None:
        """Let a conversation vanish, as if it had been deleted elsewhere. An unknown one is ignored."""
        self._service.conversations.pop(conversation, None)

    def put_file(self, conversation: str, path: str, data: bytes, content_type: str = "application/octet-stream") -> None:
        """Put a file into a conversation's sandbox, to be downloaded by its whole path."""
        name = path.rsplit("/", 1)[-1]
        file = StoredFile(f"put:{path}", name, content_type, data, self._service.now())
        self._service.sandboxes[conversation, path] = file

    def branch(self, conversation: str) -> list[Message]:
        """The messages of the branch that a conversation shows, first to last. Raises KeyError."""
        return self._service.conversations[conversation].branch()

    def asked(self) -> list[Call]:
        """Return the calls of completion and retry_completion, in order of arrival."""
        return [call for call in self.calls.matching("POST", "completion") if call.path.endswith("completion")]
