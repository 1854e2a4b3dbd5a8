"""Streams: their events, their bytes, their ways to break, and what the conversation keeps."""

import asyncio
from typing import cast

import aiohttp
import pytest

from sandbox.claude_web import ROOT, ClaudeWebSimulator, Script
from sandbox.faults import Rule

from .client import Http, body, is_uuid, new_uuid, parse, text_of, turn

KNOWN = ["message_start", "content_block_start", "content_block_delta", "content_block_stop"]


async def test_a_first_message_makes_the_conversation_and_is_answered(web: ClaudeWebSimulator, http: Http) -> None:
    uuid, human, assistant = new_uuid(), new_uuid(), new_uuid()
    events = await http.say(uuid, "good morning", create_conversation_params={}, turn_message_uuids=turn(human, assistant))
    assert [event.name for event in events] == [*KNOWN, "message_delta", "message_limit", "message_stop"]
    assert all(event.name == event.data["type"] for event in events)
    assert text_of(events) == "You said: good morning"
    start = events[0].data["message"]
    assert (start["uuid"], start["parent_uuid"], start["role"]) == (assistant, human, "assistant")
    found = await http.tree(uuid)
    assert [(each["uuid"], each["parent_message_uuid"], each["sender"]) for each in found["chat_messages"]] == [
        (human, ROOT, "human"),
        (assistant, human, "assistant"),
    ]
    assert found["chat_messages"][1]["content"][0]["text"] == "You said: good morning"
    assert found["chat_messages"][1]["stop_reason"] == "end_turn"
    assert found["current_leaf_message_uuid"] == assistant
    assert (await web.ended()).notes["outcome"] == "whole"


async def test_without_chosen_uuids_the_service_makes_its_own(http: Http) -> None:
    events = await http.say(new_uuid(), create_conversation_params={})
    assert is_uuid(events[0].data["message"]["uuid"])


async def test_a_drip_keeps_its_number_of_deltas_and_its_time(web: ClaudeWebSimulator, http: Http) -> None:
    web.script(Script(words=50, deltas=10, think=0.05, seconds=0.2))
    await http.begin()
    times = cast("list[float]", (await web.ended()).notes["deltas"])
    assert len(times) == 10
    assert times[-1] - times[0] > 0.15


@pytest.mark.parametrize("newline", ["\n", "\r\n", "\r"])
async def test_lines_end_as_the_script_says(web: ClaudeWebSimulator, http: Http, newline: str) -> None:
    web.script(Script.of({"newline": newline, "text": "one\ntwo"}))
    path = http.conversation(new_uuid(), "/completion")
    async with http.session.post(path, json=body(create_conversation_params={})) as response:
        raw = await response.read()
    assert raw.endswith(2 * newline.encode())
    assert (b"\r" in raw, b"\n" in raw) == ("\r" in newline, "\n" in newline)
    assert text_of(parse(raw)) == "one\ntwo"


@pytest.mark.parametrize("cut", [{"split_bytes": True}, {"bytes_each": 7}])
async def test_text_cut_inside_a_character_arrives_whole(web: ClaudeWebSimulator, http: Http, cut: dict[str, object]) -> None:
    text = "schön 😀 日本語 " * 2
    web.script(Script.of({"text": text, "deltas": 3, **cut}))
    path, broken = http.conversation(new_uuid(), "/completion"), 0
    raw = b""
    async with http.session.post(path, json=body(create_conversation_params={})) as response:
        async for chunk, _ in response.content.iter_chunks():
            raw += chunk
            try:
                chunk.decode()
            except UnicodeDecodeError:
                broken += 1
    assert broken
    assert text_of(parse(raw)) == text


async def test_strange_events_thinking_a_tool_and_pings_come_between(web: ClaudeWebSimulator, http: Http) -> None:
    web.script(Script(unknown_events=True, thinking="let me see", tool="repl", text="answer", deltas=3, seconds=0.1, pings=0.03))
    events = await http.say(uuid := new_uuid(), create_conversation_params={})
    names = {event.name for event in events}
    assert names >= {"shimmer", "ping", "conversation_ready"}
    assert text_of(events) == "answer"
    blocks = (await http.tree(uuid))["chat_messages"][1]["content"]
    assert [block["type"] for block in blocks] == ["thinking", "tool_use", "tool_result", "text"]
    starts = [event.data["content_block"]["type"] for event in events if event.name == "content_block_start"]
    assert starts == ["thinking", "tool_use", "tool_result", "text"]
    parts = [event.data["delta"].get("partial_json", "") for event in events if event.name == "content_block_delta"]
    assert "".join(parts) == '{"command": "run"}'


async def test_a_cut_stream_breaks_off_and_keeps_what_was_sent(web: ClaudeWebSimulator, http: Http) -> None:
    web.script(Script(text="abcdef", deltas=6, seconds=0.05, after=3, ending="cut"))
    uuid = new_uuid()
    with pytest.raises(aiohttp.ClientPayloadError):
        await http.say(uuid, create_conversation_params={})
    call = await web.ended()
    assert (call.notes["outcome"], call.status, len(call.notes["deltas"])) == ("cut", 200, 3)
    last = web.branch(uuid)[-1]
    assert (last.sender, last.text, last.stop_reason) == ("assistant", "abc", "user_canceled")


async def test_an_early_end_has_no_message_stop(web: ClaudeWebSimulator, http: Http) -> None:
    web.script(Script(text="abcdef", deltas=6, after=2, ending="eof", stored="human"))
    events = await http.say(uuid := new_uuid(), create_conversation_params={})
    assert events[-1].name == "content_block_delta"
    assert await http.texts(uuid) == ["hello"]


