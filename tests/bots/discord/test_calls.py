"""Posting and editing when Discord, the network or a setting gets in the way."""

import asyncio
import logging
from collections.abc import AsyncIterator, Coroutine
from dataclasses import replace

import aiohttp
import discord
import pytest

from bots.discord.calls import REPEATS, failure
from bots.discord.convert import snowflake
from bots.discord.limits import BANNED_SECONDS
from sandbox.faults import Rule
from shared.chat import MessageId, Target
from shared.errors import Forbidden, Gone, RateLimited, Refused, Unavailable
from tests.bots.discord.rig import MESSAGES, ROOMY, DiscordRig, discord_rig, told_to_wait
from tests.conformance.adapter_rig import asked, listening


@pytest.fixture
async def target(rig: DiscordRig) -> AsyncIterator[Target]:
    async with listening(rig.adapter) as heard:
        yield (await asked(rig, heard)).target


def bodies(rig: DiscordRig, method: str = "POST") -> list[dict[str, object]]:
    return [call.body for call in rig.simulator.calls.matching(method, "/messages")]


async def thread(rig: DiscordRig, target: Target) -> tuple[Target, MessageId]:
    """A thread with a message of the bot's in it."""
    there = await rig.adapter.open(target, "a thread")
    return there, await rig.adapter.post(there, "one", key="k0")


class Records(logging.Handler):
    """Tells when the library has logged that a global rate limit was hit: then it goes to sleep at once."""

    def __init__(self) -> None:
        super().__init__()
        self.seen = asyncio.Event()

    def emit(self, record: logging.LogRecord) -> None:
        if record.msg.startswith("Global rate limit has been hit"):
            self.seen.set()


async def cancelled(call: Coroutine[object, object, object]) -> None:
    """Make a call, and cancel it while the library sleeps for the global rate limit that it met."""
    logger, records = logging.getLogger("discord.http"), Records()
    logger.addHandler(records)
    try:
        task = asyncio.create_task(call)
        async with asyncio.timeout(60):
            await records.seen.wait()
    finally:
        logger.removeHandler(records)
    task.cancel()
    await asyncio.wait([task])
    assert task.cancelled()


def names() -> list[str]:
    return [task.get_name() for task in asyncio.all_tasks()]


async def test_every_repeat_carries_the_same_nonce_and_asks_for_it_to_be_enforced(rig: DiscordRig, target: Target) -> None:
    await rig.simulator.fault(Rule("status", path=MESSAGES, status=503, times=2))
    await rig.simulator.fault(Rule("reset", path=MESSAGES, moment="after"))
    await rig.adapter.post(target, "one", key="turn-7-part-1")
    sent = [(body["nonce"], body["enforce_nonce"]) for body in bodies(rig)]
    assert sent == [("turn-7-part-1", True)] * 4
    assert rig.shown(target.channel) == ["one"]


async def test_repeating_ends(rig: DiscordRig, target: Target) -> None:
    await rig.simulator.fault(Rule("status", path=MESSAGES, status=503, times=None))
    with pytest.raises(Unavailable):
        await rig.adapter.post(target, "one", key="k1")
    assert len(bodies(rig)) == REPEATS + 1


async def test_a_call_without_an_answer_is_given_up_and_repeated() -> None:
    async with discord_rig(call_timeout=0.5) as rig, listening(rig.adapter) as heard:
        target = (await asked(rig, heard)).target
        await rig.simulator.fault(Rule("hang", path=MESSAGES, moment="after"))
        await rig.adapter.post(target, "one", key="k1")
        assert rig.shown(target.channel) == ["one"]
        await rig.simulator.fault(Rule("hang", path=MESSAGES, times=None))
        with pytest.raises(Unavailable):
            await rig.adapter.post(target, "two", key="k2")


async def test_waiting_for_a_rate_limit_is_no_missing_answer() -> None:
    # The library itself waits for limits of up to 30 s, and keeps a call that used up a window until that ends.
    settings = replace(ROOMY, channel_limit=(2, 3.0))
    async with discord_rig(settings, call_timeout=2.0) as rig, listening(rig.adapter) as heard:
        target = (await asked(rig, heard)).target
        async with asyncio.timeout(60):
            for number in range(4):
                await rig.adapter.post(target, f"{number}", key=f"k{number}")
        assert rig.shown(target.channel) == ["0", "1", "2", "3"]
        assert len(bodies(rig)) == 4


async def test_a_short_rate_limit_is_waited_for_and_told(rig: DiscordRig, target: Target) -> None:
    await rig.simulator.fault(told_to_wait(0.2))
    post = asyncio.create_task(rig.adapter.post(target, "one", key="k1"))
    await rig.struck("status")
    await rig.simulator.wait_for(lambda: rig.adapter.limits(target, "edit")[0].blocked > 0 or len(bodies(rig)) > 1)
    await post
    assert rig.shown(target.channel) == ["one"]


