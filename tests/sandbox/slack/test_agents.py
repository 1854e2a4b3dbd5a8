import pytest

from sandbox.slack import Simulator
from sandbox.slack.interacting import Wrong
from tests.sandbox.slack.library import ADA, GENERAL, Bot, Clock, Slack, a_client, a_simulator, refused


async def test_a_status_shows_until_the_bot_writes_or_two_minutes_have_passed() -> None:
    clock = Clock()
    async with a_simulator(clock=clock) as simulator, a_client(simulator) as client:
        root = (await simulator.say("user1", "general", "question"))["ts"]
        await client.assistant_threads_setStatus(channel_id=GENERAL, thread_ts=root, status="is thinking", loading_messages=["a"])
        [status] = simulator.statuses()
        assert (status["status"], status["thread"], status["loading"]) == ("is thinking", root, ["a"])
        clock.now += 120
        assert simulator.statuses() == []
        await client.assistant_threads_setStatus(channel_id=GENERAL, thread_ts=root, status="is thinking")
        await client.chat_postMessage(channel=GENERAL, thread_ts=root, text="answer")
        assert simulator.statuses() == []
        await client.assistant_threads_setStatus(channel_id=GENERAL, thread_ts=root, status="is thinking")
        await client.assistant_threads_setStatus(channel_id=GENERAL, thread_ts=root, status="")
        assert simulator.statuses() == []
        late = client.assistant_threads_setStatus(channel_id=GENERAL, thread_ts="1.000001", status="x")
        assert await refused(late) == "invalid_thread_ts"
        many = client.assistant_threads_setStatus(channel_id=GENERAL, thread_ts=root, status="x", loading_messages=["a"] * 11)
        assert await refused(many) == "invalid_arguments"


async def test_prompts_are_offered_in_the_messages_tab(simulator: Simulator, bot: Bot) -> None:
    await simulator.open_home("user1")
    opened = await bot.hears("app_home_opened")
    prompt = {"title": "Help", "message": "What can you do?"}
    await bot.client.assistant_threads_setSuggestedPrompts(channel_id=opened["channel"], prompts=[prompt], title="Try")
    assert simulator.prompts("user1") == {"title": "Try", "prompts": [prompt]}
    five = bot.client.assistant_threads_setSuggestedPrompts(channel_id=opened["channel"], prompts=[prompt] * 5)
    assert await refused(five) == "invalid_arguments"
    await simulator.set_features(agent=False)
    again = bot.client.assistant_threads_setSuggestedPrompts(channel_id=opened["channel"], prompts=[prompt])
    assert await refused(again) == "not_agent_app"


async def test_a_session_has_a_title_and_a_status(simulator: Simulator, client: Slack) -> None:
    root = await simulator.say("user1", "", "question", direct=True)
    where = {"channel_id": root["channel"], "thread_ts": root["ts"]}
    assert await refused(client.agents_sessions_rename(**where, title="x")) == "not_authorized"
    await client.agents_sessions_setStatus(**where, status="processing", title="First", initiator_user_id=ADA)
    await client.agents_sessions_setStatus(**where, status="active", title="Second")
    [session] = simulator.sessions()
    assert (session["status"], session["title"], session["initiator"]) == ("active", "First", ADA)
    await client.agents_sessions_rename(**where, title="Second")
    await client.assistant_threads_setTitle(**where, title="Third")
    assert simulator.sessions()[0]["title"] == "Third"
    assert await refused(client.agents_sessions_setStatus(**where, status="asleep")) == "invalid_status"
    assert await refused(client.agents_sessions_setStatus(channel_id=root["channel"], status="active")) == "thread_ts_required"
    with pytest.raises(Wrong, match="processing"):
        await simulator.stop("user1", root["channel"], root["ts"])


async def test_a_session_warns_an_app_that_hears_of_no_stop(simulator: Simulator, client: Slack) -> None:
    root = await simulator.say("user1", "", "question", direct=True)
    await simulator.set_subscriptions(remove=["agent_session_stopped"])
    where = {"channel_id": root["channel"], "thread_ts": root["ts"], "status": "processing"}
    answer = await client.agents_sessions_setStatus(**where)
    assert answer["warning"] == "missing_agent_session_stopped_event_subscription"
    with pytest.raises(Wrong, match="not subscribed"):
        await simulator.stop("user1", root["channel"], root["ts"])
    await simulator.set_features(agent_sessions=False)
    assert await refused(client.agents_sessions_setStatus(**where)) == "feature_disabled"


async def test_a_home_is_published(simulator: Simulator, client: Slack) -> None:
    blocks = [{"type": "section", "text": {"type": "mrkdwn", "text": "Welcome"}}]
    await client.views_publish(user_id=ADA, view={"type": "home", "blocks": blocks})
    home = simulator.home("user1")
    assert home is not None
    assert home["blocks"][0]["text"]["text"] == "Welcome"
    await simulator.set_features(home_tab=False)
    assert await refused(client.views_publish(user_id=ADA, view={"type": "home", "blocks": blocks})) == "not_enabled"


async def test_without_a_messages_tab_nothing_is_written_in_private(simulator: Simulator, client: Slack) -> None:
    await simulator.set_features(messages_tab=False)
    assert await refused(client.chat_postMessage(channel=ADA, text="x")) == "messages_tab_disabled"
