"""How completions are answered: scripts, and the rules that choose among them."""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from typing import Any, Literal, get_args

Ending = Literal["whole", "cut", "eof", "error", "silence"]
Form = Literal["sse", "empty", "html"]
Stored = Literal["whole", "partial", "human", "nothing"]
Newline = Literal["\n", "\r\n", "\r"]


@dataclass(frozen=True, slots=True)
class Script:
    """One way to answer a completion or a retry. The default echoes the prompt at once. Times are seconds.

    Text: `text`, else `words` words or `characters` characters of filler, else an echo. It goes out in `deltas` pieces
    (default: one per 18 characters, 200 at most), the first `think` after the stream's head, the last `seconds` after
    the first. `wait` is silence before the first byte. `pings` is the time between pings while the stream is open.
    `thinking` comes before the text, in `thinking_deltas` pieces; `tool` is the name of a tool that is called and
    answered before the text. `files` are left in the conversation's sandbox: name to text, under /mnt/user-data/outputs.

    Ending: after `after` deltas (default: all of them) the stream goes on to its regular end ("whole"), is aborted
    ("cut"), ends cleanly without a message_stop ("eof"), carries an error event ("error", of `error_type`), or says
    nothing more ("silence", pings go on).

    `stored` is what the conversation keeps of an answer that did not end well, or whose caller left: the whole answer
    at the time at which it would have ended ("whole"), what was sent until then ("partial", stop reason
    `user_canceled`), the human message alone ("human"), or neither ("nothing"). Assumed: nobody has recorded which of
    them claude.ai does, so a client has to do right with each. The human message itself is stored before the first byte.
    A conversation that the request made goes with "nothing". `lag` is how long after the end of its stream a whole answer
    shows in its conversation: Claude-QoL reads up to thirty times, three seconds apart, until it does.

    Limits: `limit` is the type of the message_limit event, `windows` its windows (default: as the account stands); with
    `limit_event` false there is none. `status` other than 200 refuses before the stream, with `headers`; nothing is
    stored then. `form` "html" answers a page in place of JSON or of a stream, "empty" a stream without events.
    `cut_before` aborts the connection in place of any answer: the request was taken all the same, and `stored` holds.

    Bytes: `newline` ends the lines of the stream (claude-webapi splits at CR LF CR LF; captures show LF LF).
    `split_bytes` cuts each delta inside its last multi-byte character, `bytes_each` the stream after so many bytes,
    each piece in a packet of its own. `unknown_events` adds events and deltas that no client knows, and a comment.
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
    tool: str | None = None
    files: Mapping[str, str] = field(default_factory=dict[str, str])
    ending: Ending = "whole"
    after: int | None = None
    stored: Stored = "partial"
    lag: float = 0.0
    stop: str = "end_turn"
    form: Form = "sse"
    newline: Newline = "\n"
    split_bytes: bool = False
    bytes_each: int | None = None
    unknown_events: bool = False
    limit: str | None = None
    windows: Mapping[str, Mapping[str, Any]] | None = None
    limit_event: bool = True
    cut_before: bool = False
    status: int = 200
    error_type: str | None = None
    error_code: str | None = None
    error_message: str | None = None
    headers: Mapping[str, str] = field(default_factory=dict[str, str])

    def __post_init__(self) -> None:
        """Refuse what could only be a slip in a test. Raises ValueError."""
        choices = ((self.ending, Ending), (self.form, Form), (self.stored, Stored), (self.newline, Newline))
        for value, choice in choices:
            if value not in get_args(choice):
                raise ValueError(f"{value!r} must be one of {get_args(choice)}")
        if min(self.wait, self.think, self.seconds, self.lag) < 0:
            raise ValueError("times are 0 or more")
        for count in (self.deltas, self.bytes_each, self.thinking_deltas):
            if count is not None and count < 1:
                raise ValueError("deltas and bytes_each are 1 or more")

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
    """Answer completions whose prompt contains `match` ("" matches all) by `script`.

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

    def choose(self, prompt: str) -> tuple[Script, int | None]:
        """Take the script for a prompt, and the number of its rule (None for the default)."""
        for rule in self._rules:
            if rule.match not in prompt:
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
