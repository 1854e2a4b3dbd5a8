import asyncio
import base64
import logging
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from bots.telegram.bot import calling
from bots.telegram.calls import Calls
from bots.telegram.convert import Converter
from bots.telegram.gateway import Gateway
from bots.telegram.limits import Limits
from bots.telegram.names import Moves
from bots.telegram.reading import Me
from sandbox.telegram.defaults import FORUMS, GROUPS, PEOPLE, SUPERGROUPS
from shared.abilities import Drafts, Finds, Grows, Reacts, Recalls, Streams, Threads, Uploads
from shared.chat import Adapter, Connected, Deliver, Edited, Event, Left, Message, Moved, Target
from shared.commands import Menus, Spells
from shared.errors import Gone, Stranded, Unavailable
from tests.bots.telegram.rig import ME, ROOMY, TelegramRig, telegram_rig
from tests.conformance.adapter_rig import Heard, asked, listening, running

ADA = PEOPLE["user1"][0]
NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
SIDES = {"width": 10, "height": 10}
KITCHEN, GENERAL, WORKSHOP = GROUPS["kitchen"], SUPERGROUPS["general"], FORUMS["workshop"]


async def told(rig: TelegramRig, heard: Heard, where: str, text: str, **more: object) -> Message:
    """Somebody writes something; the message as it was heard."""
    count = len(heard.messages) + 1
    said = await rig.simulator.say("user1", where, text, **more)  # pyright: ignore[reportArgumentType]  # options of several kinds
    rig.said = said["id"]
    return await heard.message(count)


async def answered(rig: TelegramRig, message: Message, text: str = "an answer") -> None:
    """What was said is answered where it was said; the answer is shown there."""
    await rig.adapter.post(message.target, text, key="k1")
    assert rig.shown(message.target.channel) == [text]


# places


async def test_a_private_chat_needs_no_mention(rig: TelegramRig) -> None:
    async with listening(rig.adapter) as heard:
        message = await told(rig, heard, "@user1", "hello", direct=True)
        assert message.addressed
        assert (message.target.channel.id, message.target.channel.kind) == (f"telegram:{ADA}", "direct")
        assert message.thread is None
        await answered(rig, message)


async def test_a_group_is_one_conversation_and_its_answers_are_replies(rig: TelegramRig) -> None:
    async with listening(rig.adapter) as heard:
        message = await told(rig, heard, "kitchen", f"{ME} hello")
        assert (message.place.id, message.place.kind, message.place.title) == (f"telegram:{KITCHEN}", "group", "kitchen")
        await answered(rig, message)
        [own] = rig.own(message.target.channel)
        assert own["reply_to"] == int(rig.said.partition(":")[2])
        reply = await told(rig, heard, "kitchen", "and then?", reply_to=own["id"])
        assert (reply.text, reply.addressed) == ("and then?", True)
        assert reply.quoted is not None
        assert (reply.quoted.own, reply.quoted.text) == (True, "an answer")


async def test_each_topic_is_a_conversation_and_general_is_the_group(rig: TelegramRig) -> None:
    async with listening(rig.adapter) as heard:
        topic = await told(rig, heard, "workshop", f"{ME} in plans", topic="plans")
        assert (topic.place.kind, topic.place.parent, topic.place.title) == ("group", f"telegram:{WORKSHOP}", "plans")
        assert topic.quoted is None
        general = await told(rig, heard, "workshop", f"{ME} in General")
        assert (general.place.id, general.place.kind) == (f"telegram:{WORKSHOP}", "group")
        await answered(rig, topic, "in plans")
        await answered(rig, general, "in General")
        sent = [each.body for each in rig.simulator.calls if each.path == "/sendMessage"]
        assert [each.get("message_thread_id") for each in sent] == ["2", None]


async def test_a_chain_of_replies_stays_in_the_group(rig: TelegramRig) -> None:
    async with listening(rig.adapter) as heard:
        first = await told(rig, heard, "general", f"{ME} hello")
        second = await told(rig, heard, "general", f"{ME} more", reply_to=rig.said)
        assert first.place == second.place
        await answered(rig, second)


