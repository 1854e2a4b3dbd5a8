from typing import Any

import pytest
from slack_sdk.http_retry.builtin_async_handlers import AsyncRateLimitErrorRetryHandler

from sandbox.faults import Rule
from sandbox.slack import Simulator
from sandbox.slack.defaults import BOT, CHANNELS, PRIVATE, TEAM
from tests.sandbox.slack.library import ADA, BEN, GENERAL, Slack, a_client, a_simulator, refused

SECTION = {"type": "section", "text": {"type": "mrkdwn", "text": "in a block"}}


def button(label: str = "Go", **more: Any) -> dict[str, Any]:
    element = {"type": "button", "text": {"type": "plain_text", "text": label}, "action_id": "go", **more}
    return {"type": "actions", "elements": [element]}


async def test_the_library_learns_who_it_is(client: Slack) -> None:
    known = await client.auth_test()
    assert (known["user_id"], known["team_id"]) == (BOT, TEAM)
    user = (await client.users_info(user=ADA))["user"]
    assert (user["name"], user["profile"]["real_name"], user["is_bot"]) == ("user1", "Ada", False)


@pytest.mark.parametrize("token", ["", "xoxb-other", "xapp-demo-token"])
async def test_a_bad_token_is_refused(simulator: Simulator, token: str) -> None:
    async with a_client(simulator, token) as client:
        code = await refused(client.chat_postMessage(channel=GENERAL, text="x"))
        assert code == {"": "not_authed", "xoxb-other": "invalid_auth"}.get(token, "not_allowed_token_type")


async def test_a_missing_scope_is_named(simulator: Simulator, client: Slack) -> None:
    await simulator.set_scopes(remove=["chat:write"])
    assert await refused(client.chat_postMessage(channel=GENERAL, text="x")) == "missing_scope"
    assert await refused(client.api_call("chat.fly")) == "unknown_method"


async def test_a_message_is_posted_in_a_thread_with_metadata(simulator: Simulator, client: Slack) -> None:
    root = await simulator.say("user1", "general", "question")
    metadata = {"event_type": "turn", "event_payload": {"id": "7"}}
    posted = await client.chat_postMessage(channel=GENERAL, thread_ts=root["ts"], text="answer", metadata=metadata)
    shown = simulator.message(posted["ts"])
    assert (shown["content"], shown["thread"], shown["metadata"]) == ("answer", root["ts"], metadata)
    plain = await client.conversations_replies(channel=GENERAL, ts=root["ts"])
    assert "metadata" not in plain["messages"][1]
    full = await client.conversations_replies(channel=GENERAL, ts=root["ts"], include_all_metadata=True)
    assert full["messages"][1]["metadata"] == metadata
    assert [each["text"] for each in simulator.sees("user2", "general", root["ts"])] == ["question", "answer"]


async def test_where_the_bot_may_not_write(simulator: Simulator, client: Slack) -> None:
    async def code(channel: str) -> str:
        return await refused(client.chat_postMessage(channel=channel, text="x"))

    assert await code("C0NOWHERE99") == "channel_not_found"
    assert await code(CHANNELS["lounge"]) == "not_in_channel"
    assert await code(PRIVATE["backroom"]) == "channel_not_found"
    await simulator.read_only("random")
    assert await code(CHANNELS["random"]) == "restricted_action_read_only_channel"
    await simulator.archive("support")
    assert await code(CHANNELS["support"]) == "is_archived"
    await client.conversations_join(channel=CHANNELS["lounge"])
    await client.chat_postMessage(channel=CHANNELS["lounge"], text="now")
    await simulator.kick("general")
    assert await code(GENERAL) == "not_in_channel"


