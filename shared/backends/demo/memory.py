"""What the stand-in finds in the conversation so far."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from shared.backends import Prompt, Said

_SPEAKER = re.compile(r"^([^\s:][^\n:]{0,79}): ")
# What `shared/transcript.py` puts around a text: the quoted message before it, the names of files behind it.
_QUOTED = re.compile(r"^\[in reply to what [^\n]* wrote:\]\n(?:>[^\n]*\n)+\n")
_FILES = re.compile(r"(?:^|\n)\[a file that you cannot read: [^\n]*\]")
_NAME = re.compile(
    r"\b(?i:my name is|my name's|call me|i am called|i'm called)\s+([^\W\d_][\w'’-]*(?:\s+(?-i:[A-Z])[\w'’-]*){0,2})"
)
_LISTED = 20
_SHOWN = 80


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a person. `speaker` is the name before it, where there seems to be one."""

    text: str
    speaker: str | None


def line_of(said: Said) -> Line:
    """Take apart a line of the transcript: the speaker's name ("Ada: hello"), and the text without quotation and files."""
    found = _SPEAKER.match(said.text)
    text = said.text[found.end() :] if found else said.text
    return Line(_FILES.sub("", _QUOTED.sub("", text)).strip(), found[1] if found else None)


def words_of(text: str) -> str:
    """A text as lower-case words with single spaces, for forgiving comparison."""
    plain = text.casefold().replace("’", "'").replace("'s", " is").replace("'", "")
    return " ".join(re.findall(r"[\w@+%.,]*\w", plain))


def recall(prompt: Prompt) -> str | None:
    """The answer to a question about the conversation, or None if the last line asks none."""
    asked = line_of(prompt.ask[-1])
    words = words_of(asked.text)
    if re.search(r"\bwhat is my name\b|\bwho am i\b|\bdo you (?:know|remember) (?:my name|me)\b|\bwhats my name\b", words):
        return _name(prompt, asked)
    if re.search(r"\bhow many (?:messages|lines|questions|answers|turns|times)\b", words):
        return _count(prompt)
    if re.search(r"^(?:please )?(?:repeat|say (?:that|it) again|again|once more)\b|\brepeat (?:that|it|yourself)\b", words):
        return _again(prompt)
    if re.search(r"\bwe (?:have )?(?:talk(?:ed)?|spoke|spoken|discuss(?:ed)?|said) about\b|\bsumm(?:ary|ari[sz]e)\b", words):
        return _topics(prompt)
    if re.search(r"\bi (?:just )?(?:say|said|write|wrote|asked?|told|tell)\b|\bmy (?:first|last|previous) \w+", words):
        return _line(prompt, asked, words)
    return None


def named(text: str) -> str | None:
    """The name that a person gives in a text ("my name is Ada")."""
    found = _NAME.search(text)
    return found[1] if found else None


def _before(prompt: Prompt, asked: Line) -> Sequence[Line]:
    # What looks like a name before the line may be a word of the sentence: then nobody else has it, and all lines count.
    lines = [line_of(said) for said in (*prompt.history, *prompt.ask[:-1]) if said.role == "user"]
    own = [line for line in lines if line.speaker == asked.speaker]
    return own if own or _speakers(prompt) > 1 else lines


def _speakers(prompt: Prompt) -> int:
    lines = [line_of(said) for said in (*prompt.history, *prompt.ask) if said.role == "user"]
    return len({line.speaker for line in lines if line.speaker})


def _name(prompt: Prompt, asked: Line) -> str:
    for line in (asked, *reversed(_before(prompt, asked))):
        name = named(line.text)
        if name is not None:
            return f"Your name is {name}: you told me so."
    if asked.speaker is not None:
        return f"You are {asked.speaker}: that is the name beside your messages."
    return 'You have not told me your name yet. Say "my name is …" and I shall know it.'


def _count(prompt: Prompt) -> str:
    asked = sum(said.role == "user" for said in (*prompt.history, *prompt.ask))
    answered = sum(said.role == "assistant" for said in prompt.history)
    people = _speakers(prompt)
    of_people = f" from {people} people" if people > 1 else ""
    answers = "answer" if answered == 1 else "answers"
    messages = "message" if asked == 1 else "messages"
    read = f"I have read {asked} {messages}{of_people} in this conversation, this one included"
    return f"{read}, and given {answered} {answers} before."


def _again(prompt: Prompt) -> str:
    answers = [said.text for said in prompt.history if said.role == "assistant" and said.text.strip()]
    return answers[-1] if answers else "I have not said anything yet in this conversation, so there is nothing to repeat."


def _line(prompt: Prompt, asked: Line, words: str) -> str | None:
    lines = _before(prompt, asked)
    if not re.search(r"\b(?:what|which|first|last|previous|before|remember)\b", words):
        return None
    if not lines:
        return "This is the first thing that you have said in this conversation."
    first = re.search(r"\b(?:first|beginning|start)\b", words)
    line, which = (lines[0], "first") if first else (lines[-1], "last")
    return f"The {which} thing you said before this was: “{_short(line.text, 1000)}”"


def _topics(prompt: Prompt) -> str:
    lines = [said.text for said in (*prompt.history, *prompt.ask[:-1]) if said.role == "user"]
    if not lines:
        return "We have not talked about anything yet: this is your first message."
    skipped = len(lines) - _LISTED
    shown = [f"{number}. {_short(line, _SHOWN)}" for number, line in enumerate(lines, 1)][-_LISTED:]
    more = f"The last {_LISTED} of {len(lines)} messages:" if skipped > 0 else "So far you have said:"
    return more + "\n\n" + "\n".join(shown)


def _short(text: str, most: int) -> str:
    line = " ".join(text.split())
    return line if len(line) <= most else line[: most - 1] + "…"
