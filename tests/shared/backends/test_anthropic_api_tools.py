"""Tools that run at the API's side: what is offered, what people see of it, links to sources, and files that code makes."""

from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs

from sandbox.anthropic import Script, Simulator
from sandbox.faults import Rule
from shared.backends import Answer, Delta, Doing, Made, Retrying, Said, Spent, Thinking
from shared.files.blobs import Blobs
from shared.lists import McpServer
from tests.conformance.backend import collect, fail, finish, prompt, spoken
from tests.shared.backends.api import opened

ONE = {"url": "https://one.example/a", "title": "One"}
TWO = {"url": "https://two.example/", "title": "Two"}
TOKEN = "mcp-secret-token"


@pytest.fixture
async def simulator() -> AsyncIterator[Simulator]:
    async with Simulator() as running:
        yield running


def text(words: str, *results: int) -> dict[str, Any]:
    said: dict[str, Any] = {"type": "text", "text": words}
    return {**said, "citations": [{"result": each, "cited_text": words} for each in results]} if results else said


def search(query: str = "threads", *results: dict[str, str], **more: Any) -> dict[str, Any]:
    return {"type": "web_search", "query": query, "results": results or (ONE, TWO), **more}


def code(*files: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"type": "code", "command": "make chart", "stdout": "ok", "files": files, **more}


def seen(answers: Sequence[Answer]) -> list[str | Doing]:
    """What people see in turn: texts put together, and tools."""
    found: list[str | Doing] = []
    for answer in answers:
        if isinstance(answer, Doing):
            found.append(answer)
        elif isinstance(answer, Delta):
            found[-1:] = [found[-1] + answer.text] if found and isinstance(found[-1], str) else [*found[-1:], answer.text]
    return found


async def test_no_tool_is_offered_unless_it_is_set(simulator: Simulator) -> None:
    simulator.script(Script(blocks=[search(), text("no search")]))
    async with opened(simulator) as backend:
        assert finish(await collect(backend, prompt("hello"))).text == "no search"
    body = simulator.bodies()[0]
    assert "tools" not in body
    assert "mcp_servers" not in body
    assert "anthropic-beta" not in simulator.asked()[0].notes["headers"]


async def test_each_tool_is_offered_by_its_own_setting(simulator: Simulator) -> None:
    for name in ("web_search", "web_fetch", "code_execution"):
        chosen: dict[str, Any] = {name: True}
        async with opened(simulator, **chosen) as backend:
            await collect(backend, prompt("hello"))
        (tool,) = simulator.bodies()[-1]["tools"]
        assert tool["name"] == name
        # Searching does not run code unless that is set.
        assert tool.get("allowed_callers") == (None if name == "code_execution" else ["direct"])


async def test_people_see_which_tool_runs_and_on_what_and_when_it_has_ended(simulator: Simulator) -> None:
    fetch = {"type": "web_fetch", "url": "https://one.example/a", "title": "One", "text": "word"}
    blocks = [text("I look. "), search("old threads"), fetch, code(), text("Done.")]
    simulator.script(Script(blocks=blocks))
    async with opened(simulator, web_search=True, web_fetch=True, code_execution=True) as backend:
        answers = await collect(backend, prompt("hello"))
    assert seen(answers) == [
        "I look. ",
        Doing("search"), Doing("search", "old threads"), Doing(None),
        Doing("fetch"), Doing("fetch", "https://one.example/a"), Doing(None),
        Doing("code"), Doing("code", "make chart"), Doing(None),
        "Done.",
    ]  # fmt: skip


async def test_a_tool_that_is_cut_off_has_ended_before_the_end(simulator: Simulator) -> None:
    simulator.script(Script(blocks=[text("so"), search(part="use")], stop="max_tokens"))
    async with opened(simulator, web_search=True) as backend:
        answers = await collect(backend, prompt("hello"))
    assert seen(answers)[-1] == Doing(None)
    assert isinstance(answers[-2], Doing)


async def test_what_a_tool_works_on_is_never_long(simulator: Simulator) -> None:
    simulator.script(Script(blocks=[search("x" * 10_000), text("so")]))
    async with opened(simulator, web_search=True) as backend:
        answers = await collect(backend, prompt("hello"))
    assert max(len(answer.about) for answer in answers if isinstance(answer, Doing)) == 200


