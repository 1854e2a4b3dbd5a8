"""How completions are answered: scripts, and the rules that choose among them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, get_args

from sandbox.claude.rules import BaseRule, Rules
from sandbox.claude.script import BaseScript, Ending

Form = Literal["sse", "empty", "html"]
Stored = Literal["whole", "partial", "human", "nothing"]
Newline = Literal["\n", "\r\n", "\r"]


@dataclass(frozen=True, slots=True)
class Script(BaseScript):
    """One way to answer a completion or a retry, besides what every script says.

    `tool` is the name of a tool that is called and answered before the text. `files` are left in the conversation's sandbox:
    name to text, under /mnt/user-data/outputs.

    `stored` is what the conversation keeps of an answer that did not end well, or whose caller left: the whole answer
    at the time at which it would have ended ("whole"), what was sent until then ("partial", stop reason
    `user_canceled`), the human message alone ("human"), or neither ("nothing"). Assumed: nobody has recorded which of
    them claude.ai does, so a client has to do right with each. The human message itself is stored before the first byte.
    A conversation that the request made goes with "nothing". `lag` is how long after the end of its stream a whole answer
    shows in its conversation: Claude-QoL reads up to thirty times, three seconds apart, until it does.

    Limits: `limit` is the type of the message_limit event, `windows` its windows (default: as the account stands); with
    `limit_event` false there is none. With a `status` other than 200 nothing is stored. `form` "html" answers a page in place
    of JSON or of a stream, "empty" a stream without events. With `cut_before` the request was taken all the same, and
    `stored` holds.

    Bytes: `newline` ends the lines of the stream (claude-webapi splits at CR LF CR LF; captures show LF LF). `bytes_each`
    cuts the stream after so many bytes, each piece in a packet of its own. `unknown_events` adds a comment too.
    """

    tool: str | None = None
    files: Mapping[str, str] = field(default_factory=dict[str, str])
    stored: Stored = "partial"
    lag: float = 0.0
    stop: str = "end_turn"
    form: Form = "sse"
    newline: Newline = "\n"
    bytes_each: int | None = None
    limit: str | None = None
    windows: Mapping[str, Mapping[str, Any]] | None = None
    limit_event: bool = True

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


Rule = BaseRule[Script]


class Scripts(Rules[Script, Rule]):
    """The rules in force, and the script for everything else."""

    def add(self, script: Script, *, match: str = "", times: int | None = 1, skip: int = 0) -> Rule:
        """Add a rule behind the others."""
        return self.put(lambda number: Rule(number, script, match, times, skip))

    def choose(self, prompt: str) -> tuple[Script, int | None]:
        """Take the script for a prompt, and the number of its rule (None for the default)."""
        return self.take(lambda rule: rule.match in prompt)
