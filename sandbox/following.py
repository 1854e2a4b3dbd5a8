"""A person's way into the simulated Discord: its control API, told as people, places and messages."""

import asyncio
import json
import re
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, cast

import aiohttp

from sandbox.slash import Line

Json = dict[str, Any]

LOADING = 1 << 7
"""The flag of an answer that is still to come (Discord developer docs, Message: Message Flags)."""
SILENT_TYPES = frozenset({18, 21})
"""Messages that Discord itself writes about threads (Discord developer docs, Message: Message Types)."""


class Trouble(Exception):
    """Something that was asked for cannot be done. The text is a sentence for the person at the terminal."""


@dataclass(frozen=True, slots=True)
class Place:
    """A channel, a thread or a direct chat. `id` is None for a direct chat that has not begun; `person` is its human side."""

    id: str | None
    kind: str
    name: str
    person: str | None = None
    parent: str | None = None

    @property
    def label(self) -> str:
        """The place as a prompt names it."""
        if self.kind == "direct":
            return "the direct chat"
        if self.kind == "thread":
            return f'"{self.name}"'
        return f"#{self.name}"


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody of the simulated server."""

    id: str
    name: str
    display: str
    bot: bool


class Lab:
    """A running simulator as seen by one terminal."""

    def __init__(self, session: aiohttp.ClientSession, control_url: str) -> None:
        self._session = session
        self._url = control_url.rstrip("/")
        self.people: dict[str, Person] = {}
        """By name."""
        self.places: list[Place] = []
        """In order of creation."""
        self.bot = ""
        """The name of the bot that everything is about."""

    @classmethod
    @asynccontextmanager
    async def open(cls, control_url: str) -> AsyncGenerator["Lab"]:
        """Connect. Raises `Trouble` when no simulator answers there."""
        async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=None, sock_connect=5)) as session:
            lab = cls(session, control_url)
            await lab.refresh()
            yield lab

    async def refresh(self) -> None:
        """Read who and what there is."""
        world = cast(Json, await self._call("GET", "world"))
        everybody = [Person(each["id"], each["name"], each["display"], each["bot"]) for each in world["users"]]
        self.people = {each.name: each for each in everybody}
        self.bot = next(each.name for each in everybody if each.id == world["bot"])
        self.places = [
            Place(each["id"], each["kind"], each["name"], each["person"], each["parent"]) for each in world["channels"]
        ]

    @property
    def threads(self) -> list[Place]:
        """The threads, oldest first; a terminal numbers them from 1."""
        return [place for place in self.places if place.kind == "thread"]

    def place_of(self, channel: str) -> Place | None:
        """The place with an id."""
        return next((place for place in self.places if place.id == channel), None)

    def person(self, named: str) -> Person:
        """A person, no bot, by name or shown name in any case. Raises `Trouble`."""
        wanted = named.strip().removeprefix("@").casefold()
        for each in self.people.values():
            if not each.bot and wanted in (each.name.casefold(), each.display.casefold()):
                return each
        names = ", ".join(each.name for each in self.people.values() if not each.bot)
        raise Trouble(f'There is nobody called "{named}" here. There are: {names}.')

    def direct(self, person: str) -> Place:
        """The direct chat of a person with the bot."""
        found = (place for place in self.places if place.kind == "direct" and place.person == person)
        return next(found, Place(None, "direct", person, person))

    def place(self, named: str, person: str) -> Place:
        """A channel by name, a thread by number or title, or `person`'s direct chat ("direct" or "dm"). Raises `Trouble`."""
        wanted = " ".join(named.split()).removeprefix("#").strip('"').casefold()
        if wanted in ("direct", "dm"):
            return self.direct(person)
        number = re.fullmatch(r"(?:thread )?(\d{1,6})", wanted)
        if number and 1 <= int(number[1]) <= len(self.threads):
            return self.threads[int(number[1]) - 1]
        public = [place for place in self.places if place.kind != "direct"]
        for place in public:
            if wanted in (place.name.casefold(), place.id):
                return place
        begun = [place for place in self.threads if wanted and place.name.casefold().startswith(wanted.removeprefix("thread "))]
        if len(begun) == 1:
            return begun[0]
        names = ", ".join(f"#{place.name}" for place in public if place.kind != "thread")
        raise Trouble(f'There is no place called "{named}" here. There are {names} and {len(self.threads)} threads.')

    async def say(self, person: str, place: Place, text: str, files: Sequence[Json] = ()) -> Json:
        """Write a message and return it. Raises `Trouble` if it is refused."""
        body: Json = {"as": person, "text": text, "attachments": list(files)}
        body |= {"direct": True} if place.kind == "direct" else {"in": place.id}
        return cast(Json, await self._call("POST", "say", body))

    async def commands(self, person: str, place: Place) -> list[Json]:
        """The bot's commands that a person is offered in a place."""
        where = "" if place.kind == "direct" else f"&in={place.id}"
        return cast(list[Json], await self._call("GET", f"commands?as={person}{where}"))

    async def call(self, person: str, place: Place, line: Line) -> Json:
        """Call a command and return the interaction. Raises `Trouble` if an option is refused."""
        body: Json = {"as": person, "name": line.name, "options": line.options}
        body |= {} if place.kind == "direct" else {"in": place.id}
        return cast(Json, await self._call("POST", "call", body))

    async def press(self, person: str, message: str, button: str) -> None:
        """Press a button, by its custom id. Raises `Trouble` if it cannot be pressed."""
        await self._call("POST", "press", {"as": person, "message": message, "button": button})

    async def edit(self, message: str, text: str) -> None:
        """Change a message. Raises `Trouble` if it is refused."""
        await self._call("POST", "edit", {"message": message, "text": text})

    async def delete(self, message: str) -> None:
        """Delete anybody's message."""
        await self._call("POST", "delete", {"message": message})

    async def messages(self, place: Place, person: str) -> list[Json]:
        """What a person can read in a place, oldest first."""
        if place.id is None:
            return []
        messages = cast(list[Json], await self._call("GET", f"messages?channel={place.id}&as={person}"))
        return [each for each in messages if not each["deleted"] and each["type"] not in SILENT_TYPES]

    def line(self, message: Mapping[str, Any]) -> str:
        """A message as people read it: the author, then the text, with mentions as names."""
        if message["deleted"]:
            return f"{self._shown(message['author'])}: (deleted)"
        by_id = {person.id: person.name for person in self.people.values()}
        text = re.sub(r"<@!?(\d+)>", lambda found: "@" + by_id.get(found[1], found[1]), message["content"])
        files = "".join(f"\n[file: {file['filename']}]" for file in message["attachments"])
        alone = " (only you see this)" if message["ephemeral"] else ""
        thinking = "(thinking …)" if message["flags"] & LOADING else ""
        return f"{self._shown(message['author'])}{alone}: {text}{thinking}{files}"

    def _shown(self, name: str) -> str:
        return self.people[name].display if name in self.people else name

    @asynccontextmanager
    async def follow(self) -> AsyncGenerator[AsyncGenerator[Json]]:
        """Every change from now on, in order. The iteration ends when the simulator does."""
        try:
            async with self._session.get(f"{self._url}/events") as response:
                if response.status != 200:
                    raise Trouble(f"The simulator does not tell what happens: status {response.status}.")
                await response.content.readline()  # its greeting: from here on nothing is missed
                events = _events(response)
                try:
                    yield events
                finally:
                    await events.aclose()
        except aiohttp.ClientConnectionError as error:
            raise Trouble(f"No simulator answers at {self._url}.") from error

    async def _call(self, method: str, what: str, body: Json | None = None) -> Any:
        try:
            async with self._session.request(method, f"{self._url}/{what}", json=body) as response:
                answer: Any = await response.json(content_type=None)
                if response.status >= 400:
                    raise Trouble(f"That was refused: {answer.get('error', response.status)}.")
                return answer
        except (aiohttp.ClientError, TimeoutError, ValueError) as error:
            raise Trouble(f"No simulator answers at {self._url}.") from error


