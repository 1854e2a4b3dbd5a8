"""Showing things in chats."""

import logging
from collections.abc import Sequence

from telegram import (
    Bot,
    InlineKeyboardButton,
    InlineKeyboardMarkup,
    LinkPreviewOptions,
    Message,
    MessageEntity,
    ReactionTypeEmoji,
    ReplyParameters,
)

from bots.telegram.calls import Calls
from bots.telegram.failures import SAME, TOO_LATE, said
from bots.telegram.names import message_id, message_of, place_of
from bots.telegram.render import NOTHING, Rendered, rendered
from shared.chat import Button, MessageId, Target
from shared.errors import Forbidden, Gone, Refused

log = logging.getLogger(__name__)

SEEN = "\N{EYES}"
"""The sign that a message was seen; one of those that bots may use (core.telegram.org/bots/api, ReactionTypeEmoji)."""

BUSY_SECONDS = 5.0
"""How long a chat action shows (core.telegram.org/bots/api, sendChatAction: 5 seconds or less)."""

ROW = 3
"""Buttons side by side: with more, a phone cuts their labels."""

PREVIEWS_OFF = LinkPreviewOptions(is_disabled=True)
"""Given with every text: it counts for one call only."""


class Showing:
    """What can be done in chats."""

    def __init__(self, calls: Calls) -> None:
        self._calls = calls

    async def post(self, target: Target, markdown: str, *, buttons: Sequence[Button], silent: bool) -> MessageId:
        """Show a new message."""
        place, shown = place_of(target.channel.id), rendered(markdown)

        async def send(bot: Bot, chat: int) -> Message:
            return await bot.send_message(
                chat,
                shown.text,
                entities=entities(shown),
                message_thread_id=place.topic,
                reply_parameters=reply(target, chat),
                link_preview_options=PREVIEWS_OFF,
                reply_markup=keyboard(buttons),
                disable_notification=silent,
            )

        sent = await self._calls.write("sendMessage", place.chat, send)
        return message_id(sent.chat_id, sent.message_id)

    async def edit(self, target: Target, message: MessageId, markdown: str, *, buttons: Sequence[Button]) -> None:
        """Change what a message of ours shows, its buttons included: those that are not given again go."""
        (chat, number), shown = message_of(message), rendered(markdown)

        async def change(bot: Bot, chat: int) -> object:
            return await bot.edit_message_text(
                shown.text,
                chat_id=chat,
                message_id=number,
                entities=entities(shown),
                link_preview_options=PREVIEWS_OFF,
                reply_markup=keyboard(buttons),
            )

        try:
            await self._calls.change("editMessageText", chat, change)
        except Refused as refused:
            if SAME not in said(refused):
                raise

    async def delete(self, target: Target, message: MessageId) -> None:
        """Take a message of ours away; one that is not there any more is no failure.

        One that Telegram no longer lets us delete shows nothing from then on, where it is a text
        (core.telegram.org/bots/api, deleteMessage: sent less than 48 hours ago).
        """
        chat, number = message_of(message)
        try:
            await self._calls.change("deleteMessage", chat, lambda bot, chat: bot.delete_message(chat, number))
        except Gone:
            return
        except Forbidden as forbidden:
            if TOO_LATE not in said(forbidden):
                raise
            await self._blank(target, message)

    async def _blank(self, target: Target, message: MessageId) -> None:
        try:
            await self.edit(target, message, NOTHING, buttons=())
        except (Gone, Refused) as failure:
            log.info("a message stays that cannot be deleted", extra={"message_id": message, "detail": failure.detail})

    async def busy(self, target: Target, label: str | None) -> None:
        """Show that we are typing. Nothing ends it but time and the next message."""
        if label is None:
            return
        place = place_of(target.channel.id)
        await self._calls.write(
            "sendChatAction",
            place.chat,
            lambda bot, chat: bot.send_chat_action(chat, "typing", message_thread_id=place.topic),
        )

    async def react(self, target: Target, message: MessageId, *, seen: bool) -> None:
        """Leave our sign on a message, or take it away; then one that is not there is no failure."""
        chat, number = message_of(message)
        signs = [ReactionTypeEmoji(SEEN)] if seen else []
        try:
            await self._calls.change(
                "setMessageReaction", chat, lambda bot, chat: bot.set_message_reaction(chat, number, reaction=signs)
            )
        except Refused as refused:
            if SAME not in said(refused):
                raise
        except Gone:
            if seen:
                raise


def entities(shown: Rendered) -> list[MessageEntity]:
    """The entities of a text as the library takes them."""
    return [MessageEntity(each.type, each.offset, each.length, url=each.url, language=each.language) for each in shown.entities]


def keyboard(buttons: Sequence[Button]) -> InlineKeyboardMarkup | None:
    """The buttons below a message; None where there are none, which takes away those that there were."""
    if not buttons:
        return None
    made = [InlineKeyboardButton(each.label or "…", callback_data=each.id) for each in buttons]
    return InlineKeyboardMarkup([made[start : start + ROW] for start in range(0, len(made), ROW)])


def reply(target: Target, chat: int) -> ReplyParameters | None:
    """In a chat that others talk in too, what is answered to; it may be gone."""
    if target.reply_to is None or chat > 0:
        return None
    where, number = message_of(target.reply_to)
    # What was said before the group became a supergroup has another number there.
    return ReplyParameters(number, allow_sending_without_reply=True) if where == chat else None
