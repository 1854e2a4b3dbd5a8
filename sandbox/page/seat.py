"""The page's seam to a platform: what a person sees of it and does in it, told alike for all of them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from sandbox.calls import Call, CallLog, Changes
from sandbox.faults import Faults, Rule

Json = dict[str, Any]

PEOPLE = 3
"""How many of the simulated people one can be."""
MISHAPS = ("429", "500", "reset")
"""What can be made of the next call, beside `drop` for the connection."""


class Refusal(Exception):
    """Something that a person wants cannot be done. The text is a sentence for them."""


@dataclass(frozen=True, slots=True)
class Blob:
    """A file that somebody sees."""

    name: str
    media_type: str
    data: bytes


@dataclass(frozen=True, slots=True)
class Part:
    """A stretch of a conversation: its latest messages, and whether there are earlier ones."""

    messages: list[Json]
    earlier: bool


class Seat(Protocol):
    """One platform as a person uses it. People are named by their user names, places by ids that only the seat knows.

    Whatever a person may not do or see, or does not exist, raises `Refusal`.
    """

    name: str
    title: str
    changes: Changes
    """Wakes after every change of the platform, and of its log of calls."""
    calls: CallLog
    faults: Faults
    replies: bool
    """Whether a message can be an answer to another one."""

    def people(self) -> list[Json]:
        """Whom one can be: `name` and `display`."""
        ...

    def places(self, by: str) -> list[Json]:
        """Where a person can write: `id`, `kind` (channel, thread, direct, group, topic), `name`, `hint` (what to write), `last`
        (the id of the latest message), and for what belongs to another place `under`."""
        ...

    def read(self, by: str, place: str, most: int) -> Part:
        """What a person sees in a place, oldest first, as `message` makes it."""
        ...

    def busy(self, by: str, place: str) -> list[Json]:
        """What the bot is seen to do in a place: `who`, `what`, and `until` in Unix seconds."""
        ...

    def menu(self, by: str, place: str) -> list[Json]:
        """The bot's commands there: `insert`, `name`, `about`, `options` by name, `named` (they are filled in by name), and
        `completes` (it can be asked for values of theirs)."""
        ...

    def prompts(self, by: str, place: str) -> Json | None:
        """What the bot suggests to say there: a `title`, and `prompts`, each with a `title` and the `message` behind it."""
        ...

    async def opened(self, by: str, place: str) -> None:
        """A person has come to a place."""
        ...

    async def complete(self, by: str, place: str, text: str) -> list[Json]:
        """What can be filled in at the end of a command that is being written: `name`, `about`, and `insert`, the whole text
        with it."""
        ...

    def toasts(self, by: str) -> list[Json]:
        """What was told to one person in passing: `id` and `text`."""
        ...

    async def write(self, by: str, place: str, text: str, files: Sequence[Json], reply_to: str | None) -> None:
        """Write a message, or call the command that the text begins with."""
        ...

    async def edit(self, by: str, message: str, text: str) -> None:
        """Change a message of one's own."""
        ...

    async def delete(self, by: str, message: str) -> None:
        """Delete a message of one's own or of the bot's."""
        ...

    async def press(self, by: str, message: str, button: str) -> None:
        """Press a button by its id."""
        ...

    async def react(self, by: str, message: str, emoji: str, *, remove: bool) -> None:
        """Add or take away a reaction."""
        ...

    def file(self, by: str, message: str, file: str) -> Blob:
        """A file of a message that a person sees."""
        ...

    def called(self, call: Call) -> str:
        """What a call is named in the list of calls."""
        ...

    def fault(self, mishap: str) -> Rule:
        """The rule for one of `MISHAPS`."""
        ...

    async def drop(self) -> None:
        """Cut the bot's connection."""
        ...


def message(
    id: str,  # noqa: A002 - the word of the page
    *,
    author: str,
    display: str,
    bot: bool,
    mine: bool,
    at: float,
    body: Sequence[Any],
    source: str = "",
    edited: bool = False,
    **more: Any,
) -> Json:
    """A message for the page. `body` is a tree as `markup` makes it, `source` what its writer edits.

    `more` may have `buttons`, `files`, `reactions`, `thread`, `reply`, `alone` (only one person sees it), `state` (`growing`,
    `thinking`, `broken`, `silent`, `service`), and what can be done to it, in `may`.
    """
    told: Json = {"id": id, "author": author, "display": display, "bot": bot, "mine": mine, "at": at, "body": list(body)}
    return told | {"source": source if mine else "", "edited": edited} | {key: value for key, value in more.items() if value}


def file_view(number: str, name: str, size: int, media: str) -> Json:
    """A file for the page. `shown`: it is a picture that browsers draw and cannot be made to run anything."""
    return {"id": number, "name": name, "size": size, "shown": media.partition(";")[0] in PICTURES}


PICTURES = frozenset({"image/png", "image/jpeg", "image/gif", "image/webp"})
"""SVG is none of them: it may carry scripts."""


def bounded(text: str, most: int = 80) -> str:
    """The beginning of a text, on one line."""
    line = " ".join(text.split())
    return line if len(line) <= most else f"{line[: most - 1]}…"


def given_files(files: Sequence[Json]) -> list[Json]:
    """Files as a control API takes them, from those that the page sends. Raises `Refusal`."""
    made: list[Json] = []
    for each in files:
        name, data = each.get("name"), each.get("data")
        if not isinstance(name, str) or not isinstance(data, str):
            raise Refusal("A file has a name and data.")
        made.append({"name": name, "content_base64": data})
    return made


def reactions(counted: Mapping[str, Sequence[object]], me: object, signs: Mapping[str, str]) -> list[Json]:
    """Reactions for the page, from those who left each."""
    return [
        {"id": emoji, "sign": signs.get(emoji, emoji), "count": len(who), "mine": me in who} for emoji, who in counted.items()
    ]
