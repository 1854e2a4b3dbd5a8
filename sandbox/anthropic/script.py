"""How requests are answered: scripts, and the rules that choose among them."""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from typing import Any, Literal, get_args

Ending = Literal["whole", "cut", "eof", "error", "silence"]
Form = Literal["sse", "json", "empty", "html"]

# Anthropic developer docs, "Handling stop reasons".
STOPS = (
    "end_turn",
    "max_tokens",
    "stop_sequence",
    "tool_use",
    "pause_turn",
    "refusal",
    "model_context_window_exceeded",
)


@dataclass(frozen=True, slots=True)
class Script:
    """One way to answer a request. The default echoes the last user message at once. Times are seconds.

    Text: `text`, else `words` words or `characters` characters of filler, else an echo. It goes out in `deltas` pieces
    (default: one per three words, 200 at most), the first `think` after the stream's head, the last `seconds` after
    the first. `wait` is silence before the first byte. `pings` is the time between pings while the stream is open.

    Ending: after `after` deltas (default: all of them) the stream goes on to its regular end ("whole"), is aborted
    ("cut"), ends cleanly without a message_stop ("eof"), carries an error event ("error", of `error_type`), or says
    nothing more ("silence", pings go on). `status` other than 200 refuses before the stream, with `headers`.
    `cut_before` aborts the connection in place of any answer.
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
    stop: str = "end_turn"
    stop_sequence: str | None = None
    category: str | None = None
    explanation: str | None = None
    form: Form = "sse"
    split_bytes: bool = False
    unknown_events: bool = False
    usage: Mapping[str, int] = field(default_factory=dict[str, int])
    cut_before: bool = False
    status: int = 200
    error_type: str | None = None
    error_code: str | None = None
    error_message: str | None = None
    headers: Mapping[str, str] = field(default_factory=dict[str, str])

    def __post_init__(self) -> None:
        """Refuse what could only be a slip in a test. Raises ValueError."""
        if self.stop not in STOPS:
            raise ValueError(f"stop must be one of {STOPS}, not {self.stop!r}")
        if self.ending not in get_args(Ending) or self.form not in get_args(Form):
            raise ValueError(f"unknown ending {self.ending!r} or form {self.form!r}")
        if min(self.wait, self.think, self.seconds) < 0 or (self.deltas is not None and self.deltas < 1):
            raise ValueError("times are 0 or more, deltas 1 or more")

    @classmethod
    def of(cls, values: Mapping[str, object], base: "Script | None" = None) -> "Script":
        """Build from JSON, on top of `base`. Raises ValueError for a name that no script has."""
        unknown = set(values) - {known.name for known in fields(cls)}
        if unknown:
            raise ValueError(f"a script has no {', '.join(sorted(unknown))}")
        try:
            return replace(base or cls(), **dict[str, Any](values))
        except TypeError as wrong:
            raise ValueError(str(wrong)) from wrong


@dataclass(slots=True)
class Rule:
    """Answer requests whose last user message contains `match` ("" matches all) by `script`.

    It applies `times` times (None: always), after having let `skip` matching requests pass.
    """

    number: int
    script: Script
    match: str = ""
    times: int | None = 1
    skip: int = 0


class Scripts:
    """The rules in force, oldest first, and the script for everything else."""

    def __init__(self, default: Script) -> None:
        self.default = default
        self._rules: list[Rule] = []
        self._number = 0

    @property
    def rules(self) -> tuple[Rule, ...]:
        """The rules that may still apply."""
        return tuple(self._rules)

    def add(self, script: Script, *, match: str = "", times: int | None = 1, skip: int = 0) -> Rule:
        """Add a rule behind the others."""
        self._number += 1
        rule = Rule(self._number, script, match, times, skip)
        self._rules.append(rule)
        return rule

    def clear(self) -> None:
        """Forget every rule; the default stays."""
        self._rules.clear()

    def choose(self, last: str) -> tuple[Script, int | None]:
        """Take the script for a request whose last user message is `last`, and the number of its rule."""
        for rule in self._rules:
            if rule.match not in last:
                continue
            if rule.skip:
                rule.skip -= 1
                continue
            if rule.times is not None:
                rule.times -= 1
                if rule.times <= 0:
                    self._rules.remove(rule)
            return rule.script, rule.number
        return self.default, None
