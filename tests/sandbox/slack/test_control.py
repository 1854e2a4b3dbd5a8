import pytest
from slack_sdk.errors import SlackApiError

from sandbox.slack import Simulator
from sandbox.slack.defaults import TEAM
from tests.sandbox.far import Far
from tests.sandbox.slack.library import ADA, GENERAL, Bot, Slack, refused


async def test_people_act_and_read_over_http(simulator: Simulator, bot: Bot, far: Far) -> None:
    said = await far.post("say", **{"as": "user3", "in": "random", "text": "@threadline from afar"})
    mention = await bot.hears("app_mention")
    assert mention["ts"] == said["ts"]
    await bot.client.chat_postMessage(channel=mention["channel"], thread_ts=said["ts"], text="answer")
    seen = await far.get("sees", **{"as": "user1", "in": "random", "thread": said["ts"]})
    assert [each["text"] for each in seen] == ["@threadline from afar", "answer"]
    assert [each["content"] for each in await far.get("messages", channel="random")][-1] == "answer"
    assert (await far.get("messages", message=said["id"]))["author"] == "user3"
    await far.post("edit", message=said["id"], text="changed")
    await far.post("react", **{"as": "user1", "message": said["id"], "emoji": "eyes"})
    await far.post("unfurl", message=said["id"])
    await far.post("delete", message=said["id"])
    await bot.hears("message", 3, subtype="message_changed")
    called = await far.post("call", **{"as": "user1", "name": "/ask", "in": "general", "text": "why?"})
    await bot.until(lambda: bot.commands)
    assert (await far.get("triggers", trigger=called["id"]))["name"] == "/ask"
    assert len(await far.get("triggers")) == 1
    await far.post("open_home", **{"as": "user1"})
    await bot.hears("app_home_opened")
    await far.post("emit", type="app_mention", channel=GENERAL, ts="1.000001", text="made up", user=ADA)
    await bot.hears("app_mention", text="made up")
    stats = await far.get("stats")
    assert (stats["connected"], stats["suffered"]) == (1, 0)
    assert {each["name"] for each in await far.get("deliveries")} >= {"app_mention", "message", "/ask"}
    names = {each["name"] for each in (await far.get("world"))["channels"]}
    assert {"general", "random", "support", "lounge", "backroom"} <= names


async def test_a_session_and_its_stop_are_there_over_http(simulator: Simulator, bot: Bot, far: Far) -> None:
    root = (await far.post("say", **{"as": "user1", "text": "question"}))["ts"]
    client = bot.client
    await client.assistant_threads_setStatus(channel_id=GENERAL, thread_ts=root, status="is thinking")
    assert [each["status"] for each in await far.get("statuses")] == ["is thinking"]
    await client.chat_startStream(channel=GENERAL, thread_ts=root, recipient_user_id=ADA, recipient_team_id=TEAM)
    await client.agents_sessions_setStatus(channel_id=GENERAL, thread_ts=root, status="processing")
    stopped = await far.post("stop", **{"as": "user1", "in": "general", "thread": root})
    assert len(stopped["stopped"]) == 1
    await bot.hears("agent_session_stopped")
    assert (await far.get("sessions"))[0]["status"] == "processing"
    assert await far.get("prompts", **{"as": "user1"}) is None
    assert await far.get("home", **{"as": "user1"}) is None


async def test_faults_and_grants_are_there_over_http(simulator: Simulator, client: Slack, far: Far) -> None:
    number = await far.post("fault", action="status", path="/auth.test$", status=503, times=None)
    assert list(await far.get("faults")) == [str(number["fault"])]
    with pytest.raises(SlackApiError):
        await client.auth_test()
    await far.post("clear_faults", **number)
    await client.auth_test()
    assert [(call["status"], call["fault"]) for call in await far.get("log")] == [(503, "status-before"), (200, None)]
    assert "chat:write" not in await far.post("set_scopes", remove=["chat:write"])
    assert await refused(client.chat_postMessage(channel=GENERAL, text="x")) == "missing_scope"
    assert (await far.post("set_features", agent=False))["agent"] is False
    await far.post("set_token", token="xoxb-new")
    assert await refused(client.auth_test()) == "invalid_auth"
    await far.post("spoil", kind="login")


async def test_slips_of_its_own_are_told(far: Far) -> None:
    assert "no channel nowhere" in await far.refused("say", **{"as": "user1", "in": "nowhere", "text": "x"})
    assert "not a valid command" in await far.refused("call", **{"as": "user1", "name": "/fly"})
    assert "no message 5" in await far.refused("delete", message="5")


async def test_a_terminal_can_follow_what_happens(simulator: Simulator, client: Slack, far: Far) -> None:
    async with far.following() as stream:
        said = await simulator.say("user1", "general", "hello")
        await client.assistant_threads_setStatus(channel_id=GENERAL, thread_ts=said["ts"], status="is thinking")
        await simulator.call("user1", "/ask", "general")
        events = await stream.next(3)
    assert [each["event"] for each in events] == ["message", "status", "trigger"]
    assert (events[0]["message"]["content"], events[1]["status"], events[2]["trigger"]["name"]) == (
        "hello",
        "is thinking",
        "/ask",
    )
