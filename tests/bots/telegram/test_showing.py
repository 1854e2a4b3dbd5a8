import pytest

from bots.telegram.names import channel_id, message_id
from sandbox.telegram import lookup
from sandbox.telegram.defaults import PEOPLE
from shared.chat import Button, Channel, Target
from shared.errors import Failure, Forbidden, Gone, RateLimited, TooLarge
from tests.bots.telegram.rig import ROOMY, TelegramRig, refused_with, telegram_rig, told_to_wait
from tests.conformance.adapter_rig import asked, listening

ADA = PEOPLE["user1"][0]
STOP, AGAIN = Button("stop/1", "Stop"), Button("again/1", "Again")
WITH_LINK = "see [docs](https://e.org) and https://e.org/x"
PRIVATE = Target(Channel(channel_id(ADA), "direct"))


async def test_links_have_no_previews_when_posted_and_when_edited(rig: TelegramRig) -> None:
    async with listening(rig.adapter) as heard:
        target = (await asked(rig, heard)).target
        shown = await rig.adapter.post(target, WITH_LINK, key="k1")
        assert [each["preview"] for each in rig.own(target.channel)] == [False]
        await rig.adapter.edit(target, shown, WITH_LINK + "!")
        assert [each["preview"] for each in rig.own(target.channel)] == [False]


async def test_styles_arrive_as_entities(rig: TelegramRig) -> None:
    async with listening(rig.adapter) as heard:
        target = (await asked(rig, heard)).target
        shown = await rig.adapter.post(target, "# 𝒳\n**b** [a](https://e.org)\n```py\nx\n```", key="k1")
        [message] = rig.own(target.channel)
        assert message["content"] == "𝒳\nb a\nx"
        assert [(each["type"], each["offset"], each["length"]) for each in message["entities"]] == [
            ("bold", 0, 2),
            ("bold", 3, 1),
            ("text_link", 5, 1),
            ("pre", 7, 1),
        ]
        await rig.adapter.edit(target, shown, "plain _i_")
        [message] = rig.own(target.channel)
        assert [each["type"] for each in message["entities"]] == ["italic"]


async def test_what_is_answered_is_replied_to_in_groups_and_not_in_private_chats(rig: TelegramRig) -> None:
    async with listening(rig.adapter) as heard:
        group = (await asked(rig, heard)).target
        await rig.adapter.post(group, "one", key="k1")
        assert rig.own(group.channel)[0]["reply_to"] is not None
        await rig.simulator.say("user1", "", "hello", direct=True)
        private = (await heard.message(2)).target
        await rig.adapter.post(private, "two", key="k2")
        assert rig.own(private.channel)[0]["reply_to"] is None


async def test_an_answer_comes_though_what_is_answered_was_deleted(rig: TelegramRig) -> None:
    async with listening(rig.adapter) as heard:
        target = (await asked(rig, heard)).target
        await rig.take_back()
        await rig.adapter.post(target, "one", key="k1")
        assert [each["reply_to"] for each in rig.own(target.channel)] == [None]


async def test_topics_are_named_in_calls_and_general_is_not(rig: TelegramRig) -> None:
    async with listening(rig.adapter) as heard:
        await rig.simulator.say("user1", "workshop", "@threadline_bot hello", topic="plans")
        await rig.simulator.say("user1", "workshop", "@threadline_bot hello")
        plans, general = (await heard.message(1)).target, (await heard.message(2)).target
        for target in (plans, general):
            await rig.adapter.busy(target, "thinking")
            shown = await rig.adapter.post(target, "one", key="k1")
            await rig.adapter.edit(target, shown, "two")
            assert rig.shown(target.channel) == ["two"]
        assert [each["topic"] for each in rig.simulator.actions()] == []
        assert {each["topic"] for each in rig.simulator.messages("workshop") if each["content"] == "two"} == {2, None}


