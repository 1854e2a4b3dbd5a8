"""From lines of the transcript to the words of one message. Pure.

claude.ai takes one question at a time and lets nobody write an answer into a conversation. What it does not know of the history
goes as a record, before the question or, if it is long, as a text attachment. Every line of what was said is indented in it, so
that nobody can write a line that looks like another's.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from shared.backends import Said
from shared.claude_web import TextAttachment

LONG = 8_000
"""Characters of a record from which on it is attached."""

FILE = "conversation.txt"
NOTHING = "(This message has no text.)"

_FORM = "The words at the margin say who spoke, and what was said is indented below them; “you” is you."
BEFORE = f"[What was said here before, from the record. {_FORM}]"
ATTACHED = f"[What was said here before is in the attached file {FILE}. {_FORM}]"
AFTER = "[The record ends here. What follows is new: answer it.]"

WHO = {"user": "person:", "assistant": "you:"}
INDENT = "    "

# JSON text cannot hold half of a pair, and databases refuse a NUL.
_UNFIT = re.compile("[\x00\ud800-\udfff]")


@dataclass(frozen=True, slots=True)
class Words:
    """A message: its text, and the record of what was before if that goes beside it."""

    text: str
    attachments: Sequence[TextAttachment] = field(default_factory=tuple[TextAttachment, ...])


def words(rest: Sequence[Said], ask: Sequence[Said], notes: Sequence[str] = ()) -> Words:
    """Put a question into words after the lines of history that claude.ai does not know. `notes` are about its files."""
    if all(said.role == "user" for said in rest):
        # Questions that were never answered: together with the new one they are one burst.
        return Words(_joined([*(said.text for said in rest), *notes, *(said.text for said in ask)]) or NOTHING)
    text = _joined([*notes, *(said.text for said in ask)]) or NOTHING
    record = "\n\n".join(_entry(said) for said in rest if said.text.strip())
    if not record:
        return Words(text)
    if len(record) > LONG:
        return Words(f"{ATTACHED}\n\n{text}", (TextAttachment(FILE, record),))
    return Words(f"{BEFORE}\n\n{record}\n\n{AFTER}\n\n{text}")


def fit(text: str) -> str:
    """The text without what no request can hold."""
    return _UNFIT.sub("\ufffd", text)


def _joined(texts: Sequence[str]) -> str:
    return "\n\n".join(fit(text) for text in texts if text.strip())


def _entry(said: Said) -> str:
    lines = fit(said.text).strip("\r\n").splitlines()
    return "\n".join([WHO[said.role], *(f"{INDENT}{line}" if line.strip() else "" for line in lines)])
