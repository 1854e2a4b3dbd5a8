"""The control API, the journal, and the simulator as a process of its own."""

from pathlib import Path

import aiohttp

from sandbox.claude_web import CHAT_ORGANIZATION, ClaudeWebSimulator, Config
from tests.sandbox.far import apart

from .client import Http, body, new_uuid, open_http, parse, text_of


async def test_the_control_api_does_what_the_object_does(web: ClaudeWebSimulator, http: Http) -> None:
    async def control(method: str, path: str, data: object = None) -> int:
        return (await http.call(method, f"/control/{path}", data))[0]

    async def say(text: str) -> int:
        sent = body(text, create_conversation_params={})
        return (await http.call("POST", http.conversation(new_uuid(), "/completion"), sent))[0]

    assert await control("POST", "scripts", {"match": "odd", "times": 1, "script": {"status": 529}}) == 200
    assert await control("POST", "scripts", {"script": {"colour": "red"}}) == 400
    assert await control("POST", "faults", {"action": "status", "status": 500}) == 200
    assert await control("POST", "faults", {"action": "dance"}) == 400
    assert await control("PUT", "default", {"text": "as told"}) == 200
    assert [await say(text) for text in ("first", "odd", "odd")] == [500, 529, 200]
    assert [message.text for message in web.branch(next(iter(web.conversations)))] == ["odd", "as told"]
    _, shown = await http.call("GET", "/control/conversations")
    assert [message["content"][0]["text"] for message in shown["conversations"][0]["chat_messages"]] == ["odd", "as told"]
    _, log = await http.call("GET", "/control/log", after="1", bodies="0")
    assert [call["status"] for call in log["calls"]] == [529, 200]
    assert "body" not in log["calls"][0]
    for named in ({"host": "evil.example"}, {"origin": "http://evil.example"}):
        async with http.session.get("/control/scripts", headers=named) as response:
            assert response.status == 403


async def test_the_state_of_the_account_can_be_set_from_outside(http: Http) -> None:
    async def state(**values: object) -> int:
        return (await http.call("PUT", "/control/state", values))[0]

    async def ask() -> int:
        sent = body(create_conversation_params={})
        return (await http.call("POST", http.conversation(new_uuid(), "/completion"), sent))[0]

    assert await state(remaining=0, resets_at=9e9) == 200
    assert await ask() == 429
    assert await state(session_refusal=401) == 200
    assert await ask() == 401
    assert await state(edge_blocks=True) == 200
    assert await ask() == 403
    assert await state(edge_blocks=False, session_refusal=None, remaining=None) == 200
    assert await ask() == 200
    assert await state(colour="red") == 400
    assert await state(session_refusal=500) == 400


async def test_the_journal_outlives_the_simulator(tmp_path: Path) -> None:
    config = Config(journal=tmp_path / "calls.jsonl")
    async with ClaudeWebSimulator(config) as web:
        async for http in open_http(web):
            await http.begin("kept")
    async with ClaudeWebSimulator(config) as again:
        assert [call.notes["prompt"] for call in again.asked()] == ["kept"]


async def test_as_a_process_it_says_where_it_is_and_stops_on_a_signal() -> None:
    arguments = ("--script", '{"text": "from afar"}', "--session-key", "sk-mine")
    async with apart("sandbox.claude_web", *arguments) as ready:
        path = f"/api/organizations/{CHAT_ORGANIZATION}/chat_conversations/{new_uuid()}/completion"
        async with aiohttp.ClientSession(ready["url"], headers={"cookie": "sessionKey=sk-mine"}) as session:
            async with session.post(path, json=body(create_conversation_params={})) as response:
                assert text_of(parse(await response.read())) == "from afar"
            async with session.get(f"{ready['control']}/log") as response:
                assert len((await response.json())["calls"]) == 1