async def test_a_topic_of_a_private_chat_is_a_conversation() -> None:
    async with telegram_rig(replace(ROOMY, topics_in_private=True)) as rig, listening(rig.adapter) as heard:
        await rig.simulator.start("user1")
        await heard.message()
        topic = await rig.simulator.topic("user1", "@user1", "recipes")
        message = await told(rig, heard, "@user1", "hello", topic=topic["id"])
        assert message.place.id == f"telegram:{ADA}/{topic['id']}"
        assert (message.place.kind, message.place.parent, message.addressed) == ("direct", f"telegram:{ADA}", True)
        await answered(rig, message)


async def test_privacy_mode_is_told(rig: TelegramRig, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, logger="bots")
    async with listening(rig.adapter):
        assert "privacy mode is on" in rig.adapter.health().detail
    assert len([record for record in caplog.records if "privacy mode" in record.message]) == 1
    async with telegram_rig(replace(ROOMY, privacy=False)) as rig, listening(rig.adapter):
        assert "privacy" not in rig.adapter.health().detail


async def test_without_privacy_mode_what_is_said_to_others_is_still_not_addressed() -> None:
    async with telegram_rig(replace(ROOMY, privacy=False)) as rig, listening(rig.adapter) as heard:
        assert not (await told(rig, heard, "general", "between us")).addressed
        assert not (await told(rig, heard, "general", "/stop@other_bot")).addressed
        assert (await told(rig, heard, "general", "/stop")).addressed


async def test_health_says_when_it_last_heard(rig: TelegramRig) -> None:
    async with listening(rig.adapter) as heard:
        await asked(rig, heard)
        assert "connected as @threadline_bot, last heard 0 s ago" in rig.adapter.health().detail


def update(number: int, chat: int, at: datetime = NOON, kind: str = "message", **more: Any) -> dict[str, Any]:
    """An update of a message in a chat."""
    where = {"id": chat, "type": "private" if chat > 0 else "supergroup" if chat < -1000 else "group", "title": "Friends"}
    by = {"id": 5, "is_bot": False, "first_name": "Eve"}
    told = {"message_id": number, "date": int(at.timestamp()), "chat": where, "from": by} | more
    return {"update_id": number, kind: told}


@asynccontextmanager
async def gateway(rig: TelegramRig, deliver: Deliver, *times: datetime) -> AsyncGenerator[Gateway]:
    """One that is handed its updates; by its clock it is each of these times in turn."""
    line, clock = calling(rig.config), iter(times)
    converter = Converter(me=Me(1, "bot"), since=NOON, now=lambda: next(clock))
    calls = Calls(rig.config, line.bot, moves=Moves(), limits=Limits())
    async with asyncio.TaskGroup() as tasks:
        yield Gateway(rig.config, calls, converter, tasks=tasks, deliver=deliver, failed={})
    await line.aclose()


async def test_what_was_said_while_the_connection_was_away_is_recalled(rig: TelegramRig) -> None:
    heard = Heard()
    async with gateway(rig, heard, NOON, NOON + timedelta(hours=1)) as taking:
        for number in (1, 3):
            await taking.up()
            before, after = NOON + timedelta(minutes=30), NOON + timedelta(hours=2)
            await taking.take([update(number, 5, before, text="hello"), update(number + 1, 5, after, text="hello")])
    assert [each.recalled for each in heard.messages] == [False, False, True, False]


# a group that moves


