"""From the events of a completion's stream to the states of its answer. Pure."""

import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any, cast

from .errors import BrokenOffError, ProtocolError
from .failures import OVER, of_event, of_limit, reset_of_windows
from .failures import moment as moment_of
from .models import Candidate, MessageLimit, ModelOutput, TurnIds
from .sse import ServerSentEvent

# Events whose loss would falsify an answer. All others are passed over when they cannot be read.
_KNOWN = frozenset(
    {
        "message_start",
        "content_block_start",
        "content_block_delta",
        "content_block_stop",
        "message_delta",
        "message_limit",
        "message_stop",
        "error",
    }
)

PARAGRAPH = "\n\n"


class Reader:
    """Reads one completion: `read` each event, then `end`, whose state is the last."""

    def __init__(self, conversation_id: str, ids: TurnIds, *, now: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        self._conversation = conversation_id
        self._ids = ids
        self._now = now
        self._candidates: list[Candidate] = []
        self._limit: MessageLimit | None = None
        self._parted = False
        self._half = ""
        self._stopped = False

    @property
    def finished(self) -> bool:
        """Whether the answer has come to its end."""
        return self._stopped

    def read(self, event: ServerSentEvent) -> Iterator[ModelOutput]:
        """Give the states that an event makes: one or none.

        Raises what `failures.of_event` says for an `error` event, and ProtocolError for one that cannot be read.
        """
        body = _body(event)
        kind = body.get("type")
        kind = kind if isinstance(kind, str) else event.event
        match kind:
            case "message_start":
                yield self._start(_dict(body.get("message")))
            case "content_block_start":
                yield from self._block(_dict(body.get("content_block")))
            case "content_block_delta":
                yield from self._delta(_dict(body.get("delta")))
            case "message_delta":
                self._reason(_dict(body.get("delta")))
            case "message_limit":
                self._limit = limit_of(_dict(body.get("message_limit")))
            case "message_stop":
                self._stopped = True
            case "error":
                raise of_event(body, self._now())
            case _:
                pass

    def end(self) -> ModelOutput:
        """Give the whole answer. Raises QuotaExceededError if the limit kept it from coming, else BrokenOffError if it
        did not come to its end.
        """
        over = self._limit is not None and self._limit.over
        silent = not any(candidate.text or candidate.thoughts for candidate in self._candidates)
        if over and (silent or not self._stopped):
            raise of_limit(self._limit.reset_at if self._limit else None, self._now())
        if not self._stopped:
            raise BrokenOffError("the answer ended before its end")
        return ModelOutput(
            candidates=tuple(self._candidates),
            conversation_id=self._conversation,
            human_uuid=self._ids.human,
            event_type="message_stop",
            limit=self._limit,
        )

    def _start(self, message: dict[str, Any]) -> ModelOutput:
        uuid = message.get("uuid")
        given = uuid if isinstance(uuid, str) and uuid else self._ids.assistant
        if given not in (candidate.message_uuid for candidate in self._candidates):
            self._candidates.append(Candidate(len(self._candidates), given))
            self._parted = False
        return self._state("message_start")

    def _block(self, block: dict[str, Any]) -> Iterator[ModelOutput]:
        kind, name, text = block.get("type"), block.get("name"), block.get("text")
        if kind != "text":
            self._parted = bool(self._growing().text)
            yield self._state("content_block_start", tool=name if isinstance(name, str) else None)
        elif isinstance(text, str) and text:
            yield self._grown(text)

    def _delta(self, delta: dict[str, Any]) -> Iterator[ModelOutput]:
        text, thinking = delta.get("text"), delta.get("thinking")
        if delta.get("type") == "text_delta" and isinstance(text, str):
            if text := self._mended(text):
                yield self._grown(text)
        elif delta.get("type") == "thinking_delta" and isinstance(thinking, str) and thinking:
            yield self._state("content_block_delta", thinking=thinking)

    def _grown(self, text: str) -> ModelOutput:
        if self._parted:
            text = PARAGRAPH + text
            self._parted = False
        return self._state("content_block_delta", text=text)

    def _mended(self, text: str) -> str:
        """Put together a character that two deltas have the halves of, as escaped UTF-16 (RFC 8259, section 7)."""
        text, self._half = self._half + text, ""
        if text and "\ud800" <= text[-1] <= "\udbff":
            text, self._half = text[:-1], text[-1]
        try:
            text.encode()
        except UnicodeEncodeError:
            return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
        return text

    def _reason(self, delta: dict[str, Any]) -> None:
        reason = delta.get("stop_reason")
        if isinstance(reason, str):
            self._growing().stop_reason = reason

    def _growing(self) -> Candidate:
        if not self._candidates:
            self._candidates.append(Candidate(0, self._ids.assistant))
        return self._candidates[-1]

    def _state(self, kind: str, *, text: str = "", thinking: str = "", tool: str | None = None) -> ModelOutput:
        growing = self._growing()
        return ModelOutput(
            candidates=tuple(self._candidates),
            chosen=growing.index,
            conversation_id=self._conversation,
            human_uuid=self._ids.human,
            text_delta=text,
            thinking_delta=thinking,
            event_type=kind,
            tool=tool,
            limit=self._limit,
            reached=growing.grow(text, thinking),
        )


def limit_of(body: dict[str, Any]) -> MessageLimit:
    """Read the body of a `message_limit` event. Times are in seconds since 1970."""
    kind = body.get("type")
    windows = [_dict(window) for window in _dict(body.get("windows")).values()]
    over = kind in OVER or any(window.get("status") in OVER for window in windows)
    shares = [share for window in windows if isinstance(share := window.get("utilization"), int | float)]
    return MessageLimit(
        kind=kind if isinstance(kind, str) else "",
        over=over,
        reset_at=(reset_of_windows(body) or moment_of(body.get("resetsAt"))) if over else None,
        utilization=max(map(float, shares), default=None),
        raw=body,
    )


def _body(event: ServerSentEvent) -> dict[str, Any]:
    try:
        body: object = json.loads(event.data)
    except (ValueError, RecursionError):
        body = None
    if isinstance(body, dict):
        return cast("dict[str, Any]", body)
    if event.event in _KNOWN:
        raise ProtocolError(f"an event {event.event} of the stream is not a JSON object")
    return {}


def _dict(value: object) -> dict[str, Any]:
    return cast("dict[str, Any]", value) if isinstance(value, dict) else {}
