"""Tools that run at the API's side: web search, web fetch, code, MCP servers; and turns that pause."""

from typing import Any

import anthropic
import pytest
from anthropic import AsyncAnthropic
from anthropic.types import Message
from anthropic.types.beta import BetaMessage

from sandbox.anthropic import Script, Simulator

MODEL = "claude-sonnet-5-5"
SEARCH: dict[str, Any] = {"type": "web_search_20260318", "name": "web_search"}
FETCH: dict[str, Any] = {"type": "web_fetch_20260318", "name": "web_fetch", "citations": {"enabled": True}}
CODE: dict[str, Any] = {"type": "code_execution_20260521", "name": "code_execution"}
FOUND: dict[str, Any] = {
    "type": "web_search",
    "query": "cats",
    "results": [{"url": "https://cats.test/a", "title": "Cats"}, {"url": "https://dogs.test/b", "title": "Dogs"}],
}
ANSWERED: dict[str, Any] = {"type": "text", "text": "Cats purr.", "citations": [{"result": 0, "cited_text": "They purr."}]}
QUESTION: dict[str, Any] = {"role": "user", "content": "hello"}


async def ask(client: AsyncAnthropic, *after: dict[str, Any], **given: Any) -> Message:
    base: dict[str, Any] = {"model": MODEL, "max_tokens": 4_000, "messages": [QUESTION, *after]}
    async with client.messages.stream(**{**base, **given}) as stream:
        return await stream.get_final_message()


def kinds(message: Message | BetaMessage) -> list[str]:
    return [block.type for block in message.content]


def said_by(message: Message | BetaMessage) -> dict[str, Any]:
    return {"role": "assistant", "content": message.content}


async def test_a_search_streams_its_query_its_results_and_the_citations(simulator: Simulator, client: AsyncAnthropic) -> None:
    simulator.script(Script(blocks=[{"type": "text", "text": "Let me look."}, FOUND, ANSWERED]))
    said = await ask(client, tools=[SEARCH])
    assert kinds(said) == ["text", "server_tool_use", "web_search_tool_result", "text"]
    use, result, text = said.content[1:]
    assert use.type == "server_tool_use"
    assert (use.name, use.input) == ("web_search", {"query": "cats"})
    assert result.type == "web_search_tool_result"
    assert result.tool_use_id == use.id
    assert isinstance(result.content, list)
    assert [each.title for each in result.content] == ["Cats", "Dogs"]
    assert text.type == "text"
    assert text.citations is not None
    cited = text.citations[0]
    assert cited.type == "web_search_result_location"
    assert (cited.url, cited.cited_text) == ("https://cats.test/a", "They purr.")
    assert said.usage.server_tool_use is not None
    assert (said.usage.server_tool_use.web_search_requests, said.usage.server_tool_use.web_fetch_requests) == (1, 0)
    assert said.stop_reason == "end_turn"


async def test_what_a_search_gave_comes_back_unchanged(simulator: Simulator, client: AsyncAnthropic) -> None:
    simulator.script(Script(blocks=[FOUND, ANSWERED]))
    said = await ask(client, tools=[SEARCH])
    follow = {"role": "user", "content": "and dogs?"}
    await ask(client, said_by(said), follow, tools=[SEARCH])
    result = said.content[1]
    assert result.type == "web_search_tool_result"
    assert isinstance(result.content, list)
    result.content[0].encrypted_content = "enc"
    with pytest.raises(anthropic.BadRequestError, match="encrypted_content"):
        await ask(client, said_by(said), follow, tools=[SEARCH])
    with pytest.raises(anthropic.BadRequestError, match="without a corresponding result block"):
        await ask(client, {"role": "assistant", "content": [said.content[0]]}, follow, tools=[SEARCH])


async def test_a_tool_that_was_not_offered_is_not_used(simulator: Simulator, client: AsyncAnthropic) -> None:
    simulator.script(Script(blocks=[FOUND, ANSWERED]), times=2)
    said = await ask(client)
    assert kinds(said) == ["text"]
    assert said.content[0].type == "text"
    assert said.content[0].citations is None
    assert (await simulator.ended()).notes["left_out"] == ["web_search"]
    simulator.clear()
    simulator.script(Script(blocks=[FOUND], strict=True))
    with pytest.raises(anthropic.BadRequestError, match="does not offer web_search"):
        await ask(client)


async def test_domains_and_uses_are_limited_as_the_request_says(simulator: Simulator, client: AsyncAnthropic) -> None:
    simulator.script(Script(blocks=[FOUND, FOUND]))
    said = await ask(client, tools=[{**SEARCH, "blocked_domains": ["dogs.test"], "max_uses": 1}])
    first, second = (block.content for block in said.content if block.type == "web_search_tool_result")
    assert isinstance(first, list)
    assert [each.title for each in first] == ["Cats"]
    assert not isinstance(second, list)
    assert second.error_code == "max_uses_exceeded"


