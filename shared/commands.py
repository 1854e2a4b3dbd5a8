"""The commands, in one table: help, menus and registrations with platforms all come from it.

A platform that has commands of its own delivers them as `Command`; where people write them as text, `parse` recognises them.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, Protocol, runtime_checkable

from shared.chat import Author, Channel

Name = Literal[
    "ask", "new", "stop", "retry", "undo", "model", "effort", "system", "usage", "list", "resume", "help", "why", "settings"
]
Scope = Literal["conversation", "channel", "platform", "global"]

SCOPES: tuple[Scope, ...] = ("conversation", "channel", "platform", "global")
"""From the narrowest to the widest."""

EFFORTS = ("low", "medium", "high", "xhigh", "max")
DEFAULT = "default"
"""The value that takes a choice back."""


@dataclass(frozen=True, slots=True)
class Option:
    """One thing that a command can be told. `name` is lower-case; `most` limits its characters, 0 means one word.

    `completes`: the values are not known beforehand and can be asked for while a person writes. `file`: it is a file.
    """

    name: str
    description: str
    required: bool = False
    choices: tuple[str, ...] = ()
    completes: bool = False
    most: int = 0
    file: bool = False


@dataclass(frozen=True, slots=True)
class Spec:
    """One command. `private`: its answer is for the person alone where the platform can do that."""

    name: Name
    description: str
    options: tuple[Option, ...] = ()
    private: bool = False


_FOR = Option("for", "What it holds for; this conversation if left out", choices=SCOPES)

COMMANDS: tuple[Spec, ...] = (
    Spec(
        "ask",
        "Ask Claude",
        (
            Option("question", "What you want to know", required=True, most=1800),
            Option("file", "A picture, PDF or text to go with it", file=True),
        ),
    ),
    Spec("new", "Close this conversation; the next message starts a new one"),
    Spec("stop", "Stop the answer that is being written here", private=True),
    Spec("retry", "Answer the last question again", private=True),
    Spec("undo", "Forget the last question and its answer", private=True),
    Spec("model", "Show or choose the model", (Option("name", "A model, or “default”", completes=True), _FOR), private=True),
    Spec(
        "effort",
        "Show or choose how hard the model works",
        (Option("level", "A level, or “default”", choices=(*EFFORTS, DEFAULT)), _FOR),
        private=True,
    ),
    Spec(
        "system",
        "Show or set further instructions for the model",
        (Option("text", "The instructions, or “default”", most=1500), _FOR),
        private=True,
    ),
    Spec("usage", "Show what was used this month, and the limits", private=True),
    Spec("list", "List the conversations of this place", private=True),
    Spec(
        "resume",
        "Go on with a conversation that was closed",
        (Option("conversation", "Which; the last one if left out", completes=True),),
    ),
    Spec("help", "Show what I can do", private=True),
    Spec("why", "Show what became of the last messages here", private=True),
    Spec("settings", "Show the settings that hold here, and where each comes from", private=True),
)
BY_NAME: Mapping[str, Spec] = {spec.name: spec for spec in COMMANDS}


@dataclass(frozen=True, slots=True)
class Parsed:
    """A text that is a command."""

    name: Name
    options: Mapping[str, str] = field(default_factory=dict[str, str])


def parse(text: str) -> Parsed | None:
    """The command that the whole text is, or None.

    A slash, then a name of the table in any case, then its options in their order; the one called `for` comes last and is written
    as "for:channel", after a single word also as "channel". A slash in front of anything else, or a command with more words than
    it takes, is an ordinary text: people do talk about paths.
    """
    word, *more = text.split(maxsplit=1) or [""]
    spec = BY_NAME.get(word[1:].lower()) if word.startswith("/") else None
    if spec is None:
        return None
    options = _options(spec, more[0].strip() if more else "")
    return None if options is None else Parsed(spec.name, options)


def _options(spec: Spec, rest: str) -> dict[str, str] | None:
    """What the words after a command mean; None if it does not take them."""
    if not rest:
        return {}
    if not spec.options:
        return None
    first = spec.options[0]
    options: dict[str, str] = {}
    if _FOR in spec.options:
        rest, scope = _scope(rest, bare=not first.most)
        if scope:
            options[_FOR.name] = scope
    if not first.most and len(rest.split()) > 1:
        return None
    if rest:
        options[first.name] = rest
    return options


def _scope(rest: str, *, bare: bool) -> tuple[str, str]:
    """The words without the scope at their end, and the scope: "for:channel", or "channel" where no text can end like that."""
    *before, last = rest.split()
    scope = last.lower().removeprefix("for:")
    if scope not in SCOPES or (scope == last.lower() and not bare):
        return rest, ""
    rest = rest.removesuffix(last).rstrip()
    return (rest[:-3].rstrip() if bare and before and before[-1].lower() == "for" else rest), scope


@dataclass(frozen=True, slots=True)
class Choice:
    """A value that a person can pick, and how it is shown (at most 100 characters)."""

    value: str
    label: str


@dataclass(frozen=True, slots=True)
class Typing:
    """Somebody is filling in the option `option` of a command; `text` is what they have so far."""

    command: str
    option: str
    text: str
    channel: Channel
    author: Author


Complete = Callable[[Typing], Awaitable[Sequence[Choice]]]
"""The values that fit, best first, at most 25. Never raises."""


@runtime_checkable
class Menus(Protocol):
    """Has commands of its own."""

    def offer(self, commands: Sequence[Spec], complete: Complete) -> None:
        """Offer these from the next connection on. Registered with the platform only if they have changed."""
        ...


@runtime_checkable
class Spells(Protocol):
    """Has its own way to write a command; elsewhere it is a slash and the name."""

    def spell(self, command: str, place: Channel, *, there: bool = False) -> str:
        """What a person writes in `place` to give this command, without its options; plain words that are no markup.

        `there`: what they write in another conversation that is near it.
        """
        ...
