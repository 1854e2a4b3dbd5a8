"""The terminal of the demo: writing as any of the simulated people, and watching the replies grow."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from typing import TextIO

from sandbox.faces import Face, LineFace, ScreenFace
from sandbox.following import SILENT_TYPES, Json, Lab, Place, Quiet, Trouble

HELP = """You write as one of the simulated people; Threadline answers.
In a channel mention it: "@threadline hello". In its threads and in direct chats just write.
/as user2         write as somebody else
/in general       go to a channel; /in thread 2 or /in a thread's title to a thread
/dm               go to the direct chat with Threadline
/who   /where     list the people; list the channels and threads
/read             show the last messages here
/delete 3         delete message [3]
/stop   /new      sent to Threadline: stop the reply; begin a new conversation
//text            send "/text" as it is
/quit             leave (also Ctrl-C and Ctrl-D)"""
FOR_THE_BOT = frozenset({"/stop", "/new"})
READ = 10
"""How many messages "/read" shows."""


async def converse(control_url: str, stdin: TextIO, stdout: TextIO, *, quiet: float = 3.0, patience: float = 60.0) -> None:
    """Talk until the person leaves, the input ends, or the simulator does. Raises nothing: what is wrong is said on `stdout`.

    On a terminal everything is drawn in place. Otherwise only finished texts are printed, and after the end of the input the
    replies still to come are waited for: a reply is finished when the bot has shown no sign for `quiet` seconds, and its first
    text is waited for `patience` seconds.
    """
    try:
        async with Lab.open(control_url) as lab, lab.follow() as events:
            drawn = stdin.isatty() and stdout.isatty()
            face: Face = ScreenFace(stdin, stdout) if drawn else LineFace(stdin, stdout, quiet)
            try:
                await Terminal(lab, face, Quiet(quiet, patience), linger=not drawn).run(events)
            finally:
                face.close()
    except Trouble as trouble:
        stdout.write(f"{trouble}\n")
        stdout.flush()


class Terminal:
    """One person's conversation: where they are, what they see, and what their commands do."""

    def __init__(self, lab: Lab, face: Face, waiting: Quiet, *, linger: bool) -> None:
        """With `linger` the replies still to come are waited for when the input has ended."""
        self._lab = lab
        self._face = face
        self._waiting = waiting
        self._linger = linger
        self._person = next(person for person in lab.people.values() if not person.bot)
        self._place = next(place for place in lab.places if place.kind == "text")
        self._numbers: dict[str, int] = {}
        self._sent: set[str] = set()
        self._expecting = False
        self._commands: dict[str, Callable[[str], Awaitable[None]]] = {
            "/as": self._as,
            "/in": self._in,
            "/dm": self._direct,
            "/who": self._who,
            "/where": self._where,
            "/read": self._read,
            "/delete": self._delete,
            "/help": self._help,
        }

    async def run(self, events: AsyncGenerator[Json]) -> None:
        """Talk until the person leaves or the simulator ends."""
        self._face.notice('Write "@threadline hello", or /help.')
        self._show_prompt()
        following = asyncio.create_task(self._follow(events))
        writing = asyncio.create_task(self._write())
        try:
            await asyncio.wait((following, writing), return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in (following, writing):
                task.cancel()
            results = await asyncio.gather(following, writing, return_exceptions=True)
        for result in results:
            if isinstance(result, Exception):
                raise result
        if not isinstance(results[0], asyncio.CancelledError):
            self._face.notice("The simulator has ended.")

    async def _write(self) -> None:
        lines = self._face.lines()
        try:
            async for line in lines:
                if line.strip() == "/quit":
                    return
                try:
                    await self._take(line)
                except Trouble as trouble:
                    self._face.notice(str(trouble))
        finally:
            await lines.aclose()
        if self._linger and self._expecting:
            await self._waiting.ended()

    async def _take(self, line: str) -> None:
        word, _, rest = line.strip().partition(" ")
        if not word:
            return
        if line.startswith("//"):
            await self._say(line[1:])
        elif not line.startswith("/") or (word in FOR_THE_BOT and not rest):
            await self._say(line)
        elif word in self._commands:
            await self._commands[word](rest.strip())
        else:
            self._face.notice(f'There is no command {word}. /help lists them; "/{line}" sends it as it is.')

    async def _say(self, text: str) -> None:
        place = self._lab.direct(self._person.name) if self._place.kind == "direct" else self._place
        # Before the call: the reply may be quicker than its answer.
        self._expecting = place.kind != "text" or f"@{self._lab.bot}" in text
        self._waiting.text = False
        sent = await self._lab.say(self._person.name, place, text)
        self._sent.add(sent["id"])
        await self._enter(sent["id"])

    # commands

    async def _as(self, named: str) -> None:
        self._person = self._lab.person(named)
        if self._place.kind == "direct":
            self._place = self._lab.direct(self._person.name)
        self._show_prompt()

    async def _in(self, named: str) -> None:
        self._go(self._lab.place(named, self._person.name))

    async def _direct(self, _: str) -> None:
        self._go(self._lab.direct(self._person.name))

    async def _who(self, _: str) -> None:
        lines = [
            f"{'*' if person == self._person else ' '} {person.name} ({person.display}{', a bot' if person.bot else ''})"
            for person in self._lab.people.values()
        ]
        self._face.notice("\n".join(lines))

    async def _where(self, _: str) -> None:
        lines: list[str] = []
        for place in self._lab.places:
            here = "*" if place.id == self._place.id else " "
            if place.kind == "text":
                lines.append(f"{here} #{place.name}")
            elif place.kind == "thread":
                lines.append(f"{here} thread {self._lab.threads.index(place) + 1}: {place.name}")
        here = "*" if self._place.kind == "direct" else " "
        self._face.notice("\n".join([*lines, f"{here} the direct chat of {self._person.name} (/dm)"]))

    async def _read(self, _: str) -> None:
        messages = (await self._lab.messages(self._here()))[-READ:]
        if not messages:
            self._face.notice(f"Nothing has been said in {self._place.label}.")
        for message in messages:
            self._face.again(message["id"], self._numbered(message))

    async def _delete(self, named: str) -> None:
        number = named.strip("[]")
        found = [each for each, shown in self._numbers.items() if str(shown) == number]
        if not found:
            raise Trouble(f'There is no message "{named}". The number in front of a message is meant, as in /delete 1.')
        await self._lab.delete(found[0])

    async def _help(self, _: str) -> None:
        self._face.notice(HELP)

    # what happens

    async def _follow(self, events: AsyncGenerator[Json]) -> None:
        async for event in events:
            if event["event"] in ("channel", "channel_gone", "user"):
                await self._lab.refresh()
            channel = event.get("channel")
            if event["event"] == "channel" and channel is not None:
                await self._enter(channel)
            elif event["event"] == "typing":
                self._typed(event)
            elif "message" in event:
                await self._told(event["event"], event["message"])

    async def _enter(self, message: str) -> None:
        """Go into a thread that was opened on a message of ours: its id is the message's."""
        place = self._lab.place_of(message)
        if place is None or message not in self._sent:
            return
        self._sent.discard(message)
        back = f"; /in {self._place.name} goes back" if self._place.kind == "text" else ""
        self._go(place, f'The thread "{place.name}" was opened on your message. You are in it now{back}.')
        for said in await self._lab.messages(place):
            own = said["author"] == self._lab.bot
            self._face.message(said["id"], self._numbered(said), growing=own)

    def _typed(self, event: Json) -> None:
        if event.get("user") != self._lab.bot:
            return
        self._waiting.heard(text=False)
        if event["channel"] == self._here().id:
            self._face.typing(self._lab.people[self._lab.bot].display)

    async def _told(self, what: str, message: Json) -> None:
        if message["type"] in SILENT_TYPES:
            return
        own = message["author"] == self._lab.bot
        if own:
            self._waiting.heard(text=not message["deleted"])
        if message["channel"] == self._here().id:
            if own and what == "message":
                self._face.typing(None)
            if what in ("message", "edit", "delete"):
                self._face.message(message["id"], self._numbered(message), growing=own and not message["deleted"])
        elif own and what == "message":
            place = self._lab.place_of(message["channel"])
            if place is not None:
                self._face.notice(f"(Threadline writes in {place.label})")

    # where we are

    def _here(self) -> Place:
        return self._lab.direct(self._person.name) if self._place.kind == "direct" else self._place

    def _go(self, place: Place, notice: str | None = None) -> None:
        self._place = place
        self._face.typing(None)
        self._face.notice(notice or f"You are in {place.label} now. /read shows what was said.")
        self._show_prompt()

    def _show_prompt(self) -> None:
        label = self._place.label
        short = label if len(label) <= 24 else f'{label[:22]}…"'
        self._face.prompt(f"{self._person.name} in {short}> ")

    def _numbered(self, message: Json) -> str:
        number = self._numbers.setdefault(message["id"], len(self._numbers) + 1)
        return f"[{number}] {self._lab.line(message)}"