async def test_what_is_wrong_with_a_message(simulator: Simulator, client: Slack) -> None:
    async def code(**given: Any) -> str:
        return await refused(client.api_call("chat.postMessage", json={"channel": GENERAL, **given}))

    assert await code() == "no_text"
    assert await code(text="a", markdown_text="b") == "markdown_text_conflict"
    assert await code(markdown_text="x" * 12_001) == "msg_too_long"
    assert await code(text="a", thread_ts="1.000001") == "thread_not_found"
    assert await code(text="a", thread_ts="yesterday") == "invalid_thread_ts"
    assert await code(text="a", metadata={"event_type": 5}) == "invalid_metadata_schema"
    assert await code(blocks="{") == "invalid_blocks_format"
    assert await code(blocks=[{"type": "marquee"}]) == "invalid_blocks"
    assert await code(blocks=[SECTION] * 51) == "invalid_blocks"
    assert await code(blocks=[{"type": "section", "text": {"type": "mrkdwn", "text": "x" * 3001}}]) == "invalid_blocks"
    assert await code(blocks=[button("x" * 76)]) == "invalid_blocks"
    assert await code(blocks=[button(value="x" * 2001)]) == "invalid_blocks"
    assert await code(blocks=[button(action_id="x" * 256)]) == "invalid_blocks"
    assert await code(blocks=[{"type": "markdown", "text": "x" * 7000}] * 2) == "msg_blocks_too_long"
    root = await simulator.say("user1", "general", "root")
    reply = await simulator.say("user1", "general", "reply", thread=root["ts"])
    assert await code(text="a", thread_ts=reply["ts"]) == "cannot_reply_to_message"


async def test_a_long_text_is_cut_off_on_posting_and_refused_on_updating(simulator: Simulator, client: Slack) -> None:
    posted = await client.chat_postMessage(channel=GENERAL, text="x" * 40_001)
    assert len(simulator.message(posted["ts"])["content"]) == 40_000
    assert await refused(client.chat_update(channel=GENERAL, ts=posted["ts"], text="x" * 4001)) == "msg_too_long"
    await client.chat_update(channel=GENERAL, ts=posted["ts"], markdown_text="x" * 12_000)


async def test_text_takes_blocks_away_and_blocks_alone_are_no_edit(simulator: Simulator, client: Slack) -> None:
    ts = (await client.chat_postMessage(channel=GENERAL, text="a", blocks=[SECTION, button()]))["ts"]
    assert simulator.sees("user1", "general")[-1]["text"] == "in a block"
    assert simulator.message(ts)["buttons"] == ["Go"]
    updated = await client.chat_update(channel=GENERAL, ts=ts, text="b", blocks=[SECTION])
    assert "edited" not in updated["message"]
    updated = await client.chat_update(channel=GENERAL, ts=ts, text="c")
    assert "blocks" not in updated["message"]
    assert simulator.sees("user1", "general")[-1]["edited"]
    assert [each["content"] for each in simulator.message(ts)["history"]] == ["a", "b", "c"]


async def test_metadata_stays_until_it_is_taken_away(simulator: Simulator, client: Slack) -> None:
    metadata = {"event_type": "turn", "event_payload": {"id": "7"}}
    ts = (await client.chat_postMessage(channel=GENERAL, text="a", metadata=metadata))["ts"]
    await client.chat_update(channel=GENERAL, ts=ts, text="b")
    assert simulator.message(ts)["metadata"] == metadata
    await client.chat_update(channel=GENERAL, ts=ts, text="c", metadata={})
    assert simulator.message(ts)["metadata"] is None


async def test_only_own_messages_can_be_changed(simulator: Simulator, client: Slack) -> None:
    said = await simulator.say("user1", "general", "mine")
    assert await refused(client.chat_update(channel=GENERAL, ts=said["ts"], text="x")) == "cant_update_message"
    assert await refused(client.chat_delete(channel=GENERAL, ts=said["ts"])) == "cant_delete_message"
    assert await refused(client.chat_update(channel=GENERAL, ts="1.000001", text="x")) == "message_not_found"
    ts = (await client.chat_postMessage(channel=GENERAL, text="a"))["ts"]
    await client.chat_delete(channel=GENERAL, ts=ts)
    assert await refused(client.chat_delete(channel=GENERAL, ts=ts)) == "message_not_found"


async def test_an_ephemeral_message_is_for_one_person(simulator: Simulator, client: Slack) -> None:
    ts = (await client.chat_postEphemeral(channel=GENERAL, user=ADA, text="psst"))["message_ts"]
    assert [each["text"] for each in simulator.sees("user1", "general")] == ["psst"]
    assert simulator.sees("user2", "general") == []
    assert await refused(client.chat_update(channel=GENERAL, ts=ts, text="x")) == "message_not_found"
    assert (await client.conversations_history(channel=GENERAL))["messages"] == []
    await simulator.kick("general", "user2")
    assert await refused(client.chat_postEphemeral(channel=GENERAL, user=BEN, text="x")) == "user_not_in_channel"


