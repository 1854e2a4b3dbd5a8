"""What commands and buttons do. A text that is a command and a command of the platform go the same way.

Whatever a command answers is stored as a notice before anything is shown; a button says something only where it can do nothing.
"""

from collections.abc import Awaitable, Mapping, Sequence
from uuid import UUID

import structlog

from shared import answers, sentences
from shared.access import Access
from shared.chat import Cause, Command, Message, MessageId, Pressed
from shared.choosing import Choosing
from shared.commands import Choice, Name, Typing
from shared.errors import Failure, StoreUnusable
from shared.harmless import flat
from shared.limits import refused
from shared.log import fault
from shared.reports import Reports
from shared.store import Decision, Refusal, Rules, Store, Taken, Talk

log = structlog.get_logger(__name__)

COMPLETED = 25
"""How many values are offered while somebody writes, as `shared.commands.Complete` says."""

SEARCHED = 100
"""Among how many of a place's newest conversations a number is looked for."""


class Actions:
    """Does what people ask for by command or button."""

    def __init__(
        self,
        store: Store,
        choosing: Choosing,
        reports: Reports,
        access: Mapping[str, Access],
        rules: Rules,
    ) -> None:
        self._store = store
        self._choosing = choosing
        self._reports = reports
        self._access = access
        self._rules = rules

    async def command(self, platform: str, cause: Message | Command, name: Name, options: Mapping[str, str]) -> Taken:
        """Do a command; /ask is not one of them, it is a question."""
        return await self._or_say(platform, cause, "command", self._command(platform, cause, name, options))

    async def button(self, platform: str, pressed: Pressed) -> Taken:
        """Do what a button says; one that is too old, unknown or elsewhere is answered with a sentence."""
        return await self._or_say(platform, pressed, "button", self._button(platform, pressed))

    async def _or_say(self, platform: str, cause: Cause, decision: Decision, doing: Awaitable[Taken]) -> Taken:
        try:
            return await doing
        except StoreUnusable:
            raise
        except Exception as error:
            # A fault of ours or of a backend must not leave a person without a word.
            log.critical("a command failed by a fault of ours", platform=platform, fault=fault(error))
            return await self._store.tell(platform, cause, decision=decision, text=sentences.FAULT)

    async def _command(self, platform: str, cause: Message | Command, name: Name, options: Mapping[str, str]) -> Taken:
        store, place, author = self._store, cause.place, cause.author
        match name:
            case "new":
                return await store.new(platform, cause, text=sentences.NEW, nothing=sentences.NEW_NOTHING)
            case "stop":
                # Where it was written as a text, the answer that ends says enough.
                quiet = isinstance(cause, Command) and cause.quiet
                done = sentences.STOPPING if isinstance(cause, Command) and not quiet else None
                return await store.stop(platform, cause, nothing=None if quiet else sentences.NOTHING_TO_STOP, done=done)
            case "retry":
                return await self._retry(platform, cause)
            case "undo":
                return await store.undo(platform, cause, say=lambda no: sentences.UNDO[no] if no else sentences.UNDONE)
            case "model":
                return await self._choosing.model(platform, cause, options)
            case "effort":
                return await self._choosing.effort(platform, cause, options)
            case "system":
                return await self._choosing.system(platform, cause, options)
            case "resume":
                return await self._resume(platform, cause, options.get("conversation", ""))
            case "usage":
                text = await self._reports.usage(platform, author, place)
            case "list":
                text = await self._reports.conversations(place)
            case "why":
                text = await self._reports.why(platform, author, place)
            case "settings":
                text = await self._reports.settings(platform, place)
            case "help":
                text = answers.help_(place)
            case "ask":
                text = sentences.NO_QUESTION
        return await store.tell(platform, cause, decision="command", text=text)

    async def _button(self, platform: str, pressed: Pressed) -> Taken:
        kind, _, rest = pressed.button.partition("/")
        store, message = self._store, pressed.message
        turn = int(rest) if rest.isascii() and rest.isdigit() and len(rest) < 19 else None
        match kind:
            case "stop" if turn is not None:
                return await store.stop(platform, pressed, nothing=sentences.STOP_OVER, turn=turn, message=message)
            case "retry" if turn is not None:
                return await self._retry(platform, pressed, turn, message)
            case "more" if turn is not None:
                return await store.more(
                    platform, pressed, turn=turn, text=sentences.CONTINUE, rules=self._rules,
                    say=lambda refusal: sentences.MORE[refusal], limited=refused,
                )  # fmt: skip
            case "resume" if (conversation := _uuid(rest)) is not None:
                return await self._go_on(platform, pressed, conversation)
            case _:
                return await store.tell(platform, pressed, decision="button", text=sentences.NO_BUTTON)

    async def complete(self, platform: str, typing: Typing) -> Sequence[Choice]:
        """The values that an option can have; nothing for those who may not write there."""
        access = self._access.get(platform)
        if access is None or not access.allows(typing.author, typing.channel):
            return []
        try:
            return (await self._complete(typing))[:COMPLETED]
        except Failure as failure:
            log.warning("nothing to complete with", command=typing.command, detail=failure.detail)
        except Exception as error:
            # A fault of ours or of a backend: whoever is writing can go on without it.
            log.critical("completing failed by a fault of ours", command=typing.command, fault=fault(error))
        return []

    async def answered(self, platform: str, command: Command, taken: Taken) -> Taken | None:
        """What is still to be said to one who gave a command: a turn that /retry opened again is no answer to the command."""
        if command.name != "retry" or taken.waiting is None or taken.waiting.kind == "notice":
            return None
        key = f"{command.keys[0]}/done"
        return await self._store.aside(platform, command.target, key=key, decision="command", text=sentences.RETRYING)

    async def over(self, cause: Cause) -> str | None:
        """The sentence about a budget that is used up for this person in this place; None if none is."""
        if not self._rules.budgets:
            return None
        share = await self._store.over(cause.author.id, cause.place, self._rules.budgets)
        return None if share is None else refused("over_limit", share)

    async def _retry(self, platform: str, cause: Cause, turn: int | None = None, message: MessageId | None = None) -> Taken:
        if (text := await self.over(cause)) is not None:
            return await self._store.tell(platform, cause, decision="over_limit", text=text)
        return await self._store.retry(platform, cause, turn=turn, message=message, say=lambda refusal: sentences.RETRY[refusal])

    async def _resume(self, platform: str, cause: Message | Command, named: str) -> Taken:
        named = named.strip().strip("`").replace("-", "").lower()
        if not named:
            return await self._go_on(platform, cause, None)
        talks = await self._store.talks(cause.place.id, most=SEARCHED)
        found = [talk for talk in talks if talk.id.hex.startswith(named)]
        if len(named) < 4 or len(found) != 1:
            return await self._store.tell(platform, cause, decision="command", text=sentences.RESUME["unknown"])
        return await self._go_on(platform, cause, found[0].id)

    async def _go_on(self, platform: str, cause: Cause, conversation: UUID | None) -> Taken:
        def say(found: Refusal | Talk) -> str:
            return answers.resumed(found, here=cause.place) if isinstance(found, Talk) else sentences.RESUME[found]

        return await self._store.resume(platform, cause, conversation=conversation, say=say)

    async def _complete(self, typing: Typing) -> Sequence[Choice]:
        match typing.command, typing.option:
            case "model", "name":
                return await self._choosing.complete(typing.text)
            case "resume", "conversation":
                sought = typing.text.strip().lower()
                talks = await self._store.talks(typing.channel.id, most=SEARCHED)
                offered = [
                    Choice(answers.short(talk), flat(f"{talk.title or '…'} ({answers.short(talk)})", 95)) for talk in talks
                ]
                return [each for each in offered if sought in each.label.lower()]
            case _:
                return []


def question(command: Command) -> Message:
    """The question that a command asks, as a message of its own."""
    return Message(
        keys=command.keys,
        id=MessageId(command.keys[0]),
        target=command.target,
        author=command.author,
        sent_at=command.sent_at,
        text=command.options.get("question", ""),
        addressed=True,
        commanded=True,
    )


def _uuid(text: str) -> UUID | None:
    try:
        return UUID(hex=text)
    except ValueError:
        return None
