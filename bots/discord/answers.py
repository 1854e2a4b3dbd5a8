"""Answers to commands and presses: they go by the token of the interaction, for as long as it is good.

Discord developer docs, Receiving and Responding: Followup Messages.
"""

import hashlib
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Collection, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Literal, TypeVar, cast, get_args

import discord

from bots.discord.calls import Caller, unanswerable
from bots.discord.components import row
from bots.discord.convert import NAME, message_id, snowflake
from bots.discord.limits import ANSWERS
from bots.discord.render import LIMIT
from shared.chat import Button, Limit, MessageId, Target
from shared.errors import Failure, Gone, Refused

T = TypeVar("T")

LIFETIME = timedelta(minutes=15)
"""How long a token is good (Discord developer docs, Receiving and Responding: Interaction Callback)."""

MARGIN = timedelta(seconds=10)
"""How much sooner a token is taken for spent: clocks differ, and a call takes its time."""

KEPT = 1000
"""Of how many interactions it is remembered what was answered."""

ORIGINAL = cast("int", "@original")
"""What stands in a path for the first answer; the library writes ids into paths as they are (webhook/async_.py)."""

Sort = Literal["command", "press", "ask"]
"""Only a command is acknowledged with a message that waits to be filled."""


@dataclass(frozen=True, slots=True)
class Handle:
    """What an answer to an interaction takes. The token is secret."""

    sort: Sort
    application: int
    token: str = field(repr=False)

    def dump(self) -> str:
        """The handle of a target."""
        return f"{self.sort}:{self.application}:{self.token}"

    @property
    def scope(self) -> str:
        """Names the interaction without telling its token."""
        return hashlib.blake2b(self.token.encode(), digest_size=8).hexdigest()


def load(text: str) -> Handle:
    """The handle in a `dump`. Raises `Refused` for anything else."""
    sort, _, rest = text.partition(":")
    application, _, token = rest.partition(":")
    found = next((each for each in get_args(Sort) if each == sort), None)
    if found is None or not application.isdigit() or not token:
        raise Refused("Discord: a handle that cannot be read")
    return Handle(found, int(application), token)


@dataclass(slots=True)
class _Given:
    """What was answered to an interaction so far. `waits`: the first message waits to be filled; None if that is not known."""

    waits: bool | None = None
    keys: dict[str, int | None] = field(default_factory=dict[str, int | None])
    """The messages by the keys of their posts; None while it is not known whether it was shown, which only the first can be."""


