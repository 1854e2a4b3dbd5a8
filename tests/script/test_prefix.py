"""The request bodies of one long conversation with everything in it: the beginning never changes, so the API's cache hits."""

import json
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from sandbox.anthropic import Config, Script
from tests.script.base import file
from tests.script.stage import Stage, opened
from tests.script.things import pdf, png

SETTINGS = {
    "web_search": "on",
    "code_execution": "on",
    "mcp_servers": '[{"name": "library", "url": "https://mcp.example/one"}]',
    "thinking": "shown",
    "burst_seconds": 0.2,
}
PAGE = {"url": "https://a.example/", "title": "A"}

Json = dict[str, Any]


def plain(body: Json) -> list[str]:
    """Everything that the API caches by, in its order, without the marks that move along."""
    parts = [*body["tools"], *body["system"]]
    for message in body["messages"]:
        content = message["content"]
        parts += [{"role": message["role"], **block} for block in content]
    return [json.dumps({name: value for name, value in part.items() if name != "cache_control"}) for part in parts]


def grows(bodies: Sequence[Json]) -> None:
    """Each request begins with all that the one before held."""
    for before, after in pairwise(bodies):
        assert plain(after)[: len(plain(before))] == plain(before)


async def ask(stage: Stage, by: str, where: str, said: str, *files: Json, **more: Any) -> None:
    """Say something and wait until it is answered."""
    count = len(stage.claude.asked())
    await stage.say(by, where, said, *files, **more)
    await stage.claude.ended(count + 1, 15.0)
    await stage.settled()


async def test_the_beginning_of_the_requests_never_changes(tmp_path: Path) -> None:
    async with opened(tmp_path, SETTINGS, claude=Config(cache_minimum=64)) as stage:
        ada, ben, place = await stage.person(), await stage.person(), await stage.channel()
        stage.blocks("search it", {"type": "web_search", "query": "q", "results": [PAGE]}, {"type": "text", "text": "Found."})
        made = {"name": "made.txt", "text": "made"}
        stage.blocks("run it", {"type": "code", "command": "c", "stdout": "1", "files": [made]}, {"type": "text", "text": "Ran."})
        stage.blocks(
            "look up", {"type": "mcp", "server": "library", "name": "f", "content": "r"}, {"type": "text", "text": "Looked."}
        )
        stage.claude.script(Script(text="Thought.", thinking="Step by step."), match="think")
        stage.claude.script(Script(text="Cut", stop="max_tokens"), match="lengthy")

        thread = await stage.say(ada, place, "@threadline begin with a picture", file("p.png", png(2000, 1000)))
        await stage.answered(ada, thread, 1)
        await ask(stage, ben, thread, "and a paper", file("paper.pdf", pdf(1)))
        await ask(stage, ada, thread, "a table", file("t.csv", "a;b\n1;2\n"))
        for said in ("search it", "run it", "look up", "think"):
            await ask(stage, ben, thread, said)
        await ask(stage, ada, thread, "", file("clip.mp4", b"\0\0\0\x18ftypisom" + bytes(40)), file("note.txt", "n"))
        await ask(stage, ada, thread, "lengthy")
        await stage.press(ben, thread, "Continue")
        await stage.until(lambda: any("Continue." in each for each in stage.sees(ben, thread)))
        await stage.settled()
        first, second = "one of a burst", "two of a burst"
        await stage.say(ada, thread, first)
        await ask(stage, ada, thread, second)
        await stage.told(ada, thread, "why")
        await stage.stop()
        await stage.start()
        await ask(stage, ben, thread, "after a restart")

        bodies = stage.claude.bodies()
        assert len(bodies) == 12
        grows(bodies)
        usages = [call.notes["usage"] for call in stage.claude.asked()]
        assert all(usage["cache_read_input_tokens"] > 0 for usage in usages[1:])
        assert all(after["cache_read_input_tokens"] >= before["cache_read_input_tokens"] for before, after in pairwise(usages))


@pytest.mark.parametrize("change", ["edit", "undo", "retry"])
async def test_after_a_change_all_before_it_is_as_it_was(tmp_path: Path, change: str) -> None:
    async with opened(tmp_path, claude=Config(cache_minimum=64)) as stage:
        ada, chat = await stage.alone()
        questions = [await stage.say(ada, chat, "one " * 50)]
        await stage.answered(ada, chat, 2)
        for nth in (2, 3):
            questions.append(await stage.say(ada, chat, f"question {nth} " * 30))
            await stage.answered(ada, chat, 2 * nth)
        count = len(stage.claude.asked())
        if change == "edit":
            await stage.edit(questions[-1], "another third question")
        elif change == "retry":
            await stage.told(ada, chat, "retry")
        else:
            await stage.told(ada, chat, "undo")
            await stage.say(ada, chat, "another third question")
        await stage.claude.ended(count + 1, 15.0)
        await stage.settled()
        *_, second, third, again = stage.claude.bodies()
        assert plain({"tools": [], **again})[: len(plain({"tools": [], **second}))] == plain({"tools": [], **second})
        assert (plain({"tools": [], **again}) == plain({"tools": [], **third})) == (change == "retry")
        assert stage.claude.asked()[-1].notes["usage"]["cache_read_input_tokens"] > 0