async def test_a_call_cancelled_in_a_global_rate_limit_holds_up_no_other_for_good(rig: DiscordRig, target: Target) -> None:
    await rig.simulator.fault(told_to_wait(0.5, path=r"/typing$", scope="global"))
    await cancelled(rig.adapter.busy(target, "thinking"))
    async with asyncio.timeout(60):
        await rig.adapter.post(target, "one", key="k1")
    assert rig.shown(target.channel) == ["one"]


async def test_a_cancelled_edit_does_not_come_after_a_newer_one(rig: DiscordRig, target: Target) -> None:
    message = await rig.adapter.post(target, "one", key="k1")
    await rig.simulator.fault(told_to_wait(0.5, scope="global"))
    await cancelled(rig.adapter.edit(target, message, "cancelled"))
    async with asyncio.timeout(60):
        await rig.adapter.edit(target, message, "two")
    assert [body["content"] for body in bodies(rig, "PATCH")] == ["cancelled", "two"]
    assert rig.shown(target.channel) == ["two"]


async def test_the_end_of_the_connection_ends_calls_that_were_cancelled() -> None:
    async with discord_rig() as rig:
        async with listening(rig.adapter) as heard:
            target = (await asked(rig, heard)).target
            await rig.simulator.fault(told_to_wait(25.0, path=r"/typing$", scope="global"))
            await cancelled(rig.adapter.busy(target, "thinking"))
            assert "discord call" in names()
        assert "discord call" not in names()
        async with listening(rig.adapter) as heard, asyncio.timeout(60):
            await rig.adapter.post(target, "one", key="k1")


@pytest.mark.parametrize(("body", "media"), [("<html>", "text/html"), ("{", "application/json"), ([], "application/json")])
async def test_an_answer_that_cannot_be_read_is_unavailable(
    rig: DiscordRig, target: Target, body: object, media: str, caplog: pytest.LogCaptureFixture
) -> None:
    headers = {"Content-Type": media}
    await rig.simulator.fault(Rule("status", path=MESSAGES, status=200, headers=headers, body=body))
    with pytest.raises(Unavailable):
        await rig.adapter.post(target, "one", key="k1")
    assert "cannot be read" in caplog.text
    await rig.adapter.post(target, "one", key="k1")
    assert rig.shown(target.channel) == ["one"]


async def test_a_ban_by_cloudflare_is_a_rate_limit(rig: DiscordRig, target: Target) -> None:
    await rig.simulator.fault(Rule("status", path=MESSAGES, status=429, body="banned"))
    with pytest.raises(RateLimited) as caught:
        await rig.adapter.post(target, "one", key="k1")
    assert caught.value.retry_after == BANNED_SECONDS


async def test_too_many_edits_of_an_old_message_is_a_rate_limit() -> None:
    settings = replace(ROOMY, old_edit_age=0.0, old_edit_limit=(1, 100.0))
    async with discord_rig(settings) as rig, listening(rig.adapter) as heard:
        target = (await asked(rig, heard)).target
        message = await rig.adapter.post(target, "one", key="k1")
        await rig.adapter.edit(target, message, "two")
        with pytest.raises(RateLimited) as caught:
            await rig.adapter.edit(target, message, "three")
        assert 90 < caught.value.retry_after <= 100


async def test_no_link_preview_appears_in_a_post_or_comes_back_with_an_edit(rig: DiscordRig, target: Target) -> None:
    message = await rig.adapter.post(target, "see https://example.org/a", key="k1")
    await rig.adapter.edit(target, message, "see https://example.org/b")
    [shown] = rig.own(target.channel)
    assert (shown["flags"], shown["embeds_shown"]) == (4, False)
    assert "flags" not in bodies(rig, "PATCH")[0]


async def test_every_call_that_shows_text_forbids_pings(rig: DiscordRig, target: Target) -> None:
    message = await rig.adapter.post(target, "one", key="k1")
    await rig.adapter.edit(target, message, "two")
    allowed = [body["allowed_mentions"] for body in (*bodies(rig), *bodies(rig, "PATCH"))]
    assert all(each in ({"parse": []}, {"parse": [], "replied_user": False}) for each in allowed)
    assert len(allowed) == 2


async def test_an_archived_thread_is_brought_back_for_an_edit_a_post_and_a_deletion(rig: DiscordRig, target: Target) -> None:
    there, message = await thread(rig, target)
    number = str(snowflake(there.channel.id))
    await rig.simulator.archive(number)
    await rig.adapter.edit(there, message, "two")
    assert rig.shown(there.channel) == ["two"]
    await rig.simulator.archive(number)
    await rig.adapter.post(there, "three", key="k1")
    await rig.simulator.archive(number)
    await rig.adapter.delete(there, message)
    assert rig.shown(there.channel) == ["three"]


