"""What Slack posts over HTTP: taken only if Slack has signed it just now, once, and answered once it is stored."""

import asyncio
import json
import time
from dataclasses import replace
from typing import Any

import pytest
from aiohttp import ClientSession

from sandbox.slack.defaults import PEOPLE
from shared.chat import Button, Command, Connected, Event, Message, Pressed
from shared.errors import Misconfigured, StoreUnusable
from tests.bots.slack.rig import ROOMY, SlackRig, http_rig
from tests.conformance.adapter_rig import Heard, answering, asked, listening, running

QUICK = replace(ROOMY, retry_delays=(0.05, 0.05))


def written(rig: SlackRig, text: str, number: str = "Ev0FORGED") -> str:
    """The body of an event that the simulator has not sent."""
    general = rig.simulator.world.channel("C0GENERAL01")
    assert general is not None
    ts = f"{time.time():.6f}"
    event = {"type": "message", "channel": general.id, "ts": ts, "event_ts": ts, "user": PEOPLE["user1"][0]}
    return json.dumps(
        {"type": "event_callback", "event_id": number, "event": event | {"text": f"<@{rig.simulator.world.me}> {text}"}}
    )


async def post(rig: SlackRig, body: str | bytes, headers: dict[str, str]) -> tuple[int, str]:
    """What the server answers to a request."""
    content = {"Content-Type": "application/json"}
    async with (
        ClientSession() as session,
        session.post(rig.simulator.posting.url, data=body, headers=content | headers) as answer,
    ):
        return answer.status, await answer.text()


async def test_events_commands_and_presses_come_over_http() -> None:
    async with http_rig(QUICK) as rig, listening(rig.adapter) as heard:
        assert rig.adapter.health().connected
        target = await answering(rig, await asked(rig, heard))
        await rig.simulator.call("user1", "/threadline", "general", "model opus & more for:channel")
        assert (await heard.one(Command)).name == "model opus & more for:channel"[:40]
        await rig.adapter.post(target, "one", key="k1", buttons=[Button("stop/1", "Stop")])
        await rig.press(target.channel, "Stop")
        assert (await heard.one(Pressed)).button == "stop/1"
        await rig.simulator.wait_for(lambda: all(each["outcome"] == "acked" for each in rig.simulator.triggers()))
        assert isinstance(heard.events[0], Connected)
        assert rig.simulator.sockets.open == 0


async def test_the_challenge_of_a_new_address_is_answered_if_slack_has_signed_it() -> None:
    body = json.dumps({"type": "url_verification", "token": "legacy", "challenge": "a challenge"})
    async with http_rig(QUICK) as rig, listening(rig.adapter):
        await rig.simulator.set_request_url(rig.simulator.posting.url)
        assert await post(rig, body, rig.simulator.posting.signed(body)) == (200, "a challenge")
        status, said = await post(rig, body, {})
        assert (status, "a challenge" in said) == (401, False)


@pytest.mark.parametrize("how", ["none", "wrong", "other body", "other secret", "old", "ahead", "no time", "bad time"])
async def test_what_slack_did_not_sign_just_now_is_refused(how: str) -> None:
    async with http_rig(QUICK) as rig, listening(rig.adapter) as heard:
        await asked(rig, heard)
        body, posting = written(rig, "not from Slack"), rig.simulator.posting
        headers = posting.signed(body)
        match how:
            case "none":
                headers = {}
            case "wrong":
                headers["X-Slack-Signature"] = f"v0={'0' * 64}"
            case "other body":
                headers = posting.signed("{}")
            case "other secret":
                secret, posting.secret = posting.secret, "another"
                headers, posting.secret = posting.signed(body), secret
            case "old":
                headers = posting.signed(body, time.time() - 301)
            case "ahead":
                headers = posting.signed(body, time.time() + 310)
            case "no time":
                del headers["X-Slack-Request-Timestamp"]
            case _:
                headers["X-Slack-Request-Timestamp"] = "yesterday"
        assert (await post(rig, body, headers))[0] == 401
        await asked(rig, heard, "still here")
        assert heard.texts == ["hello", "still here"]


async def test_a_request_within_five_minutes_is_taken_and_its_replay_is_not_taken_again() -> None:
    async with http_rig(QUICK) as rig, listening(rig.adapter) as heard:
        body = written(rig, "hello")
        headers = rig.simulator.posting.signed(body, time.time() - 240)
        assert [await post(rig, body, headers) for _ in range(3)] == [(200, "")] * 3
        await asked(rig, heard, "after it")
        assert heard.texts == ["hello", "after it"]


