"""Every sentence that people read from us, in one place.

A sentence says what happened and what one can do. It never carries an internal name, an address or an error's own text.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Literal

from shared import errors

_COMMAND = re.compile("\x02([a-z]+)( there)?\x03")


def command(name: str, *, there: bool = False) -> str:
    """A command in a text of ours: how people give it differs from place to place, and `spelt` writes that in its stead.

    `there`: it is to be given in another conversation. Control characters mark it; `shared.harmless` takes those out of all that
    others wrote.
    """
    return f"\x02{name}{' there' if there else ''}\x03"


def spelt(text: str, spell: Callable[[str, bool], str]) -> str:
    """The text with every command in it as `spell` writes it, which is given its name, and whether it is for elsewhere."""
    return _COMMAND.sub(lambda found: spell(found[1], bool(found[2])), text)


STOPPED = "Stopped."
NOTHING_TO_STOP = (
    f"There is nothing to stop here. Write {command('stop', there=True)} in the conversation whose answer should end."
)
NEW = "This conversation is closed. Your next message starts a new one."
NEW_NOTHING = "No conversation is open here. Ask me something to start one."
EMPTY = "You mentioned me without a question. Write it after the mention."
UNREADABLE = "I can only read messages here that mention me. Mention me to go on."
NOT_ALLOWED = "I may not answer you here. Ask the person who runs this bot to let you in."
NOT_STORED = "I could not note down your message, so I cannot answer it yet. The person who runs this bot has been told."
CRASHED = "I broke off twice while answering this, so I have given it up. Ask again if you still need the answer."
NO_ANSWER = "The model gave no text. Ask again, perhaps in other words."
CUT = "The answer reached its length limit. Write “continue” for the rest."
CONTEXT_FULL = f"This conversation has become too long for the model. Write {command('new')} to start a fresh one."
PAUSED = "The model paused here. Write “continue” to let it go on."
REFUSED = f"The model declined to answer this. Ask differently, or write {command('new')} to start afresh."
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
        case errors.Blocked(retry_after=seconds):
            return (
                f"Claude's website turns this server away for now. Ask again in {span(seconds)}; the person who runs this bot "
                "has been told."
            )
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
            return (
                f"That is more than the model takes at once. Shorten your message, or write {command('new')} to start a fresh "
                "conversation."
            )
        case errors.Invalid():
            return f"Claude did not accept this request. Write {command('new')} to start a fresh conversation, then ask again."
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


# -- Answers ---------------------------------------------------------------------------------------------------------------

SUMMED_UP = "This conversation has become long; I have summed up its older part to make room."
LEFT_OUT = "This conversation has become long; I no longer go by its oldest part."

_READABLE = "I take pictures, PDFs and text"

_UNREAD: Mapping[str, str] = {
    "type": _READABLE,
    "audio": f"I cannot listen to sound. {_READABLE}",
    "video": f"I cannot watch videos. {_READABLE}",
    "empty": "it is empty",
    "broken": "it is damaged",
    "encrypted": "it is protected by a password. Take the password off",
    "pixels": "it has too many pixels. Make it smaller",
    "pages": "it has too many pages. Send the ones that matter",
    "size": "it is too large. Send a smaller one",
    "together": "the files are too large together. Send fewer at once",
    "count": "there are too many at once. Send the rest in another message",
    "gone": "it is not there any more. Send it again",
    "forbidden": "I may not fetch it. Send it as a file of its own",
    "unreachable": "it could not be fetched just now. Try again in a moment",
}


def unread(name: str, problem: str) -> str:
    """A file that a person sent is left out; `name` is harmless. "size" may be followed by the bytes that it may have."""
    reason, _, most = problem.partition(" ")
    why = f"I can fetch no more than {size(int(most))} here. Send a smaller one" if most else _UNREAD.get(reason, _READABLE)
    return f"I could not read “{name}”: {why}."


def size(most: int) -> str:
    """A number of bytes in the units that programs show for files, and never more than it is: "20 MB" is 20 * 1024 * 1024."""
    for unit, whole in (("MB", 1 << 20), ("KB", 1 << 10)):
        if most >= whole:
            return f"{10 * most // whole / 10:g} {unit}"
    return f"{most} bytes"


def not_shown(name: str) -> str:
    """A file that the model made is left out; `name` is harmless."""
    return f"I made the file “{name}”, but it cannot be shown here."


def in_file(name: str) -> str:
    """Below the beginning of a long code block."""
    return f"The whole code is in “{name}” below."


def searching(about: str) -> str:
    """The model searches the web."""
    return f"Searching the web: “{about}”" if about else "Searching the web…"


def reading(about: str) -> str:
    """The model reads a page."""
    return f"Reading {about}" if about else "Reading a page…"


RUNNING = "Running code…"


def using(about: str) -> str:
    """The model uses a tool of this name."""
    return f"Using {about}…" if about else "Using a tool…"


def thinking(about: str) -> str:
    """The model thinks."""
    return f"Thinking: {about}"


# -- Commands, buttons and limits ------------------------------------------------------------------------------------------

STOPPING = "I am stopping the answer that is being written here."
STOP_OVER = "This answer is not being written any more."
RETRYING = "I am answering the last question again."
CONTINUE = "Continue."
UNDONE = "I have forgotten the last question and its answer. They can still be read here, but I do not know them any more."
NO_COMMAND = f"I do not know this command. Write {command('help')} to see those that there are."
NO_QUESTION = f"There is no question. Write it after {command('ask')}."
NO_BUTTON = f"I do not know this button any more. Write {command('help')} to see what I can do."
ADMINS_ONLY = "Only this bot's admins may choose that for more than one conversation. Choose it for this conversation instead."
NO_CONVERSATION = "No conversation is open here that this could hold for. Ask something first, then write this where I answer."
NO_MODELS = "The model of this bot cannot be chosen."
EFFORT_NEAREST = "The model here does not know this level; the nearest that it has is used."
SYSTEM_TOO_LONG = "These instructions are too long. Shorten them to 1,500 characters."
TOO_FAST = "You write faster than I may answer. Wait a minute, then go on."
QUEUE_FULL = (
    f"Too many questions wait here for their answers. Ask again when some are answered, or write {command('stop')} to clear them."
)

RETRY: Mapping[str, str] = {
    "nothing": "There is nothing here to answer again. Write your question.",
    "busy": f"The last question is being answered just now. Wait for it, or write {command('stop')} first.",
    "old": "Something else was asked after this. Write the question again to have it answered anew.",
    "unknown": "I do not know this answer any more. Write the question again.",
    "elsewhere": f"This answer belongs to another conversation. Write {command('retry', there=True)} there.",
}
UNDO: Mapping[str, str] = {
    "nothing": "There is nothing here to forget.",
    "busy": f"The last question is being answered just now. Wait for it, or write {command('stop')} first.",
}
MORE: Mapping[str, str] = {
    "nothing": "There is nothing here to go on with. Write your question.",
    "busy": "The last question is being answered just now. Wait for it.",
    "old": "Something else was asked after this. Write what I should go on with.",
    "unknown": "I do not know this answer any more. Write what I should go on with.",
    "elsewhere": "This answer belongs to another conversation. Write there what I should go on with.",
}
RESUME: Mapping[str, str] = {
    "nothing": "There is no closed conversation here to go on with. Your next message to me starts a new one.",
    "busy": "The last question is being answered just now. Wait for it.",
    "unknown": f"I know no such conversation here. Write {command('list')} to see those that there are.",
    "elsewhere": f"That conversation belongs to another place. Write {command('resume', there=True)} there.",
}

SCOPE: Mapping[str, str] = {
    "conversation": "this conversation",
    "channel": "this channel",
    "platform": "this platform",
    "global": "all places",
}
"""How a scope is called."""

Who = Literal["user", "channel", "all"]
Unit = Literal["tokens", "money"]

_MONTHS = (
    "January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November", "December",
)  # fmt: skip


def over_limit(who: Who, unit: Unit, most: int, resets: datetime) -> str:
    """A budget is used up. `most` is in tokens, or in millionths of a US dollar."""
    much, when = amount(unit, most), day(resets)
    match who:
        case "user":
            return f"You have used up the {much} that one person may use in a month. I answer you again from {when} on."
        case "channel":
            return f"The {much} that may be used in this channel in a month are used up. I answer here again from {when} on."
        case "all":
            return f"The {much} that may be used by all together in a month are used up. I answer again from {when} on."


def nearly(who: Who, unit: Unit, most: int, used: int, resets: datetime) -> str:
    """A budget will soon be used up."""
    share, much, when = f"{100 * used // most} %", amount(unit, most), day(resets)
    match who:
        case "user":
            return f"You have used {share} of the {much} that one person may use in a month. A new month begins on {when}."
        case "channel":
            return f"{share} of the {much} that may be used in this channel in a month are used. A new month begins on {when}."
        case "all":
            return f"{share} of the {much} that may be used by all together in a month are used. A new month begins on {when}."


def idle(quiet: timedelta) -> str:
    """A conversation was closed because nobody wrote."""
    return (
        f"Nobody wrote here for {length(quiet)}, so I have closed this conversation. "
        f"The next message starts a new one; {command('resume')} goes on with this one."
    )


def length(time: timedelta) -> str:
    """A length of time in words, as exactly as it was set: "24 hours", "90 minutes", "45 seconds"."""
    seconds = round(time.total_seconds())
    for unit, size in (("hour", 3_600), ("minute", 60), ("second", 1)):
        if seconds % size == 0:
            return f"{seconds // size} {unit}{'' if seconds == size else 's'}"
    raise AssertionError("every length is one of seconds")


def amount(unit: Unit, much: int) -> str:
    """Tokens, or money given in millionths of a US dollar: "12,000 tokens", "$1.50"."""
    return tokens(much) if unit == "tokens" else dollars(much)


def tokens(count: int) -> str:
    """A number of tokens in words."""
    return "1 token" if count == 1 else f"{count:,} tokens"


def dollars(millionths: int) -> str:
    """An amount of money; cents are rounded, and what is less than one is said to be so."""
    return "less than $0.01" if 0 < millionths < 10_000 else f"${millionths / 1_000_000:,.2f}"


def day(at: datetime) -> str:
    """A day: "1 December (UTC)"."""
    return f"{at.day} {_MONTHS[at.month - 1]} (UTC)"


def month(at: datetime) -> str:
    """A month: "November 2026"."""
    return f"{_MONTHS[at.month - 1]} {at.year}"


def ago(seconds: float) -> str:
    """How long ago something was: "just now", "5 minutes ago", "3 days ago"."""
    for unit, size in (("day", 86_400), ("hour", 3_600), ("minute", 60)):
        if seconds >= size:
            count = int(seconds // size)
            return f"{count} {unit}{'' if count == 1 else 's'} ago"
    return "just now"
