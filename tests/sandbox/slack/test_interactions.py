from typing import Any

import aiohttp
import pytest

from sandbox.slack import Simulator
from sandbox.slack.interacting import Wrong
from tests.sandbox.slack.library import ADA, GENERAL, Bot, Clock, Json, Slack, a_bot, a_simulator

BUTTONS = {
    "type": "actions",
    "elements": [
        {
            "type": "button",
            "text": {"type": "plain_text", "text": "Stop"},
            "action_id": "go",
            "value": "turn-7",
            "style": "danger",
        }
    ],
}


async def test_a_command_is_answered_in_private_and_aloud(simulator: Simulator, bot: Bot) -> None:
    async def answer(ack: Slack, respond: Slack, body: Json) -> None:
        await ack()
        await respond("only you")
        await respond("everybody", response_type="in_channel")

    bot.on_command = answer
    called = await simulator.call("user1", "/ask", "general", "why not?")
    body = await bot.called()
    assert (body["command"], body["text"], body["user_id"], body["channel_id"]) == ("/ask", "why not?", ADA, GENERAL)
    assert "thread_ts" not in body
    await bot.until(lambda: len(simulator.sees("user1", "general")) == 2)
    assert [each["text"] for each in simulator.sees("user1", "general")] == ["only you", "everybody"]
    assert [each["text"] for each in simulator.sees("user2", "general")] == ["everybody"]
    await simulator.wait_for(lambda: simulator.trigger(called["id"])["outcome"] == "acked")
    assert simulator.trigger(called["id"])["used"] == 2


async def test_an_answer_can_come_with_the_acknowledgement(simulator: Simulator, bot: Bot) -> None:
    async def answer(ack: Slack, respond: Slack, body: Json) -> None:
        await ack("at once")

    bot.on_command = answer
    await simulator.call("user1", "/ask", "lounge", "why?")
    await simulator.wait_for(lambda: simulator.sees("user1", "lounge"))
    [line] = simulator.sees("user1", "lounge")
    assert (line["text"], line["ephemeral"]) == ("at once", True)


async def test_a_command_that_nobody_answers_is_not_sent_again(simulator: Simulator) -> None:
    called = await simulator.call("user1", "/ask", "general")
    await simulator.wait_for(lambda: simulator.trigger(called["id"])["outcome"])
    [line] = simulator.sees("user1", "general")
    assert (line["text"], line["state"]) == ('/ask failed with the error "operation_timeout"', "silent")
    assert len(simulator.deliveries()) == 1
    assert simulator.sees("user2", "general") == []


async def test_a_late_acknowledgement_does_not_count() -> None:
    async with a_simulator(ack_timeout=0.2) as simulator, a_bot(simulator) as bot:

        async def late(ack: Slack, respond: Slack, body: Json) -> None:
            await simulator.wait_for(lambda: simulator.triggers()[0]["outcome"])
            await ack()

        bot.on_command = late
        await simulator.call("user1", "/ask", "general")
        await simulator.wait_for(lambda: simulator.stats()["unknown_acks"])
        assert simulator.triggers()[0]["outcome"] == "operation_timeout"


async def test_what_the_client_would_not_send(simulator: Simulator) -> None:
    for by, name, where, thread in (
        ("user1", "/dance", "general", None),
        ("user1", "/ask", "general", "1.1"),
        ("guest", "/ask", "general", None),
    ):
        with pytest.raises(Wrong):
            await simulator.call(by, name, where, thread=thread)


async def test_a_button_is_pressed_and_its_message_replaced(simulator: Simulator, bot: Bot) -> None:
    async def answer(respond: Slack, body: Json) -> None:
        await respond("stopped", replace_original=True)

    bot.on_action = answer
    root = await simulator.say("user1", "general", "question")
    posted = await bot.client.chat_postMessage(channel=GENERAL, thread_ts=root["ts"], text="answer", blocks=[BUTTONS])
    await simulator.press("user2", posted["ts"], "Stop")
    body = await bot.pressed()
    [action] = body["actions"]
    assert (action["action_id"], action["value"], action["type"], action["style"]) == ("go", "turn-7", "button", "danger")
    assert body["message"]["ts"] == body["container"]["message_ts"] == posted["ts"]
    assert body["container"]["thread_ts"] == root["ts"]
    await bot.until(lambda: simulator.message(posted["ts"])["content"] == "stopped")
    assert simulator.message(posted["ts"])["buttons"] == []


async def test_a_button_under_a_private_answer_works_for_one_person(simulator: Simulator, bot: Bot) -> None:
    async def answer(respond: Slack, body: Json) -> None:
        await respond(delete_original=True)

    bot.on_action = answer
    ts = (await bot.client.chat_postEphemeral(channel=GENERAL, user=ADA, text="x", blocks=[BUTTONS]))["message_ts"]
    with pytest.raises(Wrong, match="does not see"):
        await simulator.press("user2", ts, "Stop")
    with pytest.raises(Wrong, match="there are: Stop"):
        await simulator.press("user1", ts, "Go")
    await simulator.press("user1", ts, "Stop")
    body = await bot.pressed()
    assert (body["container"]["is_ephemeral"], "message" in body) == (True, False)
    await bot.until(lambda: simulator.sees("user1", "general") == [])


async def test_feedback_buttons_send_their_value(simulator: Simulator, bot: Bot) -> None:
    def side(label: str, value: str) -> Json:
        return {"text": {"type": "plain_text", "text": label}, "value": value}

    feedback = {
        "type": "feedback_buttons",
        "action_id": "go",
        "positive_button": side("Good", "yes"),
        "negative_button": side("Bad", "no"),
    }
    blocks = [{"type": "context_actions", "elements": [feedback]}]
    posted = await bot.client.chat_postMessage(channel=GENERAL, text="x", blocks=blocks)
    await simulator.press("user1", posted["ts"], "Bad")
    body = await bot.pressed()
    assert (body["actions"][0]["type"], body["actions"][0]["value"]) == ("feedback_buttons", "no")


async def post(session: aiohttp.ClientSession, url: str, **body: Any) -> tuple[int, str]:
    async with session.post(url, json=body) as response:
        return response.status, await response.text()


async def test_a_response_url_is_good_five_times_in_half_an_hour() -> None:
    clock = Clock()
    async with a_simulator(clock=clock) as simulator, a_bot(simulator) as bot, aiohttp.ClientSession() as session:
        await simulator.call("user1", "/ask", "general")
        url = (await bot.called())["response_url"]
        for number in range(5):
            assert await post(session, url, text=str(number)) == (200, "ok")
        status, text = await post(session, url, text="6")
        assert (status, "used_url" in text) == (404, True)
        await simulator.call("user1", "/ask", "general")
        url = (await bot.called(2))["response_url"]
        assert (await post(session, url, text=""))[0] == 500
        clock.now += 1800
        status, text = await post(session, url, text="late")
        assert (status, "expired_url" in text) == (404, True)
        assert (await post(session, url + "x", text="guess"))[0] == 404
