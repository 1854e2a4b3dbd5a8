from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp
import pytest

from bots.slack.calls import Web, wait_of
from bots.slack.failures import code_of
from bots.slack.limits import Limits
from sandbox.faults import Rule
from shared.chat import File
from shared.errors import Failure, Forbidden, Gone, RateLimited, Refused, TooLarge, Unavailable
from tests.bots.slack.rig import SlackRig, told_to_wait
from tests.conformance.adapter_rig import answering, asked, listening


@asynccontextmanager
async def calling(rig: SlackRig) -> AsyncGenerator[tuple[Web, Limits]]:
    limits = Limits()
    async with aiohttp.ClientSession() as session:
        yield Web(rig.config, session, limits), limits


async def failing(call: Callable[[], Awaitable[object]]) -> Failure:
    with pytest.raises(Failure) as caught:
        await call()
    return caught.value


def saying(error: str, status: int = 200) -> Rule:
    return Rule("status", path="/chat.update", status=status, body={"ok": False, "error": error}, times=4)


@pytest.mark.parametrize(
    ("error", "failure"),
    [
        ("channel_not_found", Gone),
        ("is_archived", Gone),
        ("message_not_found", Gone),
        ("thread_not_found", Gone),
        ("not_in_channel", Forbidden),
        ("restricted_action", Forbidden),
        ("restricted_action_read_only_channel", Forbidden),
        ("missing_scope", Forbidden),
        ("cant_update_message", Forbidden),
        ("edit_window_closed", Forbidden),
        ("msg_too_long", TooLarge),
        ("msg_blocks_too_long", TooLarge),
        ("ratelimited", RateLimited),
        ("fatal_error", Unavailable),
        ("internal_error", Unavailable),
        ("invalid_blocks", Refused),
        ("what_is_this", Refused),
    ],
)
async def test_an_error_of_slacks_is_a_failure_of_ours(rig: SlackRig, error: str, failure: type[Failure]) -> None:
    async with calling(rig) as (web, _):
        await rig.simulator.fault(saying(error))
        failed = await failing(lambda: web.write("chat.update", channel="C1", ts="1.0"))
        assert type(failed) is failure
        assert code_of(failed) == error
        assert failed.detail == f"Slack: chat.update: {error}"
        assert not web.revoked.is_set()


@pytest.mark.parametrize("error", ["invalid_auth", "account_inactive", "token_revoked"])
async def test_a_token_that_is_no_longer_good_is_noticed(rig: SlackRig, error: str) -> None:
    async with calling(rig) as (web, _):
        await rig.simulator.fault(saying(error))
        assert type(await failing(lambda: web.write("chat.update"))) is Refused
        assert web.revoked.is_set()


async def test_a_rate_limit_says_how_long_and_blocks_the_method(rig: SlackRig) -> None:
    async with calling(rig) as (web, limits):
        await rig.simulator.fault(told_to_wait(7))
        failed = await failing(lambda: web.write("chat.update", channel="C1"))
        assert isinstance(failed, RateLimited)
        assert failed.retry_after == 7
        assert 6 < limits.of("edit", "C1")[0].blocked <= 7


@pytest.mark.parametrize(
    ("given", "wait"), [("7", 7.0), ("0.5", 0.5), ("0", 30.0), ("-1", 30.0), ("²", 30.0), ("inf", 30.0), ("", 30.0)]
)
def test_a_wait_that_is_none_is_half_a_minute(given: str, wait: float) -> None:
    assert wait_of({"Retry-After": given}) == wait_of({"retry-after": given}) == wait
    assert wait_of({}) == 30.0


@pytest.mark.parametrize(
    "rule",
    [
        Rule("status", path="/chat.update", status=502, body="<html>Bad gateway</html>", times=2),
        Rule("status", path="/chat.update", status=200, body="<html>Hello</html>", times=2),
        Rule("status", path="/chat.update", status=200, body=[], times=2),
        Rule("status", path="/chat.update", status=500, times=2),
        Rule("reset", path="/chat.update", times=2),
    ],
)
async def test_what_may_pass_is_tried_again(rig: SlackRig, rule: Rule) -> None:
    async with calling(rig) as (web, _):
        await rig.simulator.fault(rule)
        assert isinstance(await failing(lambda: web.write("chat.update", channel="C1", ts="1.0")), Gone)
        assert len([call for call in rig.simulator.calls if call.path == "/chat.update"]) == 3


@pytest.mark.parametrize("path", ["/chat.(postMessage|startStream)", "/files.getUploadURLExternal"])
async def test_an_answer_that_lacks_what_it_has_to_name_is_a_failure_of_ours(rig: SlackRig, path: str, tmp_path: Path) -> None:
    file = File("a.txt", "text/plain", tmp_path / "a.txt", 1)
    file.path.write_bytes(b"a")
    async with listening(rig.adapter) as heard:
        target = await answering(rig, await asked(rig, heard))
        await rig.simulator.fault(Rule("status", path=path, status=200, body={"ok": True}, times=None))
        if "files" in path:
            assert type(await failing(lambda: rig.adapter.upload(target, file, key="k1"))) is Unavailable
        else:
            assert type(await failing(lambda: rig.adapter.post(target, "one", key="k1"))) is Unavailable
            assert type(await failing(lambda: rig.adapter.begin(target, "one", key="k1"))) is Unavailable


async def test_an_answer_without_the_address_of_a_connection_is_asked_for_again(rig: SlackRig) -> None:
    await rig.simulator.fault(Rule("status", path="/apps.connections.open", status=200, body={"ok": True}, times=2))
    async with listening(rig.adapter) as heard:
        await asked(rig, heard)


async def test_what_cannot_be_repeated_is_tried_once(rig: SlackRig) -> None:
    async with calling(rig) as (web, _):
        await rig.simulator.fault(Rule("status", path="/chat.postMessage", status=503))
        assert isinstance(await failing(lambda: web.write("chat.postMessage", repeats=0, channel="C1")), Unavailable)
        assert len(rig.simulator.calls) == 1


async def test_a_failure_carries_nothing_of_the_answer(rig: SlackRig) -> None:
    async with calling(rig) as (web, _):
        await rig.simulator.fault(saying("invalid_auth"))
        failed = await failing(lambda: web.write("chat.update", text="what people wrote"))
        assert failed.__context__ is None
        assert "people" not in repr(failed.__cause__)