async def test_a_repetition_of_slacks_is_known_by_what_it_tells_of() -> None:
    async with http_rig(QUICK) as rig, listening(rig.adapter) as heard:
        body = written(rig, "hello")
        for nth in range(3):
            headers = {"X-Slack-Retry-Num": str(nth), "X-Slack-Retry-Reason": "http_timeout"} if nth else {}
            assert (await post(rig, body, headers | rig.simulator.posting.signed(body)))[0] == 200
        await asked(rig, heard, "after it")
        assert heard.texts == ["hello", "after it"]
        assert len(heard.of(Connected)) == 1


@pytest.mark.parametrize("body", [b"", b"null", b"[1]", b"{", b"\xff\xfe", b"payload=%7B", b"command=/ask"])
async def test_what_cannot_be_read_harms_nothing(body: bytes) -> None:
    async with http_rig(QUICK) as rig, listening(rig.adapter) as heard:
        signed = rig.simulator.posting.signed(body.decode(errors="replace"))
        assert (await post(rig, body, signed))[0] < 600
        await asked(rig, heard, "after it")
        assert heard.texts == ["after it"]


async def test_what_is_not_stored_in_time_is_put_off_and_known_when_it_comes_again() -> None:
    stored = asyncio.Event()
    heard = Heard()

    async def deliver(event: Event) -> None:
        if isinstance(event, Message):
            await stored.wait()
        await heard(event)

    async with http_rig(QUICK) as rig, running(rig.adapter, deliver):
        await heard.connected()
        said = await rig.simulator.say("user1", "general", "@threadline hello")

        def outcomes() -> list[str | None]:
            return [each.outcome for each in rig.simulator.delivery.sent if each.ts == said["ts"]]

        await rig.simulator.wait_for(lambda: "http_error" in outcomes(), 10)
        stored.set()
        await rig.simulator.wait_for(lambda: not rig.simulator.delivery.busy)
        assert outcomes()[-2:] == ["acked", "acked"]
        assert heard.texts == ["hello"]


async def test_what_cannot_be_stored_is_posted_again() -> None:
    broken = [True]
    heard = Heard()

    async def deliver(event: Event) -> None:
        if isinstance(event, Message) and broken:
            broken.clear()
            raise StoreUnusable("The database cannot be written.")
        await heard(event)

    async with http_rig(QUICK) as rig:
        first = asyncio.create_task(rig.adapter.run(deliver))
        await heard.connected()
        await rig.simulator.say("user1", "general", "@threadline hello")
        with pytest.raises(StoreUnusable):
            await first
        async with running(rig.adapter, deliver):
            await rig.simulator.wait_for(lambda: not rig.simulator.delivery.busy, 10)
            assert heard.texts == ["hello"]
        assert any(each.outcome == "http_error" for each in rig.simulator.delivery.sent)


async def test_before_it_is_connected_slack_is_asked_to_try_again() -> None:
    async with http_rig(replace(ROOMY, retry_delays=(0.0, 0.2, 0.2, 0.2, 0.2))) as rig:
        await rig.simulator.say("user1", "general", "@threadline hello")
        await rig.simulator.wait_for(lambda: any(each.outcome == "http_error" for each in rig.simulator.delivery.sent))
        async with listening(rig.adapter) as heard:
            assert (await heard.message()).text == "hello"
    assert {each.outcome for each in rig.simulator.delivery.sent} == {"http_error", "acked"}


async def test_after_an_outage_slack_is_looked_through_for_what_it_gave_up() -> None:
    async with http_rig() as rig, listening(rig.adapter) as heard:
        await asked(rig, heard)
        await rig.new_session()
        await heard.connected(2)
        await asked(rig, heard, "here again")
        assert heard.texts == ["hello", "here again"]


async def test_a_person_of_another_workspace_is_known_as_one() -> None:
    async with http_rig() as rig, listening(rig.adapter) as heard:
        await rig.simulator.invite("general", "guest")
        await rig.simulator.say("guest", "general", "@threadline hello")
        await rig.simulator.say("user1", "general", "@threadline hello")
        guest, member = await heard.message(1), await heard.message(2)
        spaces: list[Any] = [guest.author.space, member.author.space, guest.target.channel.space]
        assert spaces[0] != spaces[1] == spaces[2] != None  # noqa: E711  (one look at all three)


async def test_without_the_signing_secret_it_does_not_start() -> None:
    async def deliver(event: Event) -> None:
        return

    async with http_rig(signing_secret="") as rig, asyncio.timeout(10):
        with pytest.raises(Misconfigured, match="SLACK_SIGNING_SECRET"):
            await rig.adapter.run(deliver)
