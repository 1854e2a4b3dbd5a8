from typing import Any

from slack_sdk.models.messages.chunk import TaskUpdateChunk

from sandbox.slack import Simulator
from sandbox.slack.defaults import TEAM
from tests.sandbox.slack.library import ADA, GENERAL, Bot, Clock, Slack, a_bot, a_client, a_simulator, refused


async def started(simulator: Simulator, client: Slack, **given: Any) -> tuple[str, str]:
    """A stream under a message of user1: the ts of the root and of the stream."""
    root = (await simulator.say("user1", "general", "question"))["ts"]
    stream = await client.chat_startStream(
        channel=GENERAL, thread_ts=root, recipient_user_id=ADA, recipient_team_id=TEAM, **given
    )
    return root, stream["ts"]


async def test_a_stream_grows_and_ends(simulator: Simulator, client: Slack) -> None:
    root, ts = await started(simulator, client, markdown_text="one ")
    await client.chat_appendStream(channel=GENERAL, ts=ts, markdown_text="**two**")
    [_, line] = simulator.sees("user1", "general", root)
    assert (line["text"], line["state"]) == ("one **two**", "streaming")
    metadata = {"event_type": "turn", "event_payload": {"id": "7"}}
    blocks = [{"type": "section", "text": {"type": "mrkdwn", "text": "sources"}}]
    stopped = await client.chat_stopStream(channel=GENERAL, ts=ts, markdown_text=".", blocks=blocks, metadata=metadata)
    assert stopped["message"]["text"] == "one **two**."
    [_, line] = simulator.sees("user1", "general", root)
    assert (line["text"], line["state"], line["edited"]) == ("one **two**.\nsources", None, False)
    assert simulator.message(ts)["metadata"] == metadata
    assert await refused(client.chat_appendStream(channel=GENERAL, ts=ts, markdown_text="x")) == "message_not_in_streaming_state"


async def test_the_helper_of_the_library_works(simulator: Simulator, client: Slack) -> None:
    root = (await simulator.say("user1", "general", "question"))["ts"]
    stream = await client.chat_stream(
        channel=GENERAL, thread_ts=root, recipient_user_id=ADA, recipient_team_id=TEAM, buffer_size=4
    )
    for piece in ("one ", "two ", "th"):
        await stream.append(markdown_text=piece)
    await stream.append(chunks=[TaskUpdateChunk(id="t", title="Looking", status="complete")])
    await stream.stop(markdown_text="ree")
    [_, shown] = simulator.messages("general", thread=root)
    assert (shown["content"], shown["stream"]["mode"], shown["stream"]["state"]) == ("one two three", "chunks", "stopped")
    assert shown["stream"]["tasks"]["t"]["title"] == "Looking"


async def test_a_stream_in_a_channel_names_its_recipient(simulator: Simulator, client: Slack) -> None:
    root = (await simulator.say("user1", "general", "question"))["ts"]

    async def code(**given: str) -> str:
        return await refused(client.api_call("chat.startStream", json={"channel": GENERAL, "thread_ts": root, **given}))

    assert await code() == "missing_recipient_user_id"
    assert await code(recipient_user_id=ADA) == "missing_recipient_team_id"
    assert await code(recipient_user_id="U0", recipient_team_id=TEAM) == "user_not_found"
    direct = await simulator.say("user1", "", "hello", direct=True)
    opened = await client.chat_startStream(channel=direct["channel"], thread_ts=direct["ts"])
    assert simulator.message(opened["ts"])["thread"] == direct["ts"]
    assert await refused(client.api_call("chat.startStream", json={"channel": direct["channel"]})) == "invalid_arguments"


async def test_a_stream_keeps_its_mode(simulator: Simulator, client: Slack) -> None:
    _, ts = await started(simulator, client, markdown_text="one")

    async def code(**given: Any) -> str:
        return await refused(client.api_call("chat.appendStream", json={"channel": GENERAL, "ts": ts, **given}))

    chunk = {"type": "markdown_text", "text": "two"}
    assert await code(chunks=[chunk]) == "streaming_mode_mismatch"
    assert await code(chunks=[chunk], markdown_text="x") == "cannot_provide_both_markdown_text_and_chunks"
    assert await code() == "markdown_text_or_chunks_required"
    assert await code(chunks=[{"type": "dance"}]) == "invalid_chunks"
    said = await simulator.say("user1", "general", "mine")
    assert await code(ts=said["ts"], markdown_text="x") == "message_not_owned_by_app"
    posted = (await client.chat_postMessage(channel=GENERAL, text="a"))["ts"]
    assert await code(ts=posted, markdown_text="x") == "message_not_in_streaming_state"