async def test_a_group_that_became_a_supergroup_is_answered_there(rig: TelegramRig) -> None:
    async with listening(rig.adapter) as heard:
        message = await told(rig, heard, "kitchen", f"{ME} hello")
        shown = await rig.adapter.post(message.target, "one", key="k1")
        new = await rig.simulator.migrate("kitchen")
        later = await told(rig, heard, "kitchen", f"{ME} still there?")
        moves = heard.of(Moved)
        assert {(each.old, each.channel) for each in moves} == {(f"telegram:{KITCHEN}", later.place)}
        assert heard.events.index(moves[0]) < heard.events.index(later)
        assert later.place.id == f"telegram:{new['id']}"
        again = await rig.adapter.post(message.target, "two", key="k2")
        assert again.startswith(f"telegram:{new['id']}/")
        assert rig.shown(later.place) == ["two"]
        assert rig.adapter.limits(message.target, "post") == rig.adapter.limits(later.target, "post")
        for gone in (rig.adapter.edit(message.target, shown, "x"), rig.adapter.react(message.target, message.id, seen=True)):
            with pytest.raises(Gone):
                await gone
        await rig.adapter.delete(message.target, shown)


async def test_what_was_said_before_a_move_is_taken_before_it_and_what_comes_late_is_of_the_new_group(rig: TelegramRig) -> None:
    heard, old, new = Heard(), -4, -1000004
    batch = [
        update(1, old, text="@bot one"),
        update(2, old, text="@bot two"),
        update(3, old, migrate_to_chat_id=new),
        update(4, new, migrate_from_chat_id=old),
        update(5, new, text="@bot three"),
    ]
    late = [update(6, old, text="@bot late"), update(2, old, kind="edited_message", text="@bot 2", edit_date=1_800_000_000)]

    async def deliver(event: Event) -> None:
        await asyncio.sleep(0)  # so that others get their turn
        await heard(event)

    async with gateway(rig, deliver) as taking:
        await taking.take(batch)
        await taking.take(late)
    assert [type(each) for each in heard.events] == [Message, Message, Moved, Moved, Message, Message, Edited]
    assert [each.target.channel.id for each in heard.messages] == [f"telegram:{each}" for each in (old, old, new, new)]
    [edited], [move, _] = heard.of(Edited), heard.of(Moved)
    assert edited.message.target.channel == move.channel == heard.messages[2].target.channel


async def test_a_move_comes_after_what_is_still_being_stored_of_the_group_as_it_was(rig: TelegramRig) -> None:
    heard, began, stored = Heard(), asyncio.Event(), asyncio.Event()

    async def deliver(event: Event) -> None:
        if isinstance(event, Message) and event.text == "one":
            began.set()
            await stored.wait()
        await heard(event)

    async with gateway(rig, deliver) as taking, asyncio.timeout(10):
        before = asyncio.create_task(taking.take([update(1, -4, text="one")]))
        await began.wait()
        since = asyncio.create_task(taking.take([update(2, -4, migrate_to_chat_id=-1000004), update(3, -1000004, text="two")]))
        for _ in range(20):
            await asyncio.sleep(0)
        assert heard.events == []
        stored.set()
        await before
        await since
    assert [type(each) for each in heard.events] == [Message, Moved, Message]


async def test_that_we_are_no_longer_in_what_a_group_was_before_is_no_leaving(rig: TelegramRig) -> None:
    def away(number: int, chat: int) -> dict[str, Any]:
        me, by = {"id": 1, "is_bot": True, "first_name": "Bot"}, {"id": 5, "is_bot": False, "first_name": "Eve"}
        where = {"id": chat, "type": "group", "title": "Friends"}
        old, new = {"user": me, "status": "member"}, {"user": me, "status": "left"}
        told = {"chat": where, "from": by, "date": 1, "old_chat_member": old, "new_chat_member": new}
        return {"update_id": number, "my_chat_member": told}

    heard = Heard()
    async with gateway(rig, heard) as taking:
        await taking.take([away(1, -4), update(2, -4, migrate_to_chat_id=-1000004)])
        await taking.take([away(3, -4), away(4, -1000004)])
    assert [type(each) for each in heard.events] == [Moved, Left]
    assert heard.of(Left)[0].channel == "telegram:-1000004"


