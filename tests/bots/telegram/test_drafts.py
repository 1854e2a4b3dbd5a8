from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bots.telegram.drafts import DRAFT_SECONDS, number, possible, tail
from bots.telegram.pieces import units
from bots.telegram.render import LIMIT, Rendered, rendered
from sandbox.telegram.defaults import GROUPS
from shared.abilities import Drafts
from shared.chat import Channel, ChannelId, Target
from shared.errors import RateLimited, Refused
from tests.bots.telegram.rig import ROOMY, TelegramRig, refused_with, telegram_rig, told_to_wait
from tests.conformance.adapter_rig import listening

KITCHEN = Target(Channel(ChannelId(f"telegram:{GROUPS['kitchen']}"), "group"))
DRAFT = "/sendMessageDraft$"


async def drafting(rig: TelegramRig) -> Drafts:
    adapter = rig.adapter
    assert isinstance(adapter, Drafts)
    return adapter


@given(st.text(max_size=25))
def test_a_key_has_one_number_that_telegram_takes(key: str) -> None:
    assert 1 <= number(key) < 2**31
    assert number(key) == number(key)


def test_keys_have_different_numbers() -> None:
    assert len({number(f"key{n}") for n in range(2000)}) == 2000


@pytest.mark.parametrize("text", ["word " * 1500, "𝒳" * 3000, "a" + "𝒳" * 3000])
def test_of_a_text_that_is_too_long_the_end_is_shown_without_styles(text: str) -> None:
    shown = tail(rendered("**a** " + text))
    assert units(shown.text) >= LIMIT - 8
    assert units(shown.text) <= LIMIT
    assert shown.entities == ()
    assert shown.text[0] == "…"
    assert text.strip().endswith(shown.text[1:])
    assert tail(Rendered("short")) == Rendered("short")


async def test_a_draft_grows_until_the_message_comes() -> None:
    async with telegram_rig(drafts=True) as rig, listening(rig.adapter) as heard:
        await rig.simulator.say("user1", "", "hello", direct=True)
        target = (await heard.message()).target
        adapter = await drafting(rig)
        assert adapter.drafts(target)
        assert 0 < adapter.draft_seconds == DRAFT_SECONDS < 30
        await adapter.draft(target, "**one**", key="k1")
        [first] = rig.simulator.drafts()
        assert (first["text"], [each["type"] for each in first["entities"]]) == ("one", ["bold"])
        await adapter.draft(target, "**one** two", key="k1")
        [second] = rig.simulator.drafts()
        assert second["text"] == "one two"
        assert second["id"] == first["id"] == number("k1")
        assert rig.shown(target.channel) == []
        await rig.adapter.post(target, "one two three", key="k1")
        assert rig.simulator.drafts() == []
        assert rig.shown(target.channel) == ["one two three"]


async def test_there_are_drafts_in_private_chats_alone_and_only_if_wanted() -> None:
    async with telegram_rig(drafts=True) as rig, listening(rig.adapter) as heard:
        await rig.simulator.say("user1", "", "hello", direct=True)
        private = (await heard.message()).target
        adapter = await drafting(rig)
        assert possible(private)
        assert not possible(KITCHEN)
        assert not adapter.drafts(KITCHEN)
        with pytest.raises(Refused):
            await adapter.draft(KITCHEN, "one", key="k1")
    async with telegram_rig() as rig:
        assert not (await drafting(rig)).drafts(private)


async def test_a_draft_in_a_topic_of_a_private_chat_shows_there() -> None:
    async with telegram_rig(replace(ROOMY, topics_in_private=True), drafts=True) as rig, listening(rig.adapter) as heard:
        await rig.simulator.start("user1")
        topic = await rig.simulator.topic("user1", "@user1", "plans")
        await rig.simulator.say("user1", "", "hello", direct=True, topic="plans")
        target = (await heard.message(2)).target
        await (await drafting(rig)).draft(target, "one", key="k1")
        assert [each["topic"] for each in rig.simulator.drafts()] == [topic["id"]]


async def test_after_a_429_nothing_else_is_tried() -> None:
    async with telegram_rig(drafts=True) as rig, listening(rig.adapter) as heard:
        await rig.simulator.say("user1", "", "hello", direct=True)
        target = (await heard.message()).target
        adapter = await drafting(rig)
        await rig.simulator.fault(told_to_wait(40, path=DRAFT))
        before = len(rig.simulator.calls)
        with pytest.raises(RateLimited) as caught:
            await adapter.draft(target, "one", key="k1")
        assert caught.value.retry_after == 40
        made = [call.path for call in rig.simulator.calls.after(0)][before:]
        assert [path for path in made if path.lower() != "/getupdates"] == ["/sendMessageDraft"]
        for act in ("draft", "post", "edit"):
            assert rig.adapter.limits(target, act)[0].blocked > 39


async def test_a_draft_that_is_refused_says_so() -> None:
    async with telegram_rig(drafts=True) as rig, listening(rig.adapter) as heard:
        await rig.simulator.say("user1", "", "hello", direct=True)
        target = (await heard.message()).target
        await rig.simulator.fault(refused_with("TEXTDRAFT_PEER_INVALID", path=DRAFT))
        with pytest.raises(Refused):
            await (await drafting(rig)).draft(target, "one", key="k1")
