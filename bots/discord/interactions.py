"""Commands and presses as they come in: acknowledged at once, then read as events of the seam.

Discord waits 3 seconds for the first answer (Discord developer docs, Receiving and Responding: Interaction Callback).
"""

import asyncio
import logging
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any, cast

import discord
from discord import app_commands

from bots.discord import questions
from bots.discord.answers import KEPT, LIFETIME, ORIGINAL, Answers, Handle, Sort
from bots.discord.calls import ANSWERED, Caller, code_of
from bots.discord.convert import Asked, Converter, author, interaction_key, media_type, message_id, place
from shared.chat import Attachment, Channel, Command, Message, Pressed, Target
from shared.commands import BY_NAME, Complete, Spec, Typing
from shared.errors import Failure

log = logging.getLogger(__name__)

Interaction = discord.Interaction[Any]

Reading = Callable[[], Message | Command | Pressed | None]
"""Makes the event of an interaction. Who may do what is known for sure only once the servers are."""

ACK_SECONDS = 3.0
"""How long acknowledging is tried."""

CHOICE_SECONDS = 2.5
"""How long values are waited for while a person types; half a second is left for the way."""

CHOICES, CHOICE = 25, 100
"""How many values can be offered, and their characters (Application Command Option Choice Structure)."""


class Interactions:
    """Takes interactions. One for the adapter: it remembers what was asked over sessions."""

    def __init__(self, call: Caller, answers: Answers) -> None:
        self._call = call
        self._answers = answers
        self._specs: Mapping[str, Spec] = BY_NAME
        self._complete: Complete | None = None
        self._asked: OrderedDict[str, Callable[[], Asked] | None] = OrderedDict()
        """The questions by their interaction, None once they have been delivered."""

    def offer(self, specs: Sequence[Spec], complete: Complete) -> None:
        """These are the commands, and this is asked for values."""
        self._specs = {spec.name: spec for spec in specs}
        self._complete = complete

    async def take(self, interaction: Interaction, converter: Converter) -> Reading | None:
        """Acknowledge an interaction and say how to read it; None if there is nothing to deliver."""
        where = place(interaction.channel, interaction.guild)
        if where is None:
            log.warning("an interaction in an unknown place", extra={"interaction_id": interaction.id})
            return None
        data = cast("Mapping[str, Any]", interaction.data or {})
        if interaction.type is discord.InteractionType.application_command:
            if data["name"] == "ask":
                return await self._ask(interaction, data, where, converter)
            return await self._command(interaction, data, where)
        if interaction.type is discord.InteractionType.component:
            return await self._press(interaction, data, where)
        if interaction.type is discord.InteractionType.autocomplete:
            await self._suggest(interaction, data, where)
        return None

    def heard(self, message: Message) -> Message | None:
        """A question that came back from the channel, as it was asked; None if it has been delivered."""
        key = message.keys[-1]
        if key not in self._asked:
            return message
        ask, self._asked[key] = self._asked[key], None
        if ask is None:
            return None
        asked = ask()
        return replace(message, author=asked.author, text=asked.text, attachments=asked.attachments)

    # commands and presses

    async def _command(self, interaction: Interaction, data: Mapping[str, Any], where: Channel) -> Reading:
        spec = self._specs.get(data["name"])
        private = spec is None or spec.private
        if await self._acknowledge(interaction, lambda: interaction.response.defer(ephemeral=private, thinking=True)):
            self._answers.deferred(_handle(interaction, "command"))
        return lambda: Command(
            keys=(interaction_key(interaction.id),),
            target=_target(interaction, where, "command", private=private),
            author=author(interaction.user, is_bot=False),
            sent_at=interaction.created_at,
            name=data["name"],
            options={each["name"]: str(each["value"]) for each in _options(data) if "value" in each},
        )

    async def _press(self, interaction: Interaction, data: Mapping[str, Any], where: Channel) -> Reading | None:
        await self._acknowledge(interaction, interaction.response.defer)
        if (message := interaction.message) is None:
            return None
        return lambda: Pressed(
            keys=(interaction_key(interaction.id),),
            target=_target(interaction, where, "press", private=True),
            author=author(interaction.user, is_bot=False),
            sent_at=interaction.created_at,
            button=str(data["custom_id"]),
            message=message_id(message.id),
        )

    async def _acknowledge(self, interaction: Interaction, act: Callable[[], Awaitable[object]]) -> bool:
        try:
            async with asyncio.timeout(ACK_SECONDS):
                await self._call(act)
        except (Failure, TimeoutError) as failed:
            if isinstance(failed, Failure) and code_of(failed) == ANSWERED:
                return True  # an earlier try came through, though its answer did not
            # It is taken all the same: what was asked for can be done, though the person may not read of it.
            log.warning("not acknowledged", extra={"interaction_id": interaction.id, "detail": str(failed)})
            return False
        return True

    # questions

    async def _ask(self, interaction: Interaction, data: Mapping[str, Any], where: Channel, converter: Converter) -> Reading:
        files = _attachments(data)
        given = next((str(each["value"]) for each in _options(data) if each["name"] == "question"), "")
        key = interaction_key(interaction.id)

        def ask() -> Asked:
            text = converter.readable(given, interaction.guild)
            return Asked(interaction.id, author(interaction.user, is_bot=False), text, files)

        self._asked[key] = ask
        if len(self._asked) > KEPT:
            self._asked.popitem(last=False)
        shown = questions.shown(given, files)
        number = await self._answered(interaction, shown) or await self._plainly(interaction, shown)

        def read() -> Message | None:
            if self._asked.get(key) is None:
                return None  # the gateway was faster
            self._asked[key] = None
            return _question(interaction, ask(), number, where, converter)

        return read

    async def _answered(self, interaction: Interaction, shown: str) -> int | None:
        """Acknowledge with the question itself, and give its message; None if it is too late for that."""

        async def act() -> int | None:
            return (await interaction.response.send_message(shown, suppress_embeds=True)).message_id

        try:
            async with asyncio.timeout(ACK_SECONDS):
                if (number := await self._call(act)) is not None:
                    return number
        except (Failure, TimeoutError) as failed:
            log.warning("not acknowledged", extra={"interaction_id": interaction.id, "detail": str(failed)})
        try:
            # The acknowledgement may have come through, though its answer has not.
            async with asyncio.timeout(ACK_SECONDS):
                return (await self._call(lambda: interaction.followup.fetch_message(ORIGINAL))).id
        except (Failure, TimeoutError):
            return None

    async def _plainly(self, interaction: Interaction, shown: str) -> int | None:
        """Show the question as a message like any other; None if that cannot be done either."""
        if interaction.channel is None:
            return None
        channel = interaction.client.get_partial_messageable(interaction.channel.id, guild_id=interaction.guild_id)
        try:
            sent = await self._call(lambda: channel.send(shown, nonce=f"ask-{interaction.id}"[:25], suppress_embeds=True))
        except Failure as failure:
            log.warning("a question cannot be shown", extra={"interaction_id": interaction.id, "detail": failure.detail})
            return None
        return sent.id

    # values while a person types

    async def _suggest(self, interaction: Interaction, data: Mapping[str, Any], where: Channel) -> None:
        option = next((each for each in _options(data) if each.get("focused")), None)
        made: list[app_commands.Choice[str]] = []
        if option is not None and self._complete is not None:
            user = author(interaction.user, is_bot=False)
            typing = Typing(data["name"], option["name"], str(option.get("value", "")), where, user)
            try:
                async with asyncio.timeout(CHOICE_SECONDS):
                    found = await self._complete(typing)
            except TimeoutError:
                found = ()
            fitting = [each for each in found if 1 <= len(each.value) <= CHOICE]
            made = [app_commands.Choice(name=(each.label or each.value)[:CHOICE], value=each.value) for each in fitting]
        try:
            await self._call(lambda: interaction.response.autocomplete(made[:CHOICES]))
        except Failure as failure:
            log.debug("no values offered", extra={"detail": failure.detail})