async def test_citations_become_links_behind_what_they_prove(simulator: Simulator) -> None:
    blocks = [search(), text("Threads are long", 1, 0, 1), text(". "), text("And old.\n\n", 1), text("Bye.")]
    simulator.script(Script(blocks=blocks))
    async with opened(simulator, web_search=True) as backend:
        last = finish(answers := await collect(backend, prompt("hello")))
        one, two = "https://one.example/a", "https://two.example/"
        assert last.text == f"Threads are long ([1](<{two}>), [2](<{one}>)). And old. ([1](<{two}>))\n\nBye."
        assert spoken(answers) == last.text
        # What goes back is what came, without the links.
        history = (Said("user", "hello"), Said("assistant", last.text, last.blocks))
        assert not [a for a in await collect(backend, prompt("and?", *history)) if isinstance(a, Retrying)]
    sent = simulator.bodies()[-1]["messages"][1]["content"]
    assert [block["text"] for block in sent if block["type"] == "text"] == ["Threads are long", ". ", "And old.\n\n", "Bye."]
    assert sent == last.blocks


async def test_a_citation_of_a_fetched_page_links_to_it(simulator: Simulator) -> None:
    fetch = {"type": "web_fetch", "url": "https://one.example/a", "title": "One", "text": "word"}
    place = {"document_index": 0, "document_title": "One", "start_char_index": 0, "end_char_index": 4}
    cited = {"type": "char_location", "cited_text": "word", **place}
    simulator.script(Script(blocks=[fetch, {"type": "text", "text": "Word", "citations": [cited]}, text(".")]))
    async with opened(simulator, web_fetch=True) as backend:
        assert finish(await collect(backend, prompt("hello"))).text == "Word ([1](<https://one.example/a>))."


async def test_hostile_addresses_are_no_links(simulator: Simulator) -> None:
    bad = [{"url": url, "title": "x"} for url in ("javascript:alert(1)", "https://a@b.example/", "https://c.example/>)\n# boo")]
    simulator.script(Script(blocks=[search("q", *bad), text("So", 0, 1, 2), text(".")]))
    async with opened(simulator, web_search=True) as backend:
        assert finish(await collect(backend, prompt("hello"))).text == "So ([1](<https://c.example/%3E%29#%20boo>))."


@pytest.mark.parametrize(
    "error", ["max_uses_exceeded", "too_many_requests", "unavailable", "url_not_allowed", "invalid_tool_input"]
)
async def test_a_tool_that_fails_does_not_break_the_answer(simulator: Simulator, error: str) -> None:
    fetch = {"type": "web_fetch", "url": "https://one.example/", "error": error}
    simulator.script(Script(blocks=[search(error=error), fetch, code(error=error), text("Without it, then.")]))
    async with opened(simulator, web_search=True, web_fetch=True, code_execution=True) as backend:
        last = finish(answers := await collect(backend, prompt("hello")))
        assert last.text == "Without it, then."
        assert seen(answers)[-2:] == [Doing(None), "Without it, then."]
        history = (Said("user", "hello"), Said("assistant", last.text, last.blocks))
        assert not [a for a in await collect(backend, prompt("and?", *history)) if isinstance(a, Retrying)]


async def test_searches_are_charged(simulator: Simulator) -> None:
    simulator.script(Script(blocks=[search(), search(), text("so")]))
    async with opened(simulator, web_search=True) as backend:
        usage = finish(await collect(backend, prompt("hello"))).usage
    assert usage.cost is not None
    assert usage.cost > 20_000


async def test_files_that_code_made_are_fetched_and_kept(simulator: Simulator, tmp_path: Path) -> None:
    files = [{"name": "chart.png", "media_type": "image/png", "text": "P" * 300_000}, {"name": "../a.csv", "text": "1,2"}]
    simulator.script(Script(blocks=[code(*files), text("Here.")]))
    blobs = Blobs(tmp_path)
    async with opened(simulator, blobs, code_execution=True) as backend:
        last = finish(await collect(backend, prompt("hello")))
    assert [(made.name, made.media_type, made.size) for made in last.files] == [
        ("chart.png", "image/png", 300_000),
        ("../a.csv", "text/csv", 3),
    ]
    assert [await blobs.read(made.blob) for made in last.files] == [b"P" * 300_000, b"1,2"]
    assert last.text == "Here."
    assert all(isinstance(made, Made) for made in last.files)


