"""Every sentence that people read from us, in one place.

A sentence says what happened and what one can do. It never carries an internal name, an address or an error's own text.
"""

from collections.abc import Sequence
from datetime import timedelta

from shared import errors

STOPPED = "Stopped."
NOTHING_TO_STOP = "There is nothing to stop here. Write /stop in the conversation whose answer should end."
NEW = "This conversation is closed. Your next message starts a new one."
NEW_NOTHING = "No conversation is open here. Mention me with a question to start one."
EMPTY = "You mentioned me without a question. Write it after the mention."
NO_TEXT = "I can only read text for now, so I cannot make anything of this file. Write your question as text."
UNREADABLE = "I can only read messages here that mention me. Mention me to go on."
NOT_ALLOWED = "I may not answer you here. Ask the person who runs this bot to let you in."
NOT_STORED = "I could not note down your message, so I cannot answer it yet. The person who runs this bot has been told."
CRASHED = "I broke off twice while answering this, so I have given it up. Ask again if you still need the answer."
NO_ANSWER = "The model gave no text. Ask again, perhaps in other words."
CUT = "The answer reached its length limit. Write “continue” for the rest."
CONTEXT_FULL = "This conversation has become too long for the model. Write /new to start a fresh one."
PAUSED = "The model paused here. Write “continue” to let it go on."
REFUSED = "The model declined to answer this. Ask differently, or write /new to start afresh."
FAULT = "Something went wrong on my side, and I have given this up. Ask again; the person who runs this bot has been told."
NOT_SHOWN = "I have an answer, but this place did not take it. Ask again, or tell the person who runs this bot."

_AGAIN = "Ask again in a moment."
_KEPT = "The answer above is incomplete."


def failed(failure: errors.Failure, *, kept: bool) -> str:
    """What went wrong with an answer and what one can do; `kept` says that a part of the answer stands above."""
    sentence = _failed(failure)
    return f"{_KEPT} {sentence}" if kept else sentence


def _failed(failure: errors.Failure) -> str:
    match failure:
        case errors.RateLimited(retry_after=seconds):
            return f"Claude takes no more requests from us for now. Ask again in {span(seconds)}."
        case errors.Overloaded():
            return f"Claude is overloaded. {_AGAIN}"
        case errors.BrokenOff():
            return f"The connection to Claude broke off. {_AGAIN}"
        case errors.Silent():
            return f"Claude stopped sending. {_AGAIN}"
        case errors.TookTooLong():
            return "The answer took longer than is allowed here. Ask for something shorter."
        case errors.Unavailable():
            return f"Claude cannot be reached. {_AGAIN}"
        case errors.BadKey():
            return "Claude does not accept this bot's key. The person who runs this bot has to renew it."
        case errors.OutOfQuota():
            return "This bot's budget with Claude is used up. The person who runs this bot has to raise it."
        case errors.UnknownModel():
            return "The model that this bot is set to is not available. The person who runs this bot has to choose another."
        case errors.TooLarge():
            return "That is more than the model takes at once. Shorten your message, or write /new to start a fresh conversation."
        case errors.Invalid():
            return "Claude did not accept this request. Write /new to start a fresh conversation, then ask again."
        case _:
            return f"Something went wrong while asking Claude. {_AGAIN}"


def too_old(links: Sequence[str], count: int, age: timedelta) -> str:
    """The one line about messages that were written while we were away and are too old to answer now."""
    what = "a message" if count == 1 else f"{count} messages"
    more = "" if count <= len(links) else " and more"
    where = f": {', '.join(links)}{more}" if links else ""
    return f"While I was away I missed {what} older than {span(age.total_seconds())}{where}. Ask again if it still matters."


def span(seconds: float) -> str:
    """A length of time in words, rounded up: "20 seconds", "3 minutes", "2 hours"."""
    for unit, size in (("hour", 3600), ("minute", 60)):
        if seconds >= size * 1.5:
            return f"{-(-int(seconds) // size)} {unit}s"
    whole = max(1, int(seconds + 0.999))
    return "1 second" if whole == 1 else f"{whole} seconds"
