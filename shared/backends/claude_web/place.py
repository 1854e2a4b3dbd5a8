"""Where in claude.ai's tree a question belongs. Pure.

Our transcript is the truth. Each answer carries a block that names its message at claude.ai, with a hash of the transcript up to
it: a block whose hash is that of the history as it is now marks a place at which claude.ai knows just what the history says. The
newest such place is the head. Whatever was undone, edited or deleted since has another hash, and is branched away from.
"""

import hashlib
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID, uuid5

from shared.backends import Prompt, Said
from shared.claude_web import TurnIds

TYPE = "claude_web"

NUMBERS = 8
"""Tries of one attempt, at the most, of whose answers one is looked for after a crash."""


@dataclass(frozen=True, slots=True)
class Head:
    """An answer at claude.ai. `seen` is the hash of the transcript that leads to it, itself included."""

    conversation: str
    generation: int
    message: str
    seen: str

    def block(self) -> Mapping[str, Any]:
        """The same as a native block of an answer."""
        return {
            "type": TYPE,
            "conversation": self.conversation,
            "generation": self.generation,
            "message": self.message,
            "seen": self.seen,
        }


@dataclass(frozen=True, slots=True)
class Stand:
    """How far claude.ai knows the history: up to `head`, and nothing of `rest`. `generation` is the newest that is known of.

    `known`: some answer of the history came from that generation, so claude.ai should have it.
    """

    head: Head | None
    rest: Sequence[Said]
    generation: int
    known: bool


def conversation_of(conversation: UUID, generation: int) -> str:
    """The uuid at claude.ai: our own for the first generation, another for each that follows one that is gone."""
    return str(uuid5(conversation, f"{TYPE}{generation}") if generation else conversation)


def stand(prompt: Prompt, lost: Collection[str] = ()) -> Stand:
    """Find the head. Messages in `lost` are known not to be there."""
    hashed = hashlib.blake2b(digest_size=16)
    head: Head | None = None
    upto = generation = 0
    known = False
    for number, said in enumerate(prompt.history, 1):
        _feed(hashed, said)
        found = _head(prompt.conversation, said)
        if found is None:
            continue
        generation, known = max(generation, found.generation), True
        if found.message not in lost and found.seen == hashed.hexdigest():
            head, upto = found, number
    return Stand(head, prompt.history[upto:], generation, known)


def seen(prompt: Prompt, text: str) -> str:
    """The hash of the transcript once the question was answered with this text."""
    return _hash([*prompt.history, *prompt.ask, Said("assistant", text)])


def question(prompt: Prompt) -> str:
    """The hash of what is asked: the same question, after the same history, has the same."""
    return _hash([*prompt.history, *prompt.ask])


def ids(conversation: str, turn: int, asked: str, attempt: int, number: int) -> TurnIds:
    """What a try's question and answer are called at claude.ai. `asked` is the question's hash, `number` counts from 0."""
    name, space = f"{turn}/{asked}/{attempt}/{number}", UUID(conversation)
    return TurnIds.of(uuid5(space, f"{name}/question"), uuid5(space, f"{name}/answer"))


def earlier(conversation: str, prompt: Prompt, asked: str, number: int) -> Iterable[TurnIds]:
    """The tries before this one whose answer would do, the newest first: of this attempt, and of those that crashes have ended.

    Any other attempt was ended on purpose, or had an answer that is to be replaced.
    """
    for attempt in range(prompt.attempt, max(0, prompt.attempt - 1 - prompt.crashes), -1):
        tried = number if attempt == prompt.attempt else NUMBERS
        for each in range(tried - 1, -1, -1):
            yield ids(conversation, prompt.turn, asked, attempt, each)


def _head(conversation: UUID, said: Said) -> Head | None:
    """The head that an answer's blocks name; None if they name none of this conversation's."""
    for block in said.blocks or () if said.role == "assistant" else ():
        generation, message, mark = block.get("generation"), block.get("message"), block.get("seen")
        if block.get("type") != TYPE or not isinstance(generation, int) or generation < 0:
            continue
        uuid = conversation_of(conversation, generation)
        if isinstance(message, str) and isinstance(mark, str) and block.get("conversation") == uuid:
            return Head(uuid, generation, message, mark)
    return None


def _hash(lines: Sequence[Said]) -> str:
    hashed = hashlib.blake2b(digest_size=16)
    for said in lines:
        _feed(hashed, said)
    return hashed.hexdigest()


def _feed(hashed: "hashlib.blake2b", said: Said) -> None:
    parts = [said.role, said.text]
    for file in said.files:
        parts += [file.name, file.digest or file.text]
    hashed.update(len(parts).to_bytes(4, "big"))
    for part in parts:
        data = part.encode("utf-8", "surrogatepass")
        hashed.update(len(data).to_bytes(8, "big") + data)