async def test_a_file_that_cannot_be_had_is_told_in_the_text_and_logged(simulator: Simulator, tmp_path: Path) -> None:
    made = [
        {"name": name, "text": "x" * size} for name, size in (("big`.bin", 5_000), ("gone.txt", 3), ("good.txt", 4), ("e.txt", 5))
    ]
    simulator.script(Script(blocks=[code(*made), text("Here.")]))
    simulator.faults.set(Rule("status", path="file_000000000002", status=404))
    with capture_logs() as logs:
        async with opened(simulator, Blobs(tmp_path), code_execution=True, made_bytes=4_999, made_files=3) as backend:
            last = finish(answers := await collect(backend, prompt("hello")))
    assert [made.name for made in last.files] == ["good.txt"]
    assert (
        last.text
        == spoken(answers)
        == (
            "Here.\n\n(The file `big'.bin` is too large to be fetched.)\n(A file that was made could not be fetched.)\n"
            "(1 more files were made and not fetched.)"
        )
    )
    assert len([line for line in logs if "has made" in line["event"]]) == 2


async def test_a_disk_that_fails_costs_the_file_and_not_the_answer(simulator: Simulator, tmp_path: Path) -> None:
    (tmp_path / "blobs").write_text("in the way")
    simulator.script(Script(blocks=[code({"name": "a.txt", "text": "a"}), text("Here.")]))
    async with opened(simulator, Blobs(tmp_path / "blobs"), code_execution=True) as backend:
        last = finish(await collect(backend, prompt("hello")))
    assert (last.files, last.text) == ([], "Here.\n\n(The file `a.txt` could not be fetched.)")


SERVERS = (McpServer("docs", "https://docs.example/mcp", TOKEN), McpServer("wiki", "https://wiki.example/mcp"))


async def test_mcp_servers_are_offered_and_shown_by_name(simulator: Simulator) -> None:
    mcp = {"type": "mcp", "server": "docs", "name": "find", "input": {"q": "x"}, "content": "found"}
    simulator.script(Script(blocks=[mcp, text("Found.")]))
    async with opened(simulator, mcp_servers=SERVERS) as backend:
        last = finish(answers := await collect(backend, prompt("hello")))
        history = (Said("user", "hello"), Said("assistant", last.text, last.blocks))
        assert not [a for a in await collect(backend, prompt("and?", *history)) if isinstance(a, Retrying)]
    assert seen(answers) == [Doing("other", "docs"), Doing("other", "docs"), Doing(None), "Found."]
    body = simulator.bodies()[0]
    assert body["mcp_servers"][0] == {
        "type": "url",
        "name": "docs",
        "url": "https://docs.example/mcp",
        "authorization_token": TOKEN,
    }
    assert [tool["mcp_server_name"] for tool in body["tools"]] == ["docs", "wiki"]
    assert TOKEN not in repr(last)
    # Without the servers, what they gave is still part of the conversation.
    async with opened(simulator) as backend:
        assert not [a for a in await collect(backend, prompt("and?", *history)) if isinstance(a, Retrying)]


async def test_the_token_of_an_mcp_server_is_in_no_failure_and_no_log(simulator: Simulator) -> None:
    simulator.script(Script(status=400, error_message=f"bad token {TOKEN}"))
    simulator.script(Script(status=529, error_message=f"{TOKEN} {simulator.key}"), skip=0)
    with capture_logs() as logs:
        async with opened(simulator, mcp_servers=SERVERS, retries=1) as backend:
            _, failure = await fail(backend, prompt("hello"))
            answers = await collect(backend, prompt("hello"))
            shown = f"{failure.detail} {answers} {logs} {backend!r}"
    assert "***" in shown
    assert TOKEN not in shown
    assert simulator.key not in shown


async def test_no_order_of_answers_leaves_a_tool_running_while_text_goes_on(simulator: Simulator) -> None:
    use, result = search(part="use"), search(part="result")
    simulator.turn(
        [
            Script(blocks=[text("a"), use]),
            Script(blocks=[result, text("b"), search(), text("c", 0), search(part="use"), text("d")]),
        ]
    )
    async with opened(simulator, web_search=True) as backend:
        answers = await collect(backend, prompt("hello"))
    running = False
    for answer in answers:
        match answer:
            case Doing(tool):
                running = tool is not None
            case Thinking() | Spent():
                pass
            case _:
                assert not running


async def test_code_that_was_paused_goes_on_where_it_ran(simulator: Simulator, tmp_path: Path) -> None:
    made = {"name": "a.txt", "text": "a"}
    simulator.turn([Script(blocks=[code(part="use")]), Script(blocks=[code(made, part="result"), text("Here.")])])
    async with opened(simulator, Blobs(tmp_path), code_execution=True) as backend:
        last = finish(await collect(backend, prompt("hello")))
        await collect(backend, prompt("again"))
    assert ([file.name for file in last.files], last.text) == (["a.txt"], "Here.")
    assert [body.get("container") for body in simulator.bodies()] == [None, "container_00000001", None]
