"""What Slack posts over HTTP: taken only if Slack has signed it just now, once, and answered once it is stored."""

import asyncio
import json
import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlencode

import pytest
from aiohttp import ClientSession

from sandbox.slack.defaults import CHANNELS, PEOPLE
from shared.chat import Button, Command, Connected, Event, Left, Message, Pressed, Seen
from shared.errors import Misconfigured, StoreUnusable
from tests.bots.slack.rig import ROOMY, SlackRig, http_rig
from tests.conformance.adapter_rig import Heard, answering, asked, listening, running

QUICK = replace(ROOMY, retry_delays=(0.05, 0.05))
PATIENT = replace(ROOMY, ack_timeout=15.0, retry_delays=(0.2, 2.1, 2.1, 2.1, 2.1))
"""A Slack that waits longer for an answer than the adapter lets it wait, and goes on trying for as long as a start may take."""


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


@pytest.mark.parametrize("body", ["{", "[1]", "null", '"', "payload=%7B", "payload=1", '{"a":' * 5000, '{"type":[]}'])
@pytest.mark.parametrize("how", ["nothing", "a long time", "no ASCII", "wrong"])
async def test_what_strangers_post_is_refused_before_it_is_read(
    how: str, body: str, caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]
) -> None:
    headers = {
        "nothing": {},
        "a long time": {"X-Slack-Request-Timestamp": "9" * 5000, "X-Slack-Signature": f"v0={'0' * 64}"},
        "no ASCII": {"X-Slack-Request-Timestamp": f"{time.time():.0f}", "X-Slack-Signature": "v0=\u00e9"},
        "wrong": {"X-Slack-Request-Timestamp": f"{time.time():.0f}", "X-Slack-Signature": f"v0={'0' * 64}"},
    }[how]
    async with http_rig(QUICK) as rig, listening(rig.adapter):
        assert await post(rig, body, headers) == (401, "")
    assert not [each for each in caplog.records if each.levelname in ("ERROR", "CRITICAL")]
    assert "fault of ours" not in capsys.readouterr().out


async def test_an_unsigned_request_is_not_taken_for_a_test_of_the_certificate() -> None:
    async with http_rig(QUICK) as rig, listening(rig.adapter) as heard:
        body = json.dumps(json.loads(written(rig, "not from Slack")) | {"ssl_check": "1"})
        assert (await post(rig, body, {}))[0] == 401
        await asked(rig, heard, "after it")
        assert heard.texts == ["after it"]


@pytest.mark.parametrize("body", ["{", "[1]", "payload=%7B", '{"a":' * 5000])
async def test_what_is_signed_and_cannot_be_read_is_no_fault_of_ours(body: str, capsys: pytest.CaptureFixture[str]) -> None:
    async with http_rig(QUICK) as rig, listening(rig.adapter):
        assert (await post(rig, body, rig.simulator.posting.signed(body)))[0] == 400
    assert "fault of ours" not in capsys.readouterr().out


async def test_events_without_a_number_are_told_apart() -> None:
    async with http_rig() as rig, listening(rig.adapter) as heard:
        for nth in range(1, 3):
            event = {"type": "channel_archive", "channel": f"C{nth}", "event_ts": f"{nth}.000100"}
            body = json.dumps({"type": "event_callback", "event": event})
            assert (await post(rig, body, rig.simulator.posting.signed(body)))[0] == 200
        assert {each.channel for each in heard.of(Left)} == {"slack:C1", "slack:C2"}


async def test_what_is_not_stored_in_time_is_put_off_and_known_when_it_comes_again() -> None:
    stored = asyncio.Event()
    heard = Heard()

    async def deliver(event: Event) -> None:
        if isinstance(event, Message):
            await stored.wait()
        await heard(event)

    async with http_rig(PATIENT) as rig, running(rig.adapter, deliver):
        await heard.connected()
        said = await rig.simulator.say("user1", "general", "@threadline hello")

        def outcomes() -> list[str | None]:
            return [each.outcome for each in rig.simulator.delivery.sent if each.ts == said["ts"]]

        await rig.simulator.wait_for(lambda: "http_error" in outcomes(), 10)
        stored.set()
        await rig.simulator.wait_for(lambda: not rig.simulator.delivery.busy, 20)
        assert outcomes()[-2:] == ["acked", "acked"]
        assert heard.texts == ["hello"]