async def test_the_buttons_of_an_edit_are_all_that_there_are(rig: TelegramRig) -> None:
    async with listening(rig.adapter) as heard:
        target = (await asked(rig, heard)).target
        shown = await rig.adapter.post(target, "one", key="k1", buttons=[STOP])
        await rig.adapter.edit(target, shown, "one two", buttons=[STOP])
        assert rig.buttons(target.channel) == [["Stop"]]
        await rig.adapter.edit(target, shown, "one two", buttons=[STOP, AGAIN])
        assert rig.buttons(target.channel) == [["Stop", "Again"]]
        await rig.adapter.edit(target, shown, "one two")
        assert rig.buttons(target.channel) == [[]]


async def test_many_buttons_stand_in_rows(rig: TelegramRig) -> None:
    async with listening(rig.adapter) as heard:
        target = (await asked(rig, heard)).target
        buttons = [Button("x" * 39 + str(n), f"Choice {n}") for n in range(7)]
        await rig.adapter.post(target, "choose", key="k1", buttons=buttons)
        [message] = rig.own(target.channel)
        assert [len(row) for row in message["markup"]["inline_keyboard"]] == [3, 3, 1]
        assert message["buttons"] == [each.label for each in buttons]


async def test_an_edit_that_changes_nothing_is_no_failure(rig: TelegramRig) -> None:
    async with listening(rig.adapter) as heard:
        target = (await asked(rig, heard)).target
        shown = await rig.adapter.post(target, "**one**", key="k1", buttons=[STOP])
        for _ in range(2):
            await rig.adapter.edit(target, shown, "**one**", buttons=[STOP])
        assert any(call.path == "/editMessageText" and call.status == 400 for call in rig.simulator.calls)


@pytest.mark.parametrize(
    ("problem", "failure"),
    [
        ("message to edit not found", Gone),
        ("MESSAGE_ID_INVALID", Gone),
        ("message can't be edited", Forbidden),
        ("MESSAGE_TOO_LONG", TooLarge),
    ],
)
async def test_an_edit_that_is_refused_says_why(rig: TelegramRig, problem: str, failure: type[Failure]) -> None:
    async with listening(rig.adapter) as heard:
        target = (await asked(rig, heard)).target
        shown = await rig.adapter.post(target, "one", key="k1")
        await rig.simulator.fault(refused_with(problem, path="/editMessageText$"))
        with pytest.raises(failure):
            await rig.adapter.edit(target, shown, "two")


async def test_a_text_that_is_too_long_is_too_large(rig: TelegramRig) -> None:
    async with listening(rig.adapter) as heard:
        target = (await asked(rig, heard)).target
        assert not rig.adapter.fits(target, "a" * 4097)
        with pytest.raises(TooLarge):
            await rig.adapter.post(target, "a" * 4097, key="k1")
        shown = await rig.adapter.post(target, "a" * 4096, key="k1")
        with pytest.raises(TooLarge):
            await rig.adapter.edit(target, shown, "a" * 4097)
        assert rig.shown(target.channel) == ["a" * 4096]


async def test_the_longest_texts_are_taken_with_all_their_styles(rig: TelegramRig) -> None:
    async with listening(rig.adapter) as heard:
        target = (await asked(rig, heard)).target
        text = "- **a** 𝒳\n" * 100
        assert rig.adapter.fits(target, text)
        await rig.adapter.post(target, text, key="k1")
        [message] = rig.own(target.channel)
        assert sum(each["type"] == "bold" for each in message["entities"]) == 100


async def test_a_post_is_not_repeated_by_itself(rig: TelegramRig) -> None:
    async with listening(rig.adapter) as heard:
        target = (await asked(rig, heard)).target
        await rig.simulator.fault(told_to_wait(9))
        with pytest.raises(RateLimited) as caught:
            await rig.adapter.post(target, "one", key="k1")
        assert caught.value.retry_after == 9
        assert sum(call.path == "/sendMessage" for call in rig.simulator.calls) == 1


