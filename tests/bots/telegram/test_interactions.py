import asyncio

from sandbox.faults import Rule
from shared.chat import Button, Event, Pressed
from shared.commands import COMMANDS, Choice, Typing
from tests.bots.telegram.rig import ROOMY, TelegramRig, refused_with, telegram_rig
from tests.conformance.adapter_rig import asked, listening, running

STOP = Button("stop/" + "x" * 35, "Stop")


async def _complete(typing: Typing) -> list[Choice]:
    return []


async def test_a_press_is_answered_at_once_also_while_it_is_being_stored(rig: TelegramRig) -> None:
    stored, came = asyncio.Event(), asyncio.Event()

    async def deliver(event: Event) -> None:
        if isinstance(event, Pressed):
            came.set()
            await stored.wait()

    async with listening(rig.adapter) as heard:
        target = (await asked(rig, heard)).target
        await rig.adapter.post(target, "one", key="k1", buttons=[STOP])
    async with running(rig.adapter, deliver), asyncio.timeout(10):
        await rig.press(target.channel, "Stop")
        await came.wait()
        await rig.simulator.wait_for(lambda: rig.simulator.queries()[0]["answer"])
        stored.set()


async def test_a_press_that_is_too_old_to_answer_is_heard_all_the_same(rig: TelegramRig) -> None:
    async with listening(rig.adapter) as heard:
        target = (await asked(rig, heard)).target
        shown = await rig.adapter.post(target, "one", key="k1", buttons=[STOP])
    await rig.press(target.channel, "Stop")
    await rig.simulator.expire_queries()
    async with listening(rig.adapter) as heard:
        pressed = await heard.one(Pressed)
        assert (pressed.button, pressed.message) == (STOP.id, shown)
        await rig.simulator.wait_for(lambda: any(each.path == "/answerCallbackQuery" for each in rig.simulator.calls))
        await asked(rig, heard, "still here")


async def test_a_press_under_a_message_that_cannot_be_seen_any_more_is_heard(rig: TelegramRig) -> None:
    async with listening(rig.adapter) as heard:
        target = (await asked(rig, heard)).target
        shown = await rig.adapter.post(target, "one", key="k1", buttons=[STOP])
        await rig.simulator.press("user1", rig.own(target.channel)[0]["id"], "Stop", inaccessible=True)
        pressed = await heard.one(Pressed)
        assert (pressed.button, pressed.message, pressed.place.id) == (STOP.id, shown, target.channel.id)


async def test_a_press_in_a_topic_is_answered_there(rig: TelegramRig) -> None:
    async with listening(rig.adapter) as heard:
        await rig.simulator.say("user1", "workshop", "@threadline_bot hello", topic="plans")
        target = (await heard.message()).target
        await rig.adapter.post(target, "one", key="k1", buttons=[STOP])
        await rig.press(target.channel, "Stop")
        pressed = await heard.one(Pressed)
        await rig.adapter.post(pressed.target, "done", key="k2")
        assert rig.shown(target.channel) == ["one", "done"]


async def test_the_menus_are_set_for_each_scope_and_only_when_they_change(rig: TelegramRig) -> None:
    def sets() -> int:
        return sum(call.path == "/setMyCommands" for call in rig.simulator.calls)

    def offered(where: str = "") -> list[str]:
        return [each["command"] for each in rig.simulator.commands("user2", where)]

    names = [spec.name for spec in COMMANDS]
    rig.adapter.offer(COMMANDS, _complete)
    async with listening(rig.adapter):
        await rig.simulator.wait_for(lambda: sets() == 3)
        await rig.simulator.wait_for(lambda: offered() == offered("general") == names)
    async with listening(rig.adapter) as heard:
        await rig.simulator.wait_for(lambda: sum(call.path == "/getMyCommands" for call in rig.simulator.calls) == 6)
        await asked(rig, heard)
    assert sets() == 3
    rig.adapter.offer(COMMANDS[:3], _complete)
    async with listening(rig.adapter):
        await rig.simulator.wait_for(lambda: sets() == 6)
        await rig.simulator.wait_for(lambda: offered() == names[:3])


async def test_menus_that_cannot_be_set_hinder_nothing(rig: TelegramRig) -> None:
    await rig.simulator.fault(Rule("status", path="/getMyCommands$", status=500, times=6))
    rig.adapter.offer(COMMANDS, _complete)
    async with listening(rig.adapter) as heard:
        await asked(rig, heard)
        await rig.simulator.wait_for(lambda: len(rig.simulator.commands("user2")) == len(COMMANDS))
    async with telegram_rig(ROOMY) as other:
        await other.simulator.fault(refused_with("BOT_COMMAND_INVALID", path="/setMyCommands$", times=None))
        other.adapter.offer(COMMANDS, _complete)
        async with listening(other.adapter) as heard:
            await asked(other, heard)


async def test_a_command_of_the_menu_comes_with_its_options(rig: TelegramRig) -> None:
    async with listening(rig.adapter) as heard:
        for where, text in (("general", "opus for:channel"), ("", "opus")):
            await rig.simulator.call("user1", "model", where, text)
        await heard.until(lambda: len(heard.messages) == 2)
        assert heard.texts == ["/model opus for:channel", "/model opus"]
        assert all(message.addressed for message in heard.messages)
