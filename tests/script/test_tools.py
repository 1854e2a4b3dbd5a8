"""Server tools: shown while they run, their sources as links; pauses; MCP servers; thinking shown or not."""

from pathlib import Path

import pytest

from sandbox.anthropic import Script
from tests.script.stage import Stage, opened

pytestmark = pytest.mark.asyncio(loop_scope="module")

SETTINGS = {
    "web_search": "on",
    "web_fetch": "on",
    "mcp_servers": '[{"name": "library", "url": "https://mcp.example/one", "token": "mcp-token"}]',
    "thinking": "summarised",
}
BOTS = [{"url": "https://a.example/bots", "title": "Bots"}, {"url": "https://b.example/more?x=1&y=(2)", "title": "More"}]


async def test_a_search_is_shown_while_it_runs_and_its_sources_are_links(stage: Stage) -> None:
    ada, chat = await stage.alone()
    stage.blocks(
        "what about bots",
        {"type": "text", "text": "Let me look."},
        {"type": "web_search", "query": "chat *bots*", "results": BOTS, "lead": 0.3},
        {"type": "text", "text": "Bots talk", "citations": [{"result": 0, "cited_text": "bots talk"}]},
        {"type": "text", "text": " and listen", "citations": [{"result": 1}, {"result": 0}]},
        {"type": "text", "text": "."},
    )
    await stage.say(ada, chat, "what about bots")
    searching = "threadline: Let me look.\n\n*Searching the web: “chat bots”* [Stop]"
    await stage.glimpses(ada, chat, f"{ada}: what about bots", searching)
    await stage.reads(
        ada, chat, f"{ada}: what about bots",
        "threadline: Let me look.\n\nBots talk ([1](<https://a.example/bots>)) and listen "
        "([1](<https://a.example/bots>), [2](<https://b.example/more?x=1&y=%282%29>)).",
    )  # fmt: skip


async def test_a_tool_that_takes_long_before_the_first_word_is_shown_by_itself(stage: Stage) -> None:
    ada, chat = await stage.alone()
    stage.blocks(
        "search first",
        {"type": "web_search", "query": "slow pages", "results": BOTS, "lead": 2.3},
        {"type": "text", "text": "Found."},
    )
    await stage.say(ada, chat, "search first")
    await stage.glimpses(ada, chat, f"{ada}: search first", "threadline: *Searching the web: “slow pages”* [Stop]")
    await stage.reads(ada, chat, f"{ada}: search first", "threadline: Found.")


async def test_a_page_that_is_read_is_shown_without_its_address_becoming_a_link(stage: Stage) -> None:
    ada, chat = await stage.alone()
    stage.blocks(
        "read the page",
        {"type": "text", "text": "One moment."},
        {"type": "web_fetch", "url": "https://a.example/page", "title": "A page", "text": "words", "lead": 0.3},
        {"type": "text", "text": "It has words."},
    )
    await stage.say(ada, chat, "read the page")
    reading = "threadline: One moment.\n\n*Reading a.example/page* [Stop]"
    await stage.glimpses(ada, chat, f"{ada}: read the page", reading)
    await stage.reads(ada, chat, f"{ada}: read the page", "threadline: One moment.\n\nIt has words.")


async def test_a_tool_of_an_mcp_server_is_shown_by_the_servers_name(stage: Stage) -> None:
    ada, chat = await stage.alone()
    stage.blocks(
        "look it up",
        {"type": "text", "text": "Looking."},
        {"type": "mcp", "server": "library", "name": "find", "input": {"title": "x"}, "content": "shelf 4", "lead": 0.3},
        {"type": "text", "text": "Shelf 4."},
    )
    await stage.say(ada, chat, "look it up")
    await stage.glimpses(ada, chat, f"{ada}: look it up", "threadline: Looking.\n\n*Using library…*")
    await stage.reads(ada, chat, f"{ada}: look it up", "threadline: Looking.\n\nShelf 4.")
    [server] = stage.body("look it up")["mcp_servers"]
    assert server == {"type": "url", "name": "library", "url": "https://mcp.example/one", "authorization_token": "mcp-token"}