async def test_a_stream_runs_out_after_its_lifetime_and_can_be_repaired() -> None:
    clock = Clock()
    async with a_simulator(clock=clock) as simulator, a_client(simulator) as client:
        root, ts = await started(simulator, client, markdown_text="one")
        assert await refused(client.chat_update(channel=GENERAL, ts=ts, text="x")) == "streaming_state_conflict"
        clock.now += 299
        await client.chat_appendStream(channel=GENERAL, ts=ts, markdown_text=" two")
        clock.now += 1
        for call in (client.chat_appendStream, client.chat_stopStream):
            assert await refused(call(channel=GENERAL, ts=ts, markdown_text="x")) == "message_not_in_streaming_state"
        assert simulator.sees("user1", "general", root)[1]["state"] == "broken"
        await client.chat_update(channel=GENERAL, ts=ts, markdown_text="one two three")
        line = simulator.sees("user1", "general", root)[1]
        assert (line["text"], line["state"]) == ("one two three", None)


async def test_an_open_stream_can_be_neither_changed_nor_deleted(simulator: Simulator, client: Slack) -> None:
    root, ts = await started(simulator, client, markdown_text="one")
    assert await refused(client.chat_update(channel=GENERAL, ts=ts, text="x")) == "streaming_state_conflict"
    assert await refused(client.chat_delete(channel=GENERAL, ts=ts)) == "cant_delete_message"
    answer = await client.conversations_replies(channel=GENERAL, ts=root)
    assert answer["messages"][1]["streaming_state"] == "in_progress"
    stopped = await client.chat_stopStream(channel=GENERAL, ts=ts)
    assert stopped["message"]["streaming_state"] == "completed"
    await client.chat_delete(channel=GENERAL, ts=ts)


async def test_an_update_replaces_what_was_streamed(simulator: Simulator, client: Slack) -> None:
    root, ts = await started(simulator, client, markdown_text="one")
    await client.chat_stopStream(channel=GENERAL, ts=ts, markdown_text=" two")
    blocks = [{"type": "markdown", "text": "three"}]
    await client.chat_update(channel=GENERAL, ts=ts, text="3", blocks=blocks)
    assert simulator.sees("user1", "general", root)[1]["text"] == "three"
    for call in (client.chat_appendStream, client.chat_stopStream):
        assert await refused(call(channel=GENERAL, ts=ts, markdown_text="x")) == "message_not_in_streaming_state"


async def test_streams_can_be_made_to_run_out(simulator: Simulator, client: Slack) -> None:
    _, ts = await started(simulator, client, markdown_text="one")
    await simulator.expire_streams()
    assert await refused(client.chat_stopStream(channel=GENERAL, ts=ts)) == "message_not_in_streaming_state"


async def test_a_stream_holds_only_so_much(simulator: Simulator, client: Slack) -> None:
    _, ts = await started(simulator, client, markdown_text="é" * 5000)
    assert await refused(client.chat_appendStream(channel=GENERAL, ts=ts, markdown_text="x" * 601)) == "msg_too_long"
    await client.chat_appendStream(channel=GENERAL, ts=ts, markdown_text="x" * 600)
    assert await refused(client.chat_appendStream(channel=GENERAL, ts=ts, markdown_text="x")) == "msg_too_long"
    await client.chat_stopStream(channel=GENERAL, ts=ts)


async def test_starts_are_limited_per_workspace() -> None:
    async with a_simulator(tier2=(2, 60.0)) as simulator, a_client(simulator) as client:
        for _ in range(2):
            await started(simulator, client)
        assert await refused(started(simulator, client)) == "ratelimited"


async def test_a_workspace_without_streaming_knows_no_such_method(simulator: Simulator, client: Slack) -> None:
    await simulator.set_features(streaming=False)
    assert await refused(started(simulator, client)) == "unknown_method"


async def test_the_end_of_a_stream_is_told_like_a_change(simulator: Simulator, bot: Bot) -> None:
    _, ts = await started(simulator, bot.client, markdown_text="one")
    await bot.client.chat_appendStream(channel=GENERAL, ts=ts, markdown_text=" two")
    await bot.client.chat_stopStream(channel=GENERAL, ts=ts)
    await simulator.wait_for(lambda: simulator.delivery.busy == 0)
    [change] = [each for each in simulator.delivery.sent if each.name == "message.message_changed"]
    assert change.payload["event"]["message"]["text"] == "one two"


async def test_the_stop_button_stops_the_streams_and_tells_the_app() -> None:
    async with a_simulator() as simulator, a_bot(simulator) as bot:
        root, ts = await started(simulator, bot.client, markdown_text="one")
        session = await bot.client.agents_sessions_setStatus(
            channel_id=GENERAL, thread_ts=root, status="processing", title="A question"
        )
        assert (session["status"], session["agent_status"], session["title"]) == ("processing", "processing", "A question")
        await simulator.stop("user1", "general", root)
        told = await bot.hears("agent_session_stopped")
        assert (told["thread_ts"], told["user"], told["streaming_message_ts"]) == (root, ADA, [ts])
        assert await refused(bot.client.chat_appendStream(channel=GENERAL, ts=ts, markdown_text="x")) == "stopped_by_user"
        assert simulator.sessions()[0]["status"] == "processing"
        await bot.client.chat_stopStream(channel=GENERAL, ts=ts, session_status="closed")
        assert simulator.sessions()[0]["status"] == "closed"
