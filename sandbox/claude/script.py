"""How an answer is scripted: the text, its times and its ending, whichever service gives it."""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from typing import Any, Literal, Self

Ending = Literal["whole", "cut", "eof", "error", "silence"]


@dataclass(frozen=True, slots=True)
class BaseScript:
    """What every script can say. The default is an echo at once. Times are seconds.

    Text: `text`, else `words` words or `characters` characters of filler, else an echo. It goes out in `deltas` pieces
    (default: one per 18 characters, 200 at most), the first `think` after the stream's head, the last `seconds` after
    the first. `wait` is silence before the first byte. `pings` is the time between pings while the stream is open.
    `thinking` comes before the text, in `thinking_deltas` pieces.

    Ending: after `after` deltas (default: all of them) the stream goes on to its regular end ("whole"), is aborted
    ("cut"), ends cleanly without a message_stop ("eof"), carries an error event ("error", of `error_type`), or says
    nothing more ("silence", pings go on). `status` other than 200 refuses before the stream, with `headers`.
    `cut_before` aborts the connection in place of any answer.

    Bytes: `split_bytes` cuts each delta inside its last multi-byte character. `unknown_events` adds events and deltas that
    no client knows.
    """

    text: str | None = None
    words: int | None = None
    characters: int | None = None
    deltas: int | None = None
    wait: float = 0.0
    think: float = 0.0
    seconds: float = 0.0
    pings: float | None = None
    thinking: str = ""
    thinking_deltas: int = 3
    ending: Ending = "whole"
    after: int | None = None
    split_bytes: bool = False
    unknown_events: bool = False
    cut_before: bool = False
    status: int = 200
    error_type: str | None = None
    error_code: str | None = None
    error_message: str | None = None
    headers: Mapping[str, str] = field(default_factory=dict[str, str])

    @classmethod
    def of(cls, values: Mapping[str, object], base: Self | None = None) -> Self:
        """Build from JSON, on top of `base`. Raises ValueError for a name that no script has."""
        unknown = set(values) - {known.name for known in fields(cls)}
        if unknown:
            raise ValueError(f"a script has no {', '.join(sorted(unknown))}")
        try:
            return replace(base or cls(), **dict[str, Any](values))
        except TypeError as wrong:
            raise ValueError(str(wrong)) from wrong