async def test_empty_texts_are_shown_as_a_sign(rig: TelegramRig) -> None:
    async with listening(rig.adapter) as heard:
        target = (await asked(rig, heard)).target
        shown = await rig.adapter.post(target, " \n", key="k1")
        await rig.adapter.edit(target, shown, "\u200b")
        assert rig.shown(target.channel) == ["…"]


async def test_a_busy_sign_is_a_chat_action_and_ends_by_itself(rig: TelegramRig) -> None:
    async with listening(rig.adapter) as heard:
        target = (await asked(rig, heard)).target
        await rig.adapter.busy(target, None)
        assert rig.simulator.actions() == []
        await rig.adapter.busy(target, "thinking")
        assert [each["action"] for each in rig.simulator.actions()] == ["typing"]
        assert 0 < rig.adapter.busy_seconds <= 5


async def test_a_sign_on_a_message_that_is_gone(rig: TelegramRig) -> None:
    async with listening(rig.adapter) as heard:
        message = await asked(rig, heard)
        await rig.adapter.react(message.target, message.id, seen=True)
        assert lookup.message(rig.simulator.world, rig.said).reactions != {}
        await rig.take_back()
        await rig.adapter.react(message.target, message.id, seen=False)
        with pytest.raises(Gone):
            await rig.adapter.react(message.target, message.id, seen=True)
        await rig.adapter.delete(message.target, message.id)


async def test_a_message_of_a_group_that_moved_is_answered_in_the_new_one_without_a_reply(rig: TelegramRig) -> None:
    async with listening(rig.adapter) as heard:
        await rig.simulator.say("user1", "kitchen", "@threadline_bot hello")
        target = (await heard.message()).target
        old = await rig.adapter.post(target, "one", key="k1")
        moved = await rig.simulator.migrate("kitchen")
        await rig.adapter.post(target, "two", key="k2")
        [shown] = rig.own(Channel(channel_id(moved["id"]), "group"))
        assert (shown["content"], shown["reply_to"]) == ("two", None)
        with pytest.raises(Gone):
            await rig.adapter.edit(target, old, "three")


async def test_a_silent_post_notifies_nobody() -> None:
    async with telegram_rig(ROOMY) as rig, listening(rig.adapter):
        await rig.simulator.start("user1")
        await rig.adapter.post(PRIVATE, "one", key="k1", silent=True)
        await rig.adapter.post(PRIVATE, "two", key="k2")
        assert rig.silent(PRIVATE.channel) == [True, False]


async def test_what_is_too_old_to_be_deleted_shows_nothing_any_more(rig: TelegramRig) -> None:
    async with listening(rig.adapter):
        await rig.simulator.start("user1")
        old = await rig.adapter.post(PRIVATE, "one", key="k1", buttons=[Button("retry/1", "Retry")])
        late = refused_with("message can't be deleted for everyone", path="/deleteMessage$", times=2)
        await rig.simulator.fault(late)
        await rig.adapter.delete(PRIVATE, old)
        assert (rig.shown(PRIVATE.channel), rig.buttons(PRIVATE.channel)) == (["…"], [[]])
        await rig.simulator.fault(refused_with("there is no text in the message to edit", path="/editMessageText$"))
        await rig.adapter.delete(PRIVATE, old)
        await rig.simulator.fault(refused_with("not enough rights", path="/deleteMessage$"))
        with pytest.raises(Forbidden):
            await rig.adapter.delete(PRIVATE, old)


async def test_a_message_that_is_not_there_is_gone(rig: TelegramRig) -> None:
    async with listening(rig.adapter):
        await rig.simulator.start("user1")
        with pytest.raises(Gone):
            await rig.adapter.edit(PRIVATE, message_id(ADA, 999), "one")
        await rig.adapter.delete(PRIVATE, message_id(ADA, 999))
