"""The terminal of the demo: writing as any of the simulated people, and watching the replies grow."""

import asyncio
import re
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from typing import TextIO

from sandbox.faces import Face, LineFace, ScreenFace
from sandbox.following import LOADING, SILENT_TYPES, Json, Lab, Place, Quiet, Trouble
from sandbox.slash import Line, Unfit, file_at, parsed
from sandbox.underline import Buttons, under

HELP = """You write as one of the simulated people; Threadline answers.
In a channel mention it: "@threadline hello". In its threads and in direct chats just write.
:as user2         write as somebody else
:in general       go to a channel; :in thread 2 or :in a thread's title to a thread
:dm               go to the direct chat with Threadline
:who   :where     list the people; list the channels and threads
:read             show the last messages here
:edit new text    change your last message here, or :edit 3 new text message [3]
:delete           delete your last message here, or :delete 3 message [3]
:attach a.png hi  write "hi" with a file
:press 2          press the button that is shown as (2)
:commands         list Threadline's own commands here
/ask hi file:a    call one of them: text for its first option, name:value for others, and for a file its path
//text   ::text   send "/text" or ":text" as it is
:quit             leave (also Ctrl-C and Ctrl-D)
A slash does for a colon where Threadline has no command of that name."""
FOR_THE_BOT = frozenset({"/stop", "/new"})
"""Sent as texts while the bot has no commands of these names."""
_COMMAND = re.compile(r"[:/][a-z]+")
READ = 10
"""How many messages ":read" shows."""


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
        self._called: set[str] = set()
        self._buttons = Buttons()
        self._expecting = False
        self._commands: dict[str, Callable[[str], Awaitable[None]]] = {
            "as": self._as,
            "in": self._in,
            "dm": self._direct,
            "who": self._who,
            "where": self._where,
            "read": self._read,
            "edit": self._edit,
            "delete": self._delete,
            "attach": self._attach,
            "press": self._press,
            "commands": self._list,
            "help": self._help,
        }

    async def run(self, events: AsyncGenerator[Json]) -> None:
        """Talk until the person leaves or the simulator ends."""
        self._face.notice('Write "@threadline hello", or :help.')
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
                if line.strip() in (":quit", "/quit"):
                    return
                try:
                    await self._take(line)
                except (Trouble, Unfit) as trouble:
                    self._face.notice(str(trouble))
        finally:
            await lines.aclose()
        if self._linger and self._expecting:
            await self._waiting.ended()

    async def _take(self, line: str) -> None:
        word, _, rest = line.strip().partition(" ")
        if not word:
            return
        if line.startswith(("//", "::")):
            await self._say(line[1:])
        elif line.startswith("/") and (called := await self._parsed(line)) is not None:
            await self._call(called)
        elif _COMMAND.fullmatch(word) and word[1:] in self._commands:
            await self._commands[word[1:]](rest.strip())
        elif (word in FOR_THE_BOT and not rest) or not (line.startswith("/") or _COMMAND.fullmatch(word)):
            await self._say(line)
        else:
            self._face.notice(f'There is no command {word}. :help lists them; "{line[0]}{line}" sends it as it is.')

    async def _parsed(self, line: str) -> Line | None:
        return parsed(line, await self._lab.commands(self._person.name, self._here()))

    async def _call(self, line: Line) -> None:
        self._expecting, self._waiting.text = True, False
        called = await self._lab.call(self._person.name, self._here(), line)
        self._called.add(called["id"])
        self._face.notice(f"({self._person.display} uses /{line.name})")
        # The answer, and a thread on it, may have been quicker.
        for message in await self._lab.messages(self._here(), self._person.name):
            if message["interaction"] == called["id"]:
                self._sent.add(message["id"])
                await self._enter(message["id"])

    async def _say(self, text: str, files: Sequence[Json] = ()) -> None:
        place = self._here()
        # Before the call: the reply may be quicker than its answer.
        self._expecting = place.kind != "text" or f"@{self._lab.bot}" in text
        self._waiting.text = False
        sent = await self._lab.say(self._person.name, place, text, files)
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
        self._face.notice("\n".join([*lines, f"{here} the direct chat of {self._person.name} (:dm)"]))

    async def _read(self, _: str) -> None:
        messages = (await self._lab.messages(self._here(), self._person.name))[-READ:]
        if not messages:
            self._face.notice(f"Nothing has been said in {self._place.label}.")
        for message in messages:
            self._face.again(message["id"], self._numbered(message))

    async def _edit(self, given: str) -> None:
        number, _, text = given.partition(" ")
        if re.fullmatch(r"\[?\d+\]?", number) and text:
            await self._lab.edit(self._named(number), text)
        elif given:
            await self._lab.edit(await self._last(), given)
        else:
            raise Trouble("Write the new text behind it, as in :edit hello.")

    async def _delete(self, named: str) -> None:
        await self._lab.delete(self._named(named) if named else await self._last())

    async def _attach(self, given: str) -> None:
        found = re.fullmatch(r'(?:"([^"]+)"|(\S+))\s*(.*)', given)
        if found is None:
            raise Trouble("Write the file's path behind it, as in :attach notes.txt @threadline what is this?")
        await self._say(found[3], [file_at(found[1] or found[2])])

    async def _press(self, number: str) -> None:
        pressed = self._buttons.numbered(number)
        if pressed is None:
            raise Trouble(f'There is no button "{number}". The number in front of one is meant, as in :press 1.')
        self._expecting = True
        await self._lab.press(self._person.name, *pressed)

    async def _list(self, _: str) -> None:
        commands = await self._lab.commands(self._person.name, self._here())
        lines = [f"/{each['name']:<16} {each['description']}" for each in commands]
        self._face.notice("\n".join(lines) or "Threadline has no commands of its own here.")

    def _named(self, named: str) -> str:
        number = named.strip("[]")
        found = next((each for each, shown in self._numbers.items() if str(shown) == number), None)
        if found is None:
            raise Trouble(f'There is no message "{named}". The number in front of a message is meant, as in :delete 1.')
        return found

    async def _last(self) -> str:
        """The person's last message here."""
        messages = await self._lab.messages(self._here(), self._person.name)
        own = [each["id"] for each in messages if each["author"] == self._person.name]
        if not own:
            raise Trouble(f"You have written nothing in {self._place.label}.")
        return own[-1]

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
            elif event["event"] == "unanswered" and event["interaction"]["id"] in self._called:
                self._face.notice(f"({event['interaction']['shown']})")
            elif "message" in event:
                await self._told(event["event"], event["message"])
            for message in event.get("messages", ()):
                await self._told("delete", message)

    async def _enter(self, message: str) -> None:
        """Go into a thread that was opened on a message of ours: its id is the message's."""
        place = self._lab.place_of(message)
        if place is None or message not in self._sent:
            return
        self._sent.discard(message)
        back = f"; :in {self._place.name} goes back" if self._place.kind == "text" else ""
        self._go(place, f'The thread "{place.name}" was opened on your message. You are in it now{back}.')
        for said in await self._lab.messages(place, self._person.name):
            own = said["author"] == self._lab.bot
            self._face.message(said["id"], self._numbered(said), growing=own)

    def _typed(self, event: Json) -> None:
        if event.get("user") != self._lab.bot:
            return
        self._waiting.heard(text=False)
        if event["channel"] == self._here().id:
            self._face.typing(self._lab.people[self._lab.bot].display)

    async def _told(self, what: str, message: Json) -> None:
        if message["type"] in SILENT_TYPES or message["ephemeral"] not in (None, self._person.name):
            return
        own = message["author"] == self._lab.bot
        if message["interaction"] in self._called and what == "message":
            self._sent.add(message["id"])
        if own:
            self._waiting.heard(text=not message["deleted"] and not message["flags"] & LOADING)
        if message["channel"] == self._here().id:
            if own and what == "message":
                self._face.typing(None)
            # Printed lines cannot be changed: there a reaction would only repeat the message.
            if what in ("message", "edit", "delete") or (what == "react" and not self._linger):
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
        self._face.notice(notice or f"You are in {place.label} now. :read shows what was said.")
        self._show_prompt()

    def _show_prompt(self) -> None:
        label = self._place.label
        short = label if len(label) <= 24 else f'{label[:22]}…"'
        self._face.prompt(f"{self._person.name} in {short}> ")

    def _numbered(self, message: Json) -> str:
        number = self._numbers.setdefault(message["id"], len(self._numbers) + 1)
        return f"[{number}] {self._lab.line(message)}{under(message, self._buttons)}"