def _options(data: Mapping[str, Any]) -> Sequence[Mapping[str, Any]]:
    return data.get("options") or ()


def _attachments(data: Mapping[str, Any]) -> tuple[Attachment, ...]:
    """The files among the options. They are in no message, so their address is all there is to fetch them by."""
    resolved = data.get("resolved") or cast("Mapping[str, Any]", {})
    files = cast("Mapping[str, Mapping[str, Any]]", resolved.get("attachments") or {})
    return tuple(
        Attachment(ref=each["url"], name=each["filename"], media_type=media_type(each.get("content_type")), size=each["size"])
        for each in files.values()
    )


def _question(interaction: Interaction, asked: Asked, number: int | None, where: Channel, converter: Converter) -> Message:
    """The question that stands in the message `number`, or nowhere."""
    allowed = interaction.app_permissions
    question = converter.question(number or interaction.id, asked, interaction.channel, where, allowed)
    if number is None:
        return replace(question, target=Target(channel=where, user=asked.author.id), thread=None)
    if _reachable(where, allowed, question):
        return question
    # Where we may not write there are the fifteen minutes that the command gives us.
    return replace(question, target=_target(interaction, where, "ask", private=False), thread=None)


def _handle(interaction: Interaction, sort: Sort) -> Handle:
    return Handle(sort, interaction.application_id, interaction.token)


def _target(interaction: Interaction, where: Channel, sort: Sort, *, private: bool) -> Target:
    return Target(
        channel=where,
        user=author(interaction.user, is_bot=False).id,
        private=private,
        handle=_handle(interaction, sort).dump(),
        expires=interaction.created_at + LIFETIME,
    )


def _reachable(where: Channel, allowed: discord.Permissions, question: Message) -> bool:
    """Whether the answer can be written where it would be by our own right."""
    if where.kind == "direct" or question.thread is not None:
        return where.kind == "direct" or allowed.view_channel
    return allowed.view_channel and (allowed.send_messages_in_threads if where.kind == "thread" else allowed.send_messages)