async def test_a_command_or_press_that_comes_twice_is_one() -> None:
    given = {"command": "/threadline", "text": "new", "channel_id": CHANNELS["general"], "user_id": PEOPLE["user1"][0]}
    container = {"channel_id": CHANNELS["general"], "message_ts": "1700000000.000100"}
    actions = [{"type": "button", "action_id": "stop/1", "action_ts": "1700000001.000100"}]
    person: dict[str, Any] = {"user": {"id": PEOPLE["user1"][0]}, "container": container, "actions": actions}
    pressed = {"type": "block_actions", "trigger_id": "13.1"} | person
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    async with http_rig(QUICK) as rig, listening(rig.adapter) as heard:
        for body in (urlencode(given | {"trigger_id": "13.2"}), urlencode({"payload": json.dumps(pressed)})):
            for _ in range(2):
                assert await post(rig, body, form | rig.simulator.posting.signed(body)) == (200, "")
        again = urlencode(given | {"trigger_id": "13.3"})
        assert await post(rig, again, form | rig.simulator.posting.signed(again)) == (200, "")
        await heard.one(Command, 2)
        assert len(heard.of(Command)) == 2
        assert [each.button for each in heard.of(Pressed)] == ["stop/1"]


async def test_what_cannot_be_stored_is_posted_again() -> None:
    broken = [True]
    heard = Heard()

    async def deliver(event: Event) -> None:
        if isinstance(event, Message) and broken:
            broken.clear()
            raise StoreUnusable("The database cannot be written.")
        await heard(event)

    async with http_rig(PATIENT) as rig:
        first = asyncio.create_task(rig.adapter.run(deliver))
        await heard.connected()
        await rig.simulator.say("user1", "general", "@threadline hello")
        with pytest.raises(StoreUnusable):
            await first
        async with running(rig.adapter, deliver):
            await rig.simulator.wait_for(lambda: not rig.simulator.delivery.busy, 20)
            assert heard.texts == ["hello"]
        assert any(each.outcome == "http_error" for each in rig.simulator.delivery.sent)


async def test_before_it_is_connected_slack_is_asked_to_try_again() -> None:
    async with http_rig(PATIENT) as rig:
        await rig.simulator.say("user1", "general", "@threadline hello")
        await rig.simulator.wait_for(lambda: any(each.outcome == "http_error" for each in rig.simulator.delivery.sent))
        async with listening(rig.adapter) as heard:
            assert (await heard.message()).text == "hello"
            await rig.simulator.wait_for(lambda: not rig.simulator.delivery.busy, 20)
    assert {each.outcome for each in rig.simulator.delivery.sent} == {"http_error", "acked"}


async def test_after_an_outage_slack_is_looked_through_for_what_it_gave_up() -> None:
    async with http_rig(PATIENT) as rig, listening(rig.adapter) as heard:
        await asked(rig, heard)
        await rig.new_session()
        await heard.connected(2)
        await asked(rig, heard, "here again")
        assert heard.texts == ["hello", "here again"]


async def test_what_slack_leaves_out_for_being_too_much_is_looked_for_once_it_has_ended() -> None:
    async with http_rig(left_out_wait=0.3) as rig, listening(rig.adapter) as heard:
        body = json.dumps({"type": "app_rate_limited", "team_id": "T1", "minute_rate_limited": 1518467820, "api_app_id": "A1"})
        for _ in range(2):
            assert (await post(rig, body, rig.simulator.posting.signed(body)))[0] == 200
        await heard.connected(2)
        await asked(rig, heard, "after it")
        assert (await post(rig, body, rig.simulator.posting.signed(body)))[0] == 200
        await heard.connected(3)


@pytest.mark.parametrize("how", ["left out", "given up"])
async def test_what_was_not_told_is_recalled_though_later_messages_were(how: str) -> None:
    now = [datetime.now(UTC) - timedelta(minutes=4)]
    settings = replace(ROOMY, retry_delays=(), clock=lambda: now[0].timestamp())
    async with http_rig(settings, left_out_wait=0.1) as rig, listening(rig.adapter) as heard:
        simulator, url = rig.simulator, rig.simulator.posting.url
        await asked(rig, heard)
        simulator.posting.url = "http://127.0.0.1:9/nobody"
        now[0] += timedelta(minutes=2)
        await simulator.say("user1", "general", "@threadline anybody?")
        await simulator.wait_for(lambda: not simulator.delivery.busy)
        simulator.posting.url, at = url, now[0]
        now[0] = datetime.now(UTC)
        last = await asked(rig, heard, "later")
        if how == "left out":
            body = json.dumps({"type": "app_rate_limited", "minute_rate_limited": int(at.timestamp())})
            headers = simulator.posting.signed(body)
        else:
            body = json.dumps(json.loads(written(rig, "late")) | {"event_time": int(at.timestamp())})
            headers = {"X-Slack-Retry-Num": "2", **simulator.posting.signed(body)}
        assert (await post(rig, body, headers))[0] == 200
        await heard.connected(2)
        channel = last.target.channel
        seen = Seen(since=last.sent_at, newest={channel.id: last.id}, channels=[channel])
        assert channel in rig.adapter.behind(seen)
        assert "anybody?" in [each.text async for each in rig.adapter.missed(channel, seen)]


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