async def test_an_error_event_ends_a_stream(web: ClaudeWebSimulator, http: Http) -> None:
    web.script(Script(text="abcdef", after=1, ending="error", error_type="overloaded_error", stored="nothing"))
    events = await http.say(uuid := new_uuid(), create_conversation_params={})
    assert events[-1].name == "error"
    assert events[-1].data["error"]["type"] == "overloaded_error"
    assert uuid not in web.conversations


@pytest.mark.parametrize(
    ("stored", "kept"),
    [
        ("whole", ["hello", "abcdef"]),
        ("partial", ["hello", "abc"]),
        ("human", ["hello"]),
        ("nothing", []),
    ],
)
async def test_a_caller_who_leaves_finds_what_the_script_says(
    web: ClaudeWebSimulator, http: Http, stored: str, kept: list[str]
) -> None:
    uuid = await http.begin("before")
    web.script(Script.of({"text": "abcdef", "deltas": 6, "after": 3, "ending": "silence", "stored": stored, "seconds": 0.05}))
    asking = asyncio.create_task(http.say(uuid))
    await web.wait_for(lambda: len(web.asked()) == 2 and len(web.asked()[-1].notes.get("deltas", ())) == 3)
    asking.cancel()
    assert (await web.ended(2)).notes["outcome"] == "disconnected"
    texts = ["before", "You said: before", *kept]
    await web.wait_for(lambda: [message.text for message in web.branch(uuid)] == texts)


async def test_a_request_that_is_cut_before_its_answer_may_have_been_answered_all_the_same(
    web: ClaudeWebSimulator, http: Http
) -> None:
    web.script(Script(cut_before=True, stored="whole"))
    uuid = new_uuid()
    with pytest.raises(aiohttp.ServerDisconnectedError):
        await http.say(uuid, create_conversation_params={})
    assert await http.texts(uuid) == ["hello", "You said: hello"]
    assert (await web.ended()).status is None


async def test_an_answer_may_show_later_than_its_stream_ends(web: ClaudeWebSimulator, http: Http) -> None:
    web.script(Script(lag=0.05))
    events = await http.say(uuid := new_uuid(), create_conversation_params={})
    assert events[-1].name == "message_stop"
    assert await http.texts(uuid) == ["hello"]
    await web.wait_for(lambda: len(web.branch(uuid)) == 2)


async def test_a_stop_ends_the_stream_and_keeps_what_was_sent(web: ClaudeWebSimulator, http: Http) -> None:
    web.script(Script(text="abcdef", deltas=6, seconds=60, stored="human"))
    uuid = new_uuid()
    asking = asyncio.create_task(http.say(uuid, create_conversation_params={}))
    await web.wait_for(lambda: web.asked() and web.asked()[0].notes.get("deltas"))
    status, _ = await http.call("POST", http.conversation(uuid, "/stop_response"))
    events = await asking
    assert status == 200
    assert [event.name for event in events[-2:]] == ["message_delta", "message_stop"]
    assert events[-2].data["delta"]["stop_reason"] == "user_canceled"
    assert await http.texts(uuid) == ["hello", "a"]
    assert (await web.ended()).notes["outcome"] == "stopped"
    assert (await http.call("POST", http.conversation(uuid, "/stop_response")))[0] == 200


async def test_a_stop_inside_an_event_sends_that_event_to_its_end(web: ClaudeWebSimulator, http: Http) -> None:
    web.script(Script(text="abcdef", deltas=6, bytes_each=3))
    uuid = new_uuid()
    asking = asyncio.create_task(http.say(uuid, create_conversation_params={}))
    await web.wait_for(lambda: web.asked() and web.asked()[0].notes.get("deltas"))
    await http.call("POST", http.conversation(uuid, "/stop_response"))
    events = await asking
    assert events[-1].name == "message_stop"
    assert text_of(events).startswith((await http.texts(uuid))[1])


async def test_silence_can_be_stopped_too(web: ClaudeWebSimulator, http: Http) -> None:
    web.script(Script(text="abcdef", deltas=6, after=2, ending="silence", pings=0.01))
    uuid = new_uuid()
    asking = asyncio.create_task(http.say(uuid, create_conversation_params={}))
    await web.wait_for(lambda: web.asked() and len(web.asked()[0].notes.get("deltas", ())) == 2)
    await http.call("POST", http.conversation(uuid, "/stop_response"))
    assert (await asking)[-1].name == "message_stop"


async def test_faults_strike_a_completion_before_it_takes_effect_or_after(web: ClaudeWebSimulator, http: Http) -> None:
    web.faults.set(Rule("reset", path="/completion$"))
    uuid = new_uuid()
    with pytest.raises(aiohttp.ServerDisconnectedError):
        await http.say(uuid, create_conversation_params={})
    assert uuid not in web.conversations
    web.faults.set(Rule("reset", path="/completion$", moment="after"))
    with pytest.raises(aiohttp.ClientPayloadError):
        await http.say(uuid, create_conversation_params={})
    assert await http.texts(uuid) == ["hello", "You said: hello"]
    assert [call.fault for call in web.asked()] == ["reset-before", "reset-after"]


def test_a_script_with_a_slip_is_refused() -> None:
    for wrong in ({"stored": "half"}, {"ending": "bang"}, {"wait": -1}, {"deltas": 0}, {"newline": "x"}, {"colour": "red"}):
        with pytest.raises(ValueError, match=r"must be|times are|deltas|has no"):
            Script.of(wrong)
