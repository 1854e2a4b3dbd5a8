from collections.abc import Mapping
from dataclasses import replace
from typing import get_args

import pytest

from bots.discord.limits import BANNED_SECONDS, CALLS, INVALID, INVALID_SECONDS, KEPT, OVERALL, SECONDS, Limits
from shared.chat import Act, Target
from tests.bots.discord.rig import ROOMY, discord_rig
from tests.conformance.adapter_rig import asked, listening

POST, EDIT = "/api/v10/channels/7/messages", "/api/v10/channels/7/messages/9"


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


def answer(
    limits: Limits, method: str, path: str, *, bucket: str = "b", calls: int = 5, left: int = 4, after: float = 5.0
) -> None:
    headers = {
        "X-RateLimit-Bucket": bucket,
        "X-RateLimit-Limit": str(calls),
        "X-RateLimit-Remaining": str(left),
        "X-RateLimit-Reset-After": str(after),
    }
    limits.read(method, path, 200, headers)


def refusal(limits: Limits, method: str, path: str, headers: Mapping[str, str]) -> None:
    limits.read(method, path, 429, {"Via": "1.1 google", **headers})


def own(limits: Limits, act: Act, channel: int = 7) -> tuple[str, int, float, float]:
    limit = limits.of(act, channel)[0]
    assert limit.windowed
    return limit.scope, limit.calls, limit.seconds, limit.blocked


def test_until_the_headers_speak_the_observed_numbers_hold() -> None:
    limits = Limits()
    assert own(limits, "post") == ("discord:messages:7", CALLS, SECONDS, 0.0)
    assert own(limits, "edit") == own(limits, "post")
    assert limits.of("post", 7)[1] == OVERALL
    assert not OVERALL.windowed
    scopes = {found[0].scope for act in get_args(Act) if (found := limits.of(act, 7))}
    assert len(scopes) == 5
    assert own(limits, "upload") == own(limits, "post")
    assert own(limits, "react") == ("discord:reactions:7", 1, 0.25, 0.0)


def test_the_headers_are_believed() -> None:
    limits = Limits()
    answer(limits, "POST", POST, calls=3, left=2, after=2.1)
    assert own(limits, "post")[1:3] == (3, 2.25)
    answer(limits, "PATCH", EDIT, calls=3, left=1, after=0.4)
    assert own(limits, "post")[1:3] == (3, 2.25), "only a window's first call tells its length"
    assert own(limits, "post", 8)[1:3] == (CALLS, SECONDS)


def test_edits_count_apart_only_once_discord_has_named_another_bucket() -> None:
    limits = Limits()
    answer(limits, "POST", POST, bucket="b")
    answer(limits, "PATCH", EDIT, bucket="b")
    assert own(limits, "edit")[0] == own(limits, "post")[0]
    answer(limits, "PATCH", EDIT, bucket="c", calls=9)
    assert own(limits, "edit")[0] == "discord:edits:7"
    assert own(limits, "post")[1] == 5


def test_a_refusal_blocks_its_scope_for_as_long_as_it_says() -> None:
    clock = Clock()
    limits = Limits(clock)
    refusal(limits, "POST", POST, {"Retry-After": "3", "X-RateLimit-Reset-After": "2.5", "X-RateLimit-Scope": "user"})
    assert own(limits, "post")[3] == 3.0
    assert limits.of("post", 7)[1].blocked == 0.0
    assert own(limits, "busy")[3] == 0.0
    clock.now += 2
    assert own(limits, "edit")[3] == 1.0
    clock.now += 2
    assert own(limits, "edit")[3] == 0.0


def test_a_global_refusal_blocks_everything() -> None:
    clock = Clock()
    limits = Limits(clock)
    refusal(limits, "GET", "/api/v10/gateway", {"Retry-After": "2", "X-RateLimit-Global": "true"})
    refusal(limits, "POST", POST, {"Retry-After": "1", "X-RateLimit-Scope": "global"})
    assert limits.of("busy", 1)[1].blocked == 2.0
    assert limits.of("post", 7)[0].blocked == 0.0
    clock.now += 3
    assert limits.of("busy", 1)[1] == OVERALL


def test_a_ban_by_cloudflare_blocks_everything_and_no_channel_more_than_that() -> None:
    clock = Clock()
    limits = Limits(clock)
    limits.read("POST", POST, 429, {})
    assert limits.of("busy", 1)[1].blocked == BANNED_SECONDS
    assert limits.of("post", 7)[0].blocked == 0.0
    limits.read("POST", POST, 429, {"Retry-After": "100"})
    assert limits.of("edit", 8)[1].blocked == 100.0


def test_very_many_refusals_are_warned_of_once_in_a_while(caplog: pytest.LogCaptureFixture) -> None:
    clock = Clock()
    limits = Limits(clock)

    def refused(times: int, status: int = 403, **headers: str) -> int:
        caplog.clear()
        for _ in range(times):
            limits.read("GET", POST, status, {"Via": "1.1 google", **headers})
        return len(caplog.records)

    assert refused(INVALID - 1) == 0
    assert refused(5, 404) == 0
    assert refused(5, 429, **{"X-RateLimit-Scope": "shared"}) == 0
    assert refused(INVALID, 401) == 1
    clock.now += INVALID_SECONDS
    assert refused(INVALID - 1) == 0
    assert refused(1) == 1


def test_headers_that_say_nothing_change_nothing() -> None:
    limits = Limits()
    limits.read("POST", POST, 200, {})
    limits.read("POST", POST, 200, {"X-RateLimit-Limit": "many", "X-RateLimit-Remaining": "?"})
    limits.read("GET", "/api/v10/users/@me", 200, {"X-RateLimit-Limit": "1", "X-RateLimit-Remaining": "0"})
    limits.read("PUT", EDIT, 200, {"X-RateLimit-Limit": "1"})
    limits.read("POST", EDIT, 200, {"X-RateLimit-Limit": "1"})
    limits.read("GET", EDIT + "/threads", 200, {"X-RateLimit-Limit": "1"})
    assert own(limits, "post")[1:] == (CALLS, SECONDS, 0.0)


def test_only_so_many_channels_are_remembered() -> None:
    limits = Limits()
    for channel in range(KEPT + 1):
        answer(limits, "POST", f"/api/v10/channels/{channel}/messages", calls=2, left=1)
    assert own(limits, "post", 0)[1] == CALLS
    assert own(limits, "post", KEPT)[1] == 2


async def test_what_the_server_says_of_every_kind_of_call_is_read() -> None:
    settings = replace(ROOMY, channel_limit=(31, 3.0), delete_limit=(32, 2.0), typing_limit=(33, 3.5), thread_limit=(34, 4.0))
    settings = replace(settings, reaction_limit=(35, 0.5))
    async with discord_rig(settings) as rig, listening(rig.adapter) as heard:
        message = await asked(rig, heard)
        target = await rig.adapter.open(message.target, "t")
        posted = await rig.adapter.post(target, "one", key="k1")
        await rig.adapter.busy(target, "")
        await rig.adapter.delete(target, posted)
        await rig.adapter.react(message.target, message.id, seen=True)

        def known(act: Act, where: Target) -> tuple[int, float]:
            limit = rig.adapter.limits(where, act)[0]
            return limit.calls, limit.seconds

        assert known("post", target) == known("edit", target) == (31, 3.0)
        assert known("delete", target) == (32, 2.0)
        assert known("busy", target) == (33, 3.5)
        assert known("open", message.target) == (34, 4.0)
        assert known("react", message.target) == (35, 0.5)