async def test_the_move_of_a_group_is_learned_from_a_refusal_too(rig: TelegramRig) -> None:
    async with listening(rig.adapter) as heard:
        message = await told(rig, heard, "kitchen", f"{ME} hello")
        shown = await rig.adapter.post(message.target, "one", key="k1")
    new = await rig.simulator.migrate("kitchen")
    await rig.simulator.expire_updates()
    again = rig.again()
    async with listening(again.adapter) as heard:
        with pytest.raises(Gone):
            await again.adapter.edit(message.target, shown, "x")
        move = await heard.one(Moved)
        assert (move.old, move.channel.id) == (f"telegram:{KITCHEN}", f"telegram:{new['id']}")
        await again.adapter.post(message.target, "two", key="k2")
        await asked(again, heard)
        assert len(heard.of(Moved)) == 1
    assert [each["content"] for each in rig.simulator.messages(str(new["id"])) if each["content"]] == ["two"]


async def test_what_is_said_in_the_new_group_comes_after_the_move_also_where_a_refusal_tells_of_it(rig: TelegramRig) -> None:
    heard, began, stored = Heard(), asyncio.Event(), asyncio.Event()

    async def deliver(event: Event) -> None:
        if isinstance(event, Moved):
            began.set()
            await stored.wait()
        await heard(event)

    async with gateway(rig, deliver) as taking, asyncio.timeout(10):
        taking.moved(-4, -1000004)
        await began.wait()
        said = asyncio.create_task(taking.take([update(1, -1000004, text="@bot still there?")]))
        for _ in range(20):
            await asyncio.sleep(0)
        assert heard.events == []
        stored.set()
        await said
    assert [type(each) for each in heard.events] == [Moved, Message]


async def test_a_move_that_only_a_refusal_tells_of_is_told_until_it_is_stored(rig: TelegramRig) -> None:
    async with listening(rig.adapter) as heard:
        message = await told(rig, heard, "kitchen", f"{ME} hello")
        shown = await rig.adapter.post(message.target, "one", key="k1")
    await rig.simulator.migrate("kitchen")
    await rig.simulator.expire_updates()
    again, heard, refused = rig.again(), Heard(), list[Event]()

    async def deliver(event: Event) -> None:
        if isinstance(event, Moved) and len(refused) < 2:
            refused.append(event)
            raise Unavailable("not stored")
        await heard(event)

    async with running(again.adapter, deliver):
        await heard.connected()
        with pytest.raises(Stranded):
            await again.adapter.edit(message.target, shown, "x")
        assert (await heard.one(Moved)).old == f"telegram:{KITCHEN}"
        assert len(heard.of(Connected)) == 1


# leaving


async def test_being_blocked_or_removed_is_told_and_coming_back_is_not(rig: TelegramRig) -> None:
    async with listening(rig.adapter) as heard:
        private = await told(rig, heard, "@user1", "hello", direct=True)
        await rig.simulator.block("user1")
        assert (await heard.one(Left)).channel == f"telegram:{ADA}"
        with pytest.raises(Gone):
            await rig.adapter.post(private.target, "hello?", key="k1")
        await rig.simulator.unblock("user1")
        await rig.simulator.remove_bot("general")
        assert (await heard.one(Left, 2)).channel == f"telegram:{GENERAL}"
        await rig.simulator.add_bot("general")
        await asked(rig, heard, "welcome back")
        assert len(heard.of(Left)) == 2


# edits


async def test_an_edit_is_told_once_also_of_an_album_and_a_caption(rig: TelegramRig) -> None:
    async with listening(rig.adapter) as heard:
        file = {"kind": "photo", "content_base64": base64.b64encode(b"x").decode()}
        message = await told(rig, heard, "general", f"{ME} look", attachments=[file])
        await rig.preview()
        await rig.change("look again")
        edited = await heard.one(Edited)
        assert edited.message == replace(message, text="look again")
        await rig.simulator.react("user2", rig.said, "👍")
        await rig.preview()
        await asked(rig, heard, "after")
        assert len(heard.of(Edited)) == 1


async def test_an_edit_that_could_not_be_stored_comes_again(rig: TelegramRig) -> None:
    heard, refused = Heard(), list[Event]()

    async def deliver(event: Event) -> None:
        if isinstance(event, Edited) and not refused:
            refused.append(event)
            raise Unavailable("not stored")
        await heard(event)

    async with running(rig.adapter, deliver):
        await asked(rig, heard)
        await rig.change("look again")
        assert (await heard.one(Edited)) == refused[0]