async def test_pings_are_counted_and_escapes_are_none(simulator: Simulator, client: Slack) -> None:
    async def pinged(**given: Any) -> Any:
        posted = await client.api_call("chat.postMessage", json={"channel": GENERAL, **given})
        return simulator.message(posted["ts"])["pinged"]

    assert await pinged(text=f"<@{ADA}> <!here>") == {"users": [ADA], "groups": [], "everyone": True}
    assert await pinged(text=f"&lt;@{ADA}&gt; &lt;!here&gt;") == {"users": [], "groups": [], "everyone": False}
    assert await pinged(text="x", blocks=[{"type": "markdown", "text": f"<@{ADA}>"}]) == {
        "users": [ADA],
        "groups": [],
        "everyone": False,
    }
    assert await pinged(markdown_text="<!subteam^S1>") == {"users": [], "groups": ["S1"], "everyone": False}


async def test_what_people_write_is_escaped_and_read_back(simulator: Simulator) -> None:
    text = "@user2 see #random & https://a.example/x?b=1 <b> @here"
    said = await simulator.say("user1", "general", text)
    assert said["content"] == (f"<@{BEN}> see <#{CHANNELS['random']}|random> &amp; <https://a.example/x?b=1> &lt;b&gt; <!here>")
    assert simulator.sees("user2", "general")[0]["text"] == text


async def test_reactions_of_the_bot(simulator: Simulator, client: Slack) -> None:
    said = await simulator.say("user1", "general", "hello")
    await client.reactions_add(channel=GENERAL, timestamp=said["ts"], name="eyes")
    assert simulator.message(said["id"])["reactions"] == {"eyes": [BOT]}
    assert await refused(client.reactions_add(channel=GENERAL, timestamp=said["ts"], name="eyes")) == "already_reacted"
    assert await refused(client.reactions_add(channel=GENERAL, timestamp=said["ts"], name="No!")) == "invalid_name"
    await client.reactions_remove(channel=GENERAL, timestamp=said["ts"], name="eyes")
    assert await refused(client.reactions_remove(channel=GENERAL, timestamp=said["ts"], name="eyes")) == "no_reaction"


async def test_posts_are_limited_per_channel_and_other_methods_per_workspace() -> None:
    now = [0.0]
    limits = {"post_limit": (1, 1.0), "tier3": (2, 60.0), "monotonic": lambda: now[0]}
    async with a_simulator(**limits) as simulator, a_client(simulator) as client:
        ts = (await client.chat_postMessage(channel=GENERAL, text="a"))["ts"]
        assert await refused(client.chat_postMessage(channel=GENERAL, text="b")) == "ratelimited"
        await client.chat_postMessage(channel=CHANNELS["random"], text="b")
        for text in "bc":
            await client.chat_update(channel=GENERAL, ts=ts, text=text)
        now[0] = 20.0
        assert await refused(client.chat_update(channel=GENERAL, ts=ts, text="d")) == "ratelimited"
        [last] = simulator.calls.after(len(simulator.calls) - 1)
        assert last.status == 429
        assert simulator.stats()["suffered_by_method"] == {"chat.postMessage": 1, "chat.update": 1}
        now[0] = 61.0
        await client.chat_update(channel=GENERAL, ts=ts, text="d")


async def test_the_library_waits_as_long_as_it_is_told() -> None:
    async with a_simulator(post_limit=(1, 1.0)) as simulator, a_client(simulator) as client:
        client.retry_handlers.append(AsyncRateLimitErrorRetryHandler(max_retry_count=2))
        for text in "ab":
            await client.chat_postMessage(channel=GENERAL, text=text)
        assert [each["content"] for each in simulator.messages("general")] == ["a", "b"]
        assert simulator.stats()["suffered"] >= 1


async def test_a_fault_after_a_post_leaves_the_message(simulator: Simulator, client: Slack) -> None:
    await simulator.fault(
        Rule("status", path="chat.postMessage", moment="after", status=500, body={"ok": False, "error": "fatal_error"})
    )
    assert await refused(client.chat_postMessage(channel=GENERAL, text="a")) == "fatal_error"
    [shown] = simulator.messages("general")
    assert shown["content"] == "a"
    [call] = simulator.log()
    assert (call["path"], call["fault"], call["status"], call["body"]["text"]) == ("/chat.postMessage", "status-after", 500, "a")