class Answers:
    """Shows, changes and takes away answers. Each method says whether it did: if not, the channel itself is to be used."""

    def __init__(self, call: Caller, *, clock: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        """`clock` gives the time with its zone."""
        self._call = call
        self._clock = clock
        self._given: OrderedDict[str, _Given] = OrderedDict()

    def deferred(self, handle: Handle) -> None:
        """A command was acknowledged; its first message waits to be filled."""
        self._of(handle).waits = True

    def limits(self, target: Target) -> tuple[Limit, ...] | None:
        """The scope in which answers are counted, which is theirs alone; None if the channel itself is to be used."""
        try:
            handle = self._good(target)
        except Refused:
            return ()  # no call will be made
        if handle is None:
            return None
        return (Limit(scope=f"{NAME}:answers:{handle.scope}", calls=ANSWERS[0], seconds=ANSWERS[1], windowed=True),)

    async def post(
        self,
        hook: Callable[[Handle], discord.Webhook],
        target: Target,
        text: str,
        *,
        key: str,
        buttons: Sequence[Button],
        silent: bool,
    ) -> MessageId | None:
        """Show an answer. The first one to a command fills the message that waits; a repeat of it is harmless."""
        if len(text) < LIMIT and text.startswith(">"):
            text = "\u200b" + text  # a message that begins so shows the question of an /ask, see `questions`

        async def act(handle: Handle) -> MessageId:
            given, webhook = self._of(handle), hook(handle)
            if given.waits is None:
                given.waits = handle.sort == "command" and await self._waits(webhook)
            if given.waits and not given.keys:
                given.keys[key] = None
            if key in given.keys:
                number = given.keys[key] or ORIGINAL
                shown = await self._call(lambda: webhook.edit_message(number, content=text, view=row(buttons)))
            else:
                shown = await self._more(webhook, target, content=text, view=row(buttons), silent=silent)
            given.keys[key] = shown.id
            return message_id(shown.id)

        return await self._answer(target, act)

    async def upload(
        self,
        hook: Callable[[Handle], discord.Webhook],
        target: Target,
        file: Callable[[], discord.File],
        *,
        key: str,
        silent: bool,
        timeout: float,
    ) -> MessageId | None:
        """Show a file, as `post`."""

        async def act(handle: Handle) -> MessageId:
            given, webhook = self._of(handle), hook(handle)
            if (known := given.keys.get(key)) is not None:
                return message_id(known)
            shown = await self._more(webhook, target, file=file, silent=silent, timeout=timeout)
            given.keys[key] = shown.id
            given.waits = False
            return message_id(shown.id)

        return await self._answer(target, act)

    async def edit(
        self, hook: Callable[[Handle], discord.Webhook], target: Target, message: MessageId, text: str, buttons: Sequence[Button]
    ) -> bool:
        """Change what an answer shows."""

        async def act(handle: Handle) -> bool:
            webhook = hook(handle)
            await self._call(lambda: webhook.edit_message(snowflake(message), content=text, view=row(buttons)))
            return True

        return await self._answer(target, act) or False

    async def delete(self, hook: Callable[[Handle], discord.Webhook], target: Target, message: MessageId) -> bool:
        """Take an answer away."""

        async def act(handle: Handle) -> bool:
            webhook = hook(handle)
            await self._call(lambda: webhook.delete_message(snowflake(message)))
            return True

        return await self._answer(target, act) or False

    async def find(
        self, hook: Callable[[Handle], discord.Webhook], target: Target, known: Collection[MessageId]
    ) -> MessageId | None:
        """The first message of a command, if it has been filled and is not `known`. Others cannot be found."""

        async def act(handle: Handle) -> MessageId | None:
            if handle.sort != "command":
                return None
            webhook = hook(handle)
            try:
                first = await self._call(lambda: webhook.fetch_message(ORIGINAL))
            except Gone as gone:
                if unanswerable(gone):
                    raise
                return None
            found = message_id(first.id)
            return None if first.flags.loading or found in known else found

        return await self._answer(target, act)

    async def _waits(self, webhook: discord.Webhook) -> bool:
        try:
            return (await self._call(lambda: webhook.fetch_message(ORIGINAL))).flags.loading
        except Gone as gone:
            if unanswerable(gone):
                raise
            return False  # somebody has deleted it

    async def _more(
        self,
        webhook: discord.Webhook,
        target: Target,
        *,
        content: str = discord.utils.MISSING,
        view: discord.ui.View | None = None,
        file: Callable[[], discord.File] | None = None,
        silent: bool,
        timeout: float | None = None,
    ) -> discord.WebhookMessage:
        # Nothing makes a repeat of it harmless: these messages take no nonce (Discord developer docs, Execute Webhook).
        return await self._call(
            lambda: webhook.send(
                content,
                wait=True,
                ephemeral=target.private,
                suppress_embeds=True,
                silent=silent,
                view=view or discord.utils.MISSING,
                file=file() if file is not None else discord.utils.MISSING,
            ),
            repeats=0,
            timeout=timeout,
        )

    async def _answer(self, target: Target, act: Callable[[Handle], Awaitable[T]]) -> T | None:
        """Do it with the token. None where there is none any more, and all may see the answer."""
        handle = self._good(target)
        if handle is None:
            return None
        try:
            return await act(handle)
        except Failure as failure:
            if not unanswerable(failure):
                raise
            if target.private:
                raise Refused("Discord: the token of the interaction is no longer good") from failure
            return None

    def _good(self, target: Target) -> Handle | None:
        """The handle to use, or None for the channel. Raises `Refused` where the one is spent and the other not private."""
        if target.handle is None:
            return None
        handle = load(target.handle)
        if target.expires is None or self._clock() < target.expires - MARGIN:
            return handle
        if target.private:
            raise Refused("Discord: the time to answer the interaction is over")
        return None

    def _of(self, handle: Handle) -> _Given:
        given = self._given.setdefault(handle.scope, _Given())
        self._given.move_to_end(handle.scope)
        if len(self._given) > KEPT:
            self._given.popitem(last=False)
        return given