async def test_a_fetch_brings_a_document_or_an_error(simulator: Simulator, client: AsyncAnthropic) -> None:
    page = {"type": "web_fetch", "url": "https://cats.test/a", "title": "Cats", "text": "They purr."}
    simulator.script(Script(blocks=[page, {**page, "error": "url_not_accessible"}]))
    said = await ask(client, tools=[FETCH])
    first, second = (block.content for block in said.content if block.type == "web_fetch_tool_result")
    assert first.type == "web_fetch_result"
    assert first.content.source.type == "text"
    assert (first.content.title, first.content.source.data) == ("Cats", "They purr.")
    assert second.type == "web_fetch_tool_result_error"
    assert second.error_code == "url_not_accessible"
    assert said.usage.server_tool_use is not None
    assert said.usage.server_tool_use.web_fetch_requests == 1
    await ask(client, said_by(said), {"role": "user", "content": "go on"}, tools=[FETCH])


async def test_code_makes_files_that_can_be_fetched(simulator: Simulator, client: AsyncAnthropic) -> None:
    made = [{"name": "plot.png", "text": "pixels"}]
    simulator.script(Script(blocks=[{"type": "code", "command": "plot", "stdout": "done", "files": made}]))
    said = await ask(client, tools=[CODE])
    result = said.content[1]
    assert result.type == "bash_code_execution_tool_result"
    assert result.content.type == "bash_code_execution_result"
    assert (result.content.stdout, result.content.return_code) == ("done", 0)
    assert said.container is not None
    file = result.content.content[0].file_id
    told = await client.files.retrieve_metadata(file)
    assert (told.filename, told.mime_type, told.size_bytes, told.downloadable) == ("plot.png", "image/png", 6, True)
    assert await (await client.files.download(file)).read() == b"pixels"
    assert [each.id async for each in client.files.list()] == [file]
    await client.files.delete(file)
    with pytest.raises(anthropic.NotFoundError):
        await client.files.download(file)


async def test_what_was_uploaded_can_be_named_in_a_message_and_not_be_fetched(client: AsyncAnthropic) -> None:
    file = await client.files.upload(file=("notes.txt", b"hello", "text/plain"))
    assert (file.filename, file.downloadable) == ("notes.txt", False)

    def naming(name: str) -> dict[str, Any]:
        return {"role": "user", "content": [{"type": "document", "source": {"type": "file", "file_id": name}}]}

    await ask(client, naming(file.id))
    with pytest.raises(anthropic.NotFoundError, match="File not found"):
        await ask(client, naming("file_none"))
    with pytest.raises(anthropic.BadRequestError, match="not downloadable"):
        await client.files.download(file.id)


async def test_a_paused_turn_goes_on_when_it_returns_unchanged(simulator: Simulator, client: AsyncAnthropic) -> None:
    simulator.turn(
        [
            Script(blocks=[{"type": "text", "text": "Let me look."}, {**FOUND, "part": "use"}]),
            Script(blocks=[{**FOUND, "part": "result"}, ANSWERED]),
        ],
        match="hello",
    )
    first = await ask(client, tools=[SEARCH])
    assert (first.stop_reason, kinds(first)) == ("pause_turn", ["text", "server_tool_use"])
    for changed in (first.content[1:], [*first.content, first.content[0]]):
        with pytest.raises(anthropic.BadRequestError, match="cannot be modified"):
            await ask(client, {"role": "assistant", "content": changed}, tools=[SEARCH])
    second = await ask(client, said_by(first), tools=[SEARCH])
    assert (second.stop_reason, kinds(second)) == ("end_turn", ["web_search_tool_result", "text"])
    together = [*first.content, *second.content]
    use, result = together[1], together[2]
    assert use.type == "server_tool_use"
    assert result.type == "web_search_tool_result"
    assert result.tool_use_id == use.id
    await ask(client, {"role": "assistant", "content": together}, {"role": "user", "content": "thanks"}, tools=[SEARCH])


