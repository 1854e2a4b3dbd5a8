"""Whatever happens to a conversation, here or at claude.ai: the model is shown our transcript, all of it and nothing else."""

import random
from collections.abc import Sequence
from contextlib import AsyncExitStack

import pytest

from sandbox.claude_web import ClaudeWebSimulator, Script
from sandbox.claude_web.script import Stored
from shared.backends import Finished, Prompt, Said
from shared.backends.claude_web import ClaudeWeb
from shared.errors import BrokenOff
from tests.shared.backends.web import asking, branch, finished, first_word, lines_of, opened

STORED: Sequence[Stored] = ("whole", "partial", "human", "nothing")
Exchange = tuple[Said, Said]


class Walk:
    """A conversation to which things happen at random, always the same for a seed."""

    def __init__(self, web: ClaudeWebSimulator, seed: int, stack: AsyncExitStack) -> None:
        self._web = web
        self._dice = random.Random(seed)
        self._stack = stack
        self._past: list[Exchange] = []
        self._turn = self._named = 0
        self._backend: ClaudeWeb | None = None

    async def step(self) -> None:
        """Let one thing happen, then ask."""
        dice, past = self._dice, self._past
        match dice.choice(["ask", "ask", "undo", "edit", "delete", "other", "lose", "prune", "restart", "break", "leave"]):
            case "undo" if past:
                del past[dice.randrange(len(past)) :]
            case "edit" if past:
                at = dice.randrange(len(past))
                past[at] = (Said("user", self._name("changed")), past[at][1])
            case "delete" if past:
                del past[dice.randrange(len(past))]
            case "other":
                past.append((Said("user", self._name("elsewhere")), Said("assistant", self._name("by another"))))
            case "lose":
                self._web.conversations.clear()
            case "prune":
                self._prune()
            case "restart":
                self._backend = None
            case "break":
                await self._fail(ending="cut")
            case "leave":
                await self._fail(ending="silence")
            case _:
                pass
        await self._ask()

    async def _ask(self) -> None:
        self._turn += 1
        text = self._name("question")
        prompt = self._prompt(text)
        end = await finished(await self._asked(), prompt)
        self._judge(prompt)
        if self._dice.random() < 0.2:
            # A retry, by this process or the next one; or the next one does not know what became of the answer.
            crashes = self._dice.randrange(2)
            if crashes or self._dice.random() < 0.5:
                self._backend = None
            end = await finished(await self._asked(), self._prompt(text, attempt=2, crashes=crashes))
        self._keep(text, end)

    async def _fail(self, ending: str) -> None:
        """Ask something whose answer nobody gets: it leaves its question alone in the transcript."""
        self._turn += 1
        text = self._name("broken")
        self._web.script(Script.of({"words": 9, "deltas": 9, "after": 3, "ending": ending, "stored": self._dice.choice(STORED)}))
        if ending == "cut":
            with pytest.raises(BrokenOff):
                await finished(await self._asked(), self._prompt(text))
        else:
            await first_word(await self._asked(), self._prompt(text))
        self._past.append((Said("user", text), Said("assistant", "")))

    def _prune(self) -> None:
        """Take a message out of a tree at claude.ai, with all that follows it."""
        for conversation in self._web.conversations.values():
            gone = [self._dice.choice(list(conversation.messages))] if conversation.messages else []
            while gone:
                uuid = gone.pop()
                gone += [each.uuid for each in conversation.messages.values() if each.parent == uuid]
                conversation.forget(uuid)

    def _keep(self, text: str, end: Finished) -> None:
        self._past.append((Said("user", text), Said("assistant", end.text, end.blocks)))

    def _prompt(self, text: str, **attempt: int) -> Prompt:
        lines = [said for each in self._past for said in each if said.text]
        return asking(text, *lines, turn=self._turn, **attempt)

    async def _asked(self) -> ClaudeWeb:
        if self._backend is None:
            self._backend = await self._stack.enter_async_context(opened(self._web))
        return self._backend

    def _judge(self, prompt: Prompt) -> None:
        shown = [line for message in branch(self._web) for line in lines_of(message)]
        assert shown == [(said.role, said.text) for said in (*prompt.history, *prompt.ask)]

    def _name(self, what: str) -> str:
        self._named += 1
        return f"{what} {self._named}"


@pytest.mark.parametrize("seed", range(40))
async def test_the_model_is_shown_our_transcript_and_nothing_else(seed: int) -> None:
    async with ClaudeWebSimulator() as web, AsyncExitStack() as stack:
        walk = Walk(web, seed, stack)
        for _ in range(15):
            await walk.step()