# what comes with a message


async def test_an_album_comes_as_messages_of_one_album(rig: TelegramRig) -> None:
    async with listening(rig.adapter) as heard:
        files = [{"kind": "photo", "size": 10}, {"kind": "photo", "size": 20}]
        await rig.simulator.say("user1", "", "look", attachments=files, direct=True)
        await heard.until(lambda: len(heard.messages) == 2)
        first, second = heard.messages
        assert first.album == second.album is not None
        assert [each.text for each in heard.messages] == ["look", ""]
        assert [len(each.attachments) for each in heard.messages] == [1, 1]


async def test_what_came_of_an_album_before_the_mention_comes_again_after_it(rig: TelegramRig) -> None:
    heard = Heard()

    def item(number: int, album: str, **more: Any) -> dict[str, Any]:
        return update(number, -1000004, media_group_id=album, photo=[{"file_id": "F", "file_unique_id": "U"} | SIDES], **more)

    mention = {"caption": "@bot both", "caption_entities": [{"type": "mention", "offset": 0, "length": 4}]}
    async with gateway(rig, heard) as taking:
        await taking.take([item(1, "7")])
        await taking.take([item(2, "8", caption="others")])
        await taking.take([item(3, "7", **mention), item(4, "7")])
    came = [(each.id.rpartition("/")[2], each.addressed) for each in heard.messages]
    assert came == [("1", False), ("2", False), ("3", True), ("1", True), ("4", False)]


async def test_a_quoted_message_comes_with_its_files(rig: TelegramRig) -> None:
    async with listening(rig.adapter) as heard:
        said = await rig.simulator.say(
            "user2", "general", "a plan", attachments=[{"kind": "document", "name": "a.pdf", "size": 5}]
        )
        message = await told(rig, heard, "general", f"{ME} what is this?", reply_to=said["id"])
        assert message.quoted is not None
        assert (message.quoted.name, message.quoted.text, message.quoted.own) == ("Ben", "a plan", False)
        assert [each.name for each in message.quoted.attachments] == ["a.pdf"]


async def test_stickers_and_forwards_are_told_in_words(rig: TelegramRig) -> None:
    async with listening(rig.adapter) as heard:
        sticker = await told(rig, heard, "@user1", "", attachments=[{"kind": "sticker", "emoji": "😀"}], direct=True)
        assert (sticker.text, sticker.attachments) == ("😀", ())
        forward = await told(rig, heard, "@user1", "/new", forwarded="Ben", direct=True)
        assert forward.text == "[Forwarded from Ben]\n/new"


async def test_what_it_can_do_is_told_by_its_face(rig: TelegramRig) -> None:
    assert [each.__name__ for each in (Uploads, Reacts, Menus, Drafts, Spells) if not isinstance(rig.adapter, each)] == []
    assert [each.__name__ for each in (Threads, Finds, Recalls, Streams, Grows) if isinstance(rig.adapter, each)] == []
    checked: Adapter = rig.adapter
    assert checked.name == "telegram"


async def test_the_way_to_write_a_command_names_the_bot_in_groups(rig: TelegramRig) -> None:
    async with listening(rig.adapter) as heard:
        group = await asked(rig, heard)
        private = await told(rig, heard, "@user1", "hello", direct=True)
        assert rig.adapter.spell("new", group.place) == "/new@threadline_bot"
        assert rig.adapter.spell("new", private.place) == "/new"
        menu = await told(rig, heard, "general", rig.adapter.spell("new", group.place))
        assert (menu.text, menu.addressed) == ("/new", True)


async def test_a_reply_to_a_message_that_is_gone_is_sent_all_the_same(rig: TelegramRig) -> None:
    async with listening(rig.adapter) as heard:
        message = await asked(rig, heard)
        await rig.simulator.delete(rig.said)
        await answered(rig, message)
        await rig.adapter.post(Target(message.target.channel), "with no reply", key="k2")