async def test_the_tools_of_the_caller_are_called_and_answered(simulator: Simulator, client: AsyncAnthropic) -> None:
    simulator.turn(
        [
            Script(blocks=[{"type": "tool_use", "name": "clock", "input": {"zone": "UTC"}}]),
            Script(blocks=[{"type": "thinking", "thinking": "So late."}, {"type": "text", "text": "It is nine."}]),
        ],
        match="hello",
    )
    tools = [{"name": "clock", "input_schema": {"type": "object"}}]
    first = await ask(client, tools=tools)
    use = first.content[0]
    assert use.type == "tool_use"
    assert (first.stop_reason, use.name, use.input) == ("tool_use", "clock", {"zone": "UTC"})
    with pytest.raises(anthropic.BadRequestError, match="without `tool_result` blocks immediately after"):
        await ask(client, said_by(first), {"role": "user", "content": "well?"}, tools=tools)
    result = {"type": "tool_result", "tool_use_id": use.id, "content": "nine"}
    second = await ask(client, said_by(first), {"role": "user", "content": [result]}, tools=tools)
    assert kinds(second) == ["thinking", "text"]
    stray = {"type": "tool_result", "tool_use_id": "toolu_other", "content": "nine"}
    with pytest.raises(anthropic.BadRequestError, match="unexpected `tool_use_id`"):
        await ask(client, said_by(first), {"role": "user", "content": [result, stray]}, tools=tools)


WRONG: list[tuple[dict[str, Any], str]] = [
    ({"tools": [{**SEARCH, "allowed_domains": ["a.test"], "blocked_domains": ["b.test"]}]}, "Only one of"),
    ({"tools": [{**SEARCH, "name": "search"}]}, "name"),
    ({"tools": [{"type": "web_search_latest", "name": "web_search"}]}, "expected tags"),
    ({"tools": [{"name": "a b", "input_schema": {"type": "object"}}]}, "pattern"),
    ({"tools": [{"name": "clock", "input_schema": {}}]}, "input_schema.type"),
    ({"tools": [{"name": "clock", "input_schema": {"type": "object"}}] * 2}, "unique"),
    ({"tools": [{"type": "mcp_toolset", "mcp_server_name": "desk"}]}, "expected tags"),
]


@pytest.mark.parametrize(("given", "words"), WRONG)
async def test_tools_that_make_no_sense_are_refused(client: AsyncAnthropic, given: dict[str, Any], words: str) -> None:
    with pytest.raises(anthropic.BadRequestError) as raised:
        await ask(client, **given)
    assert words in str(raised.value)


DESK: dict[str, Any] = {
    "mcp_servers": [{"type": "url", "name": "desk", "url": "https://desk.test/mcp", "authorization_token": "tok"}],
    "tools": [{"type": "mcp_toolset", "mcp_server_name": "desk"}],
}


async def ask_beta(client: AsyncAnthropic, *after: dict[str, Any], **given: Any) -> BetaMessage:
    base: dict[str, Any] = {"model": MODEL, "max_tokens": 4_000, "messages": [QUESTION, *after]}
    async with client.beta.messages.stream(**{**base, **given}) as stream:
        return await stream.get_final_message()


@pytest.mark.parametrize("beta", ["mcp-client-2025-11-20", "mcp-client-2026-09-15"])
async def test_the_tools_of_an_mcp_server_are_used(simulator: Simulator, client: AsyncAnthropic, beta: str) -> None:
    used = {"type": "mcp", "server": "desk", "name": "book", "input": {"seat": 4}, "content": "booked"}
    simulator.script(Script(blocks=[used, {"type": "text", "text": "Done."}]))
    said = await ask_beta(client, betas=[beta], **DESK)
    use, result, _ = said.content
    assert use.type == "mcp_tool_use"
    assert (use.name, use.server_name, use.input) == ("book", "desk", {"seat": 4})
    assert result.type == "mcp_tool_result"
    assert (result.tool_use_id, result.is_error) == (use.id, False)
    follow = {"role": "user", "content": "thanks"}
    await ask_beta(client, said_by(said), follow, betas=[beta], **DESK)
    with pytest.raises(anthropic.BadRequestError, match="mcp_tool_use"):
        await ask_beta(client, said_by(said), follow)


async def test_mcp_servers_want_their_beta_header_and_a_toolset_each(client: AsyncAnthropic) -> None:
    betas = ["mcp-client-2025-11-20"]
    with pytest.raises(anthropic.BadRequestError, match="mcp_toolset"):
        await ask_beta(client, **DESK)
    with pytest.raises(anthropic.BadRequestError, match="mcp_servers: Extra inputs"):
        await ask_beta(client, mcp_servers=DESK["mcp_servers"])
    with pytest.raises(anthropic.BadRequestError, match="not referenced"):
        await ask_beta(client, betas=betas, mcp_servers=DESK["mcp_servers"])
    with pytest.raises(anthropic.BadRequestError, match="not found in mcp_servers"):
        await ask_beta(client, betas=betas, tools=DESK["tools"])
