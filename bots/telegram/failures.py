"""What Telegram's errors mean (core.telegram.org/bots/api, Making requests; the texts: tdlib/telegram-bot-api, Client.cpp)."""

import re
from datetime import timedelta

from telegram.error import BadRequest, ChatMigrated, Conflict, EndPointNotFound, InvalidToken, RetryAfter, TelegramError
from telegram.error import Forbidden as NotAllowed

from shared.errors import Failure, Forbidden, Gone, Misconfigured, RateLimited, Refused, TooLarge, Unavailable

TOKEN = (
    "Telegram does not accept the bot's token: set TELEGRAM_TOKEN to the one that @BotFather gives (/mybots, the bot, "  # noqa: S105
    "API Token), and look at TELEGRAM_API_URL if that is set."
)

WAIT_SECONDS = 10.0
"""How long to wait after a 429 that names no time."""

LONGEST = 300
"""Characters of a detail."""

_SECRET = re.compile(r"\d{3,}:[A-Za-z0-9_-]{20,}")
"""A token as it stands in addresses (core.telegram.org/bots/api, Authorizing your bot)."""

HIDDEN = "(hidden)"

SAME = "message is not modified"
TOO_OLD = "query is too old"
TOO_LATE = "can't be deleted"
HOOKED = "webhook is active"

_AWAY = (
    "blocked by the user",
    "user is deactivated",
    "bot was kicked",
    "is not a member",
    "chat was deleted",
    "can't initiate conversation",
    "user_is_blocked",
    "user_is_deactivated",
    "input_user_deactivated",
)
"""Of a 403 or 400: we are not where the message should go."""

_GONE = (
    "chat not found",
    "user not found",
    "message thread not found",
    "topic_deleted",
    "topic_id_invalid",
    "message to edit not found",
    "message to delete not found",
    "message to react not found",
    "message not found",
    "message_id_invalid",
    "group chat was deactivated",
    "peer_id_invalid",
    "channel_private",
    "wrong file_id",
    "file is temporarily unavailable",
)
_FORBIDDEN = (
    "not enough rights",
    "have no rights",
    "need administrator rights",
    "administrator rights",
    "chat_write_forbidden",
    "chat_restricted",
    "topic_closed",
    "can't be edited",
    TOO_LATE,
    "message can't be",
    "chat_send_",
    "user_banned_in_channel",
    "reaction_invalid",
    "reactions are not available",
)
_TOO_LARGE = ("too long", "too_long", "too big", "too large", "caption_too_long")
_PASSES = ("internal", "timeout", "temporarily", "failed to resolve host")

_UNREAD = "parsing the server response"


class Moved(Exception):
    """The group has become the supergroup `new`; nothing was done."""

    def __init__(self, new: int) -> None:
        super().__init__(new)
        self.new = new


class Said(Exception):
    """What Telegram said, in small letters, as the cause of a failure."""

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self.text = text


def hide(text: str) -> str:
    """A text without tokens."""
    return _SECRET.sub(HIDDEN, text)


def said(failed: BaseException) -> str:
    """Telegram's words behind a failure, in small letters; empty where there are none."""
    cause = failed.__cause__
    return cause.text if isinstance(cause, Said) else ""


def failure(method: str, error: Exception) -> Failure | Moved:
    """The failure that an exception of the library's means. Its text holds no token."""
    if isinstance(error, ChatMigrated):
        return Moved(error.new_chat_id)
    text = hide(str(error))
    failed = _kind(error, text.lower(), f"Telegram: {method}: {text}"[:LONGEST])
    failed.__cause__ = Said(text.lower())
    return failed


def _kind(error: Exception, text: str, detail: str) -> Failure:
    if isinstance(error, RetryAfter):
        return RateLimited(detail, seconds(error))
    if isinstance(error, EndPointNotFound):
        return Refused(detail)
    if isinstance(error, InvalidToken):
        # A page of a proxy's with 401 or 404 says nothing of the token.
        page = any(_UNREAD in str(each).lower() for each in (error, error.__cause__))
        return Unavailable(detail) if page else Misconfigured(TOKEN)
    if isinstance(error, NotAllowed):
        return Gone(detail) if _has(text, _AWAY) else Forbidden(detail)
    if isinstance(error, BadRequest):
        return _bad(text, detail)
    if isinstance(error, Conflict):
        return Unavailable(detail)
    if "request entity too large" in text or "(413)" in text:
        return TooLarge(detail)
    if "too many requests" in text:
        return RateLimited(detail, WAIT_SECONDS)
    if isinstance(error, (TelegramError, OSError)):
        return Unavailable(detail)
    return Unavailable(f"{detail} ({type(error).__name__}, an answer that cannot be read)"[:LONGEST])


def _bad(text: str, detail: str) -> Failure:
    if _has(text, _AWAY) or _has(text, _GONE):
        return Gone(detail)
    if _has(text, _FORBIDDEN):
        return Forbidden(detail)
    if _has(text, _TOO_LARGE):
        return TooLarge(detail)
    return Unavailable(detail) if _has(text, _PASSES) else Refused(detail)


def _has(text: str, parts: tuple[str, ...]) -> bool:
    return any(part in text for part in parts)


def seconds(error: RetryAfter) -> float:
    """How long a 429 asks to wait, above 0."""
    asked = error.retry_after
    return max(0.1, asked.total_seconds() if isinstance(asked, timedelta) else float(asked))
