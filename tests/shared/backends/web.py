"""What the tests of claude.ai's backend share."""

from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from sandbox.calls import Call
from sandbox.claude_web import ClaudeWebSimulator
from sandbox.claude_web.model import Message
from shared.backends import Answer, Delta, Finished, Prompt, Said
from shared.backends.claude_web import ClaudeWeb, ClaudeWebConfig
from shared.claude_web import Breaker
from shared.files.blobs import Blobs
from tests.shared.backends.api import NOWHERE, Waits

CONVERSATION = UUID("0c0ffee0-8b86-4d01-b42d-00cf4fc964ff")


@asynccontextmanager
async def opened(
    web: ClaudeWebSimulator,
    blobs: Blobs = NOWHERE,
    waits: Waits | None = None,
    breaker: Breaker | None = None,
    now: Callable[[], datetime] = lambda: datetime.now(UTC),
    **config: Any,
) -> AsyncGenerator[ClaudeWeb]:
    """A backend on a simulator, closed at the end. `config` are fields of ClaudeWebConfig."""
    waits = waits or Waits()
    usual: dict[str, Any] = {"session_key": web.session_key, "base_url": web.url, "silence": 10.0}
    backend = ClaudeWeb(
        ClaudeWebConfig(**{**usual, **config}), blobs, sleep=waits.sleep, uniform=waits.longest, breaker=breaker, now=now
    )
    try:
        yield backend
    finally:
        await backend.aclose()


def asking(text: str, *history: Said, turn: int = 1, attempt: int = 1, **more: Any) -> Prompt:
    """A prompt that asks a text."""
    given: dict[str, Any] = {"ask": (Said("user", text),), **more}
    return Prompt(conversation=CONVERSATION, turn=turn, attempt=attempt, history=history, **given)


async def answered(backend: ClaudeWeb, prompt: Prompt) -> list[Answer]:
    """Ask, and give all that is answered."""
    async with backend.answer(prompt) as answers:
        return [answer async for answer in answers]


async def finished(backend: ClaudeWeb, prompt: Prompt) -> Finished:
    """Ask, and give the end."""
    end = (await answered(backend, prompt))[-1]
    assert isinstance(end, Finished)
    return end


async def first_word(backend: ClaudeWeb, prompt: Prompt) -> str:
    """Ask, and leave after the first word."""
    async with backend.answer(prompt) as answers:
        async for answer in answers:
            if isinstance(answer, Delta):
                return answer.text
    raise AssertionError("no word came")


def exchange(text: str, end: Finished) -> tuple[Said, Said]:
    """A question and its answer, as a later prompt has them."""
    return Said("user", text), Said("assistant", end.text, end.blocks)


def branch(web: ClaudeWebSimulator, call: Call | None = None) -> list[Message]:
    """The messages down to the last question, or to that of a call: what the model was shown."""
    call = call or web.asked()[-1]
    conversation = web.conversations[call.path.split("/")[-2]]
    return [conversation.messages[uuid] for uuid in call.notes["branch"]]


def told(web: ClaudeWebSimulator) -> list[tuple[str, str]]:
    """The same as sender and text."""
    return [(message.sender, message.text) for message in branch(web)]


def lines_of(message: Message) -> Sequence[tuple[str, str]]:
    """The lines of the transcript in a message: those of a record, then those that were asked."""
    if message.sender == "assistant":
        return [("assistant", message.text)]
    asked = message.text
    records = [str(each["extracted_content"]) for each in message.attachments if each["file_name"] == "conversation.txt"]
    if asked.startswith("[What was said here before, from the record."):
        _, _, rest = asked.partition("]\n\n")
        record, _, asked = rest.partition("\n\n[The record ends here. What follows is new: answer it.]\n\n")
        records.append(record)
    elif records:
        _, _, asked = asked.partition("]\n\n")
    return [*(line for record in records for line in _entries(record)), *(("user", text) for text in asked.split("\n\n"))]


def _entries(record: str) -> Sequence[tuple[str, str]]:
    found: list[tuple[str, list[str]]] = []
    for line in record.split("\n"):
        if line in ("person:", "you:"):
            found.append(("user" if line == "person:" else "assistant", []))
        else:
            assert not line or line.startswith("    "), line
            found[-1][1].append(line.removeprefix("    "))
    return [(role, "\n".join(lines).rstrip("\n")) for role, lines in found]