async def _events(response: aiohttp.ClientResponse) -> AsyncGenerator[Json, None]:
    # Lines are put together here: a message with its whole history is longer than a line that aiohttp takes.
    waiting = b""
    try:
        async for chunk in response.content.iter_any():
            *lines, waiting = (waiting + chunk).split(b"\n")
            for line in lines:
                if line.startswith(b"data: "):
                    yield json.loads(line[6:])
    except aiohttp.ClientError:
        return  # the simulator was killed: for a follower the same as its end


class Quiet:
    """Tells when a reply is complete: nothing on the wire says so, only that the bot has become quiet."""

    def __init__(self, quiet: float, patience: float) -> None:
        """`quiet` seconds without a sign of the bot end a reply, `patience` seconds the wait for its first text."""
        self._quiet = quiet
        self._patience = patience
        self._heard = asyncio.Event()
        self.text = False
        """Whether there was any text."""

    def heard(self, *, text: bool) -> None:
        """Note a sign of the bot: a text, or that it types."""
        self.text = self.text or text
        self._heard.set()

    async def ended(self) -> bool:
        """Wait until it is quiet. Returns whether there was any text."""
        while True:
            self._heard.clear()
            try:
                async with asyncio.timeout(self._quiet if self.text else self._patience):
                    await self._heard.wait()
            except TimeoutError:
                return self.text