async def test_a_pause_is_gone_on_with_unseen(stage: Stage) -> None:
    ada, chat = await stage.alone()
    stage.claude.turn(
        [
            Script(
                blocks=[
                    {"type": "text", "text": "First half."},
                    {"type": "web_search", "query": "rest", "results": BOTS},
                ],
                stop="pause_turn",
            ),
            Script(text="Second half."),
        ],
        match="in two halves",
    )
    await stage.say(ada, chat, "in two halves")
    await stage.reads(ada, chat, f"{ada}: in two halves", "threadline: First half.\n\nSecond half.")


async def test_a_search_that_fails_is_the_models_to_tell(stage: Stage) -> None:
    ada, chat = await stage.alone()
    stage.blocks(
        "search in vain",
        {"type": "web_search", "query": "x", "error": "unavailable"},
        {"type": "text", "text": "I could not search."},
    )
    await stage.say(ada, chat, "search in vain")
    await stage.reads(ada, chat, f"{ada}: search in vain", "threadline: I could not search.")


async def test_results_of_tools_are_sent_back_as_they_came(stage: Stage) -> None:
    ada, chat = await stage.alone()
    stage.blocks(
        "native one",
        {"type": "web_search", "query": "x", "results": BOTS},
        {"type": "text", "text": "Known.", "citations": [{"result": 0, "cited_text": "c"}]},
    )
    stage.answers("native two", "Still known.")
    await stage.say(ada, chat, "native one")
    await stage.until(lambda: stage.sees(ada, chat)[-1] == "threadline: Known. ([1](<https://a.example/bots>))")
    await stage.settled()
    await stage.say(ada, chat, "native two")
    await stage.until(lambda: stage.sees(ada, chat)[-1] == "threadline: Still known.")
    sent = stage.body("native two")["messages"][1]["content"]
    assert [block["type"] for block in sent] == ["server_tool_use", "web_search_tool_result", "text"]


async def test_thinking_is_summed_up_in_one_line_while_it_lasts(stage: Stage) -> None:
    ada, chat = await stage.alone()
    stage.blocks(
        "think hard",
        {"type": "thinking", "thinking": "First this.\nThen that.", "deltas": 2, "seconds": 2.2},
        {"type": "text", "text": "Thought."},
    )
    await stage.say(ada, chat, "think hard")
    await stage.until(lambda: stage.sees(ada, chat)[-1].startswith("threadline: *Thinking: "))
    await stage.reads(ada, chat, f"{ada}: think hard", "threadline: Thought.")
    await stage.say(ada, chat, "and then")
    await stage.until(lambda: stage.sees(ada, chat)[-1] == "threadline: You said: and then")
    assert stage.body("and then")["messages"][1]["content"][0]["thinking"] == "First this.\nThen that."


async def test_thinking_is_shown_above_the_answer_where_that_is_set(tmp_path: Path) -> None:
    async with opened(tmp_path, thinking="shown") as stage:
        ada, chat = await stage.alone()
        stage.claude.script(Script(text="Thought.", thinking="First this.\nThen that."), match="show it")
        await stage.say(ada, chat, "show it")
        shown = "threadline: > First this.\n> Then that.\n\nThought."
        await stage.reads(ada, chat, f"{ada}: show it", shown)


async def test_thinking_is_not_seen_where_it_is_off(tmp_path: Path) -> None:
    async with opened(tmp_path) as stage:
        ada, chat = await stage.alone()
        stage.claude.script(Script(text="Thought.", thinking="First this."), match="hide it")
        await stage.say(ada, chat, "hide it")
        await stage.reads(ada, chat, f"{ada}: hide it", "threadline: Thought.")
        ever = [shown["content"] for each in stage.discord.messages(chat) for shown in each["history"]]
        assert not any("First this" in text or "Thinking" in text for text in ever)
        assert "tools" not in stage.body("hide it")