async def test_a_locked_thread_is_forbidden(rig: DiscordRig, target: Target) -> None:
    there, _ = await thread(rig, target)
    await rig.simulator.archive(str(snowflake(there.channel.id)), locked=True)
    with pytest.raises(Forbidden):
        await rig.adapter.post(there, "two", key="k1")


async def test_a_reply_is_posted_without_its_reference_where_that_is_not_allowed_or_gone(rig: DiscordRig, target: Target) -> None:
    assert target.reply_to is not None
    await rig.simulator.permissions("general", deny=["READ_MESSAGE_HISTORY"])
    await rig.adapter.post(target, "one", key="k1")
    await rig.simulator.permissions("general")
    await rig.simulator.delete(snowflake(target.reply_to))
    await rig.adapter.post(target, "two", key="k2")
    assert rig.shown(target.channel) == ["one", "two"]


async def test_the_typing_sign_is_asked_for_once_and_ends_by_itself(rig: DiscordRig, target: Target) -> None:
    await rig.adapter.busy(target, "thinking")
    await rig.adapter.busy(target, None)
    assert len(rig.simulator.calls.matching("POST", "/typing")) == 1
    assert [each["channel"] for each in rig.simulator.typing()] == [str(snowflake(target.channel.id))]


async def test_an_empty_text_is_refused(rig: DiscordRig, target: Target) -> None:
    with pytest.raises(Refused):
        await rig.adapter.post(target, " \n ", key="k1")


async def test_a_text_trimmed_by_discord_is_not_edited_again(rig: DiscordRig, target: Target) -> None:
    await rig.adapter.post(target, "  one\n\n", key="k1")
    assert bodies(rig, "PATCH") == []
    assert rig.shown(target.channel) == ["one"]


async def test_a_thread_is_opened_once_though_the_answer_was_lost(rig: DiscordRig, target: Target) -> None:
    await rig.simulator.fault(Rule("reset", path="/threads$", moment="after"))
    there = await rig.adapter.open(target, "a thread")
    assert there.reply_to is None
    assert len(rig.simulator.calls.matching("POST", "/threads")) == 2
    assert rig.simulator.calls.matching("POST", "/threads")[0].body["auto_archive_duration"] == 1440


async def test_a_thread_on_a_message_that_was_deleted_is_still_there(rig: DiscordRig, target: Target) -> None:
    there, _ = await thread(rig, target)
    assert target.reply_to is not None
    await rig.simulator.delete(snowflake(target.reply_to))
    again = await rig.adapter.open(target, "a thread")
    assert again.channel.id == there.channel.id
    await rig.adapter.post(again, "two", key="k1")
    assert rig.shown(there.channel) == ["one", "two"]


async def test_no_thread_is_opened_on_a_message_that_was_deleted(rig: DiscordRig, target: Target) -> None:
    assert target.reply_to is not None
    await rig.simulator.delete(snowflake(target.reply_to))
    with pytest.raises(Gone):
        await rig.adapter.open(target, "a thread")


async def test_a_thread_needs_a_message_in_a_server(rig: DiscordRig, target: Target) -> None:
    with pytest.raises(Refused):
        await rig.adapter.open(replace(target, reply_to=None), "a thread")
    with pytest.raises(Refused):
        await rig.adapter.open(replace(target, channel=replace(target.channel, space=None)), "a thread")


async def test_a_person_who_refuses_direct_messages_is_forbidden(rig: DiscordRig) -> None:
    async with listening(rig.adapter) as heard:
        await rig.simulator.say("user1", "@user1", "psst")
        target = (await heard.message()).target
        await rig.simulator.refuse_direct("user1")
        with pytest.raises(Forbidden):
            await rig.adapter.post(target, "yes?", key="k1")


async def test_a_call_cut_off_by_the_end_of_the_connection_is_unavailable(rig: DiscordRig) -> None:
    async with listening(rig.adapter) as heard:
        target = (await asked(rig, heard)).target
        await rig.hang_next()
        post = asyncio.create_task(rig.adapter.post(target, "one", key="k1"))
        await rig.hanging()
    with pytest.raises(Unavailable):
        await post


async def test_a_call_without_a_connection_is_unavailable(rig: DiscordRig) -> None:
    async with listening(rig.adapter) as heard:
        target = (await asked(rig, heard)).target
    with pytest.raises(Unavailable):
        await rig.adapter.post(target, "one", key="k1")


def test_every_exception_becomes_a_failure() -> None:
    assert isinstance(failure(TimeoutError()), Unavailable)
    assert isinstance(failure(ConnectionResetError(104, "reset")), Unavailable)
    assert isinstance(failure(aiohttp.ServerDisconnectedError()), Unavailable)
    assert isinstance(failure(RuntimeError("Session is closed")), Unavailable)
    assert isinstance(failure(discord.InvalidData("odd")), Refused)
    limited = failure(discord.RateLimited(40.0))
    assert isinstance(limited, RateLimited)
    assert limited.retry_after == 40.0
    assert isinstance(failure(KeyError("type")), Unavailable)
