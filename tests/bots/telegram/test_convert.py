from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from telegram import CallbackQuery, ChatMemberUpdated, Update
from telegram import Message as TelegramMessage

from bots.telegram.convert import Converter, lane_of, migration
from bots.telegram.reading import Me
from shared.chat import Attachment, Channel, ChannelId, Left, Message

NOW = datetime(2026, 11, 20, 12, 0, 0, tzinfo=UTC)
ADA = {"id": 5, "is_bot": False, "first_name": "Ada", "last_name": "L", "username": "ada"}
BOT = {"id": 7, "is_bot": True, "first_name": "Threadline", "username": "threadline_bot"}
PRIVATE = {"id": 5, "type": "private", "first_name": "Ada"}
GROUP = {"id": -100, "type": "supergroup", "title": "Friends"}
FORUM = GROUP | {"is_forum": True}
CONVERTER = Converter(me=Me(7, "threadline_bot"), since=NOW - timedelta(minutes=1), now=lambda: NOW)
MADE = {"forum_topic_created": {"name": "plans", "icon_color": 1}}


def raw(chat: dict[str, Any] = PRIVATE, sender: dict[str, Any] | None = ADA, **more: Any) -> TelegramMessage:
    given: dict[str, Any] = {"message_id": 42, "date": int(NOW.timestamp()), "chat": chat} | more
    if sender is not None:
        given["from"] = sender
    found = TelegramMessage.de_json(given, None)
    assert found is not None
    return found


def read(chat: dict[str, Any] = PRIVATE, **more: Any) -> Message:
    found = CONVERTER.message(raw(chat, **more))
    assert found is not None
    return found


def entity(kind: str, offset: int, length: int) -> dict[str, Any]:
    return {"type": kind, "offset": offset, "length": length}


def test_a_private_chat_is_a_conversation() -> None:
    message = read(text="hello")
    assert message.target.channel == Channel(ChannelId("telegram:5"), "direct")
    assert message.keys == (message.id,) == ("telegram:5/42",)
    assert (message.target.reply_to, message.target.user) == (message.id, "telegram:5")
    assert (message.author.id, message.author.name, message.author.is_bot) == ("telegram:5", "Ada L", False)
    assert (message.text, message.addressed, message.recalled, message.sent_at) == ("hello", True, False, NOW)


def test_topics_of_private_chats_and_forums_have_their_own() -> None:
    private = read(text="hello", is_topic_message=True, message_thread_id=9)
    assert private.target.channel == Channel(ChannelId("telegram:5/9"), "direct", parent=ChannelId("telegram:5"))
    topic = read(FORUM, text="hello", is_topic_message=True, message_thread_id=9)
    space = "telegram:-100"
    assert topic.target.channel == Channel(ChannelId("telegram:-100/9"), "group", parent=ChannelId(space), space=space)
    general = read(FORUM, text="hello", is_topic_message=True, message_thread_id=1)
    plain = read(FORUM, text="hello")
    assert general.target.channel == plain.target.channel == Channel(ChannelId(space), "group", space=space, title="Friends")


def test_a_chain_of_replies_is_no_topic() -> None:
    assert read(GROUP, text="hello", message_thread_id=30).target.channel.id == "telegram:-100"


def test_the_message_that_made_a_topic_is_not_quoted() -> None:
    root = {"message_id": 9, "date": 1, "chat": FORUM, "from": BOT} | MADE
    message = read(FORUM, text="hello", is_topic_message=True, message_thread_id=9, reply_to_message=root)
    assert (message.quoted, message.addressed, message.target.channel.title) == (None, False, "plans")


def test_in_groups_only_what_is_meant_for_the_bot_is_addressed() -> None:
    own = {"message_id": 9, "date": 1, "chat": GROUP, "from": BOT, "text": "an answer"}
    assert not read(GROUP, text="hello").addressed
    assert read(GROUP, text="@threadline_bot hello", entities=[entity("mention", 0, 15)]).addressed
    reply = read(GROUP, text="and?", reply_to_message=own)
    assert reply.addressed
    assert reply.quoted is not None
    assert (reply.quoted.name, reply.quoted.text, reply.quoted.own) == ("Threadline", "an answer", True)
    assert not read(GROUP, text="and?", reply_to_message=own | {"from": ADA}).addressed
    caption = read(GROUP, caption="@threadline_bot hm", caption_entities=[entity("mention", 0, 15)], photo=[photo("a", 10)])
    assert (caption.addressed, caption.text) == (True, "hm")


@pytest.mark.parametrize(
    ("text", "length", "addressed", "told"),
    [
        ("/stop", 5, True, "/stop"),
        ("/stop@threadline_bot", 20, True, "/stop"),
        ("/stop@other_bot", 15, False, "/stop@other_bot"),
        ("/weather", 8, False, "/weather"),
        ("/start@threadline_bot", 21, True, "/help"),
        ("/start deep-link", 6, True, "/help"),
    ],
)
def test_commands_in_groups(text: str, length: int, addressed: bool, told: str) -> None:
    message = read(GROUP, text=text, entities=[entity("bot_command", 0, length)])
    assert (message.addressed, message.text) == (addressed, told)


def test_start_says_what_the_bot_can_do() -> None:
    message = read(text="/start ZGVlcA", entities=[entity("bot_command", 0, 6)])
    assert (message.addressed, message.text) == (True, "/help")
    other = read(text="/stop@other_bot", entities=[entity("bot_command", 0, 15)])
    assert not other.addressed


def photo(name: str, size: int) -> dict[str, Any]:
    return {"file_id": name, "file_unique_id": name, "width": size, "height": size, "file_size": size}


def a_file(name: str, **more: Any) -> dict[str, Any]:
    return {"file_id": name, "file_unique_id": name, "file_size": 12} | more


@pytest.mark.parametrize(
    ("more", "attachment"),
    [
        ({"photo": [photo("s", 10), photo("l", 90)]}, Attachment("l", "photo.jpg", "image/jpeg", 90)),
        (
            {"document": a_file("d", file_name="a.pdf", mime_type="application/pdf")},
            Attachment("d", "a.pdf", "application/pdf", 12),
        ),
        ({"document": {"file_id": "d", "file_unique_id": "d"}}, Attachment("d", "file", "application/octet-stream", 0)),
        ({"voice": a_file("v", duration=1)}, Attachment("v", "voice.ogg", "audio/ogg", 12)),
        (
            {"audio": a_file("u", duration=1, file_name="a.m4a", mime_type="audio/mp4")},
            Attachment("u", "a.m4a", "audio/mp4", 12),
        ),
        ({"video": a_file("w", duration=1, width=1, height=1)}, Attachment("w", "video.mp4", "video/mp4", 12)),
        ({"video_note": a_file("n", duration=1, length=1)}, Attachment("n", "video.mp4", "video/mp4", 12)),
        (
            {"animation": a_file("g", duration=1, width=1, height=1, file_name="x.mp4"), "document": a_file("g")},
            Attachment("g", "x.mp4", "video/mp4", 12),
        ),
    ],
)
def test_files_are_told(more: dict[str, Any], attachment: Attachment) -> None:
    message = read(caption="look", **more)
    assert (message.text, message.attachments) == ("look", (attachment,))


def test_an_album_is_told_message_by_message() -> None:
    first, second = (read(message_id=each, media_group_id="7", photo=[photo("a", 1)]) for each in (1, 2))
    assert first.album == second.album == "telegram:5/7"
    assert first.id != second.id


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ({"sticker": a_file("s", width=1, height=1, type="regular", is_animated=False, is_video=False, emoji="😀")}, "😀"),
        ({"sticker": a_file("s", width=1, height=1, type="regular", is_animated=False, is_video=False)}, "(a sticker)"),
        ({"contact": {"phone_number": "+49 1", "first_name": "Ben", "last_name": "B"}}, "Contact: Ben B +49 1"),
        ({"location": {"latitude": 52.5, "longitude": 13.4}}, "Location: 52.5, 13.4"),
        (
            {"venue": {"location": {"latitude": 1.0, "longitude": 2.0}, "title": "Cafe", "address": "Street 1"}},
            "Venue: Cafe, Street 1 (1.0, 2.0)",
        ),
        ({"dice": {"emoji": "🎲", "value": 4}}, "🎲 4"),
        ({"game": {"title": "Snake", "description": "Old", "photo": []}}, "Game: Snake"),
        ({"paid_media": {"star_count": 1, "paid_media": []}}, "(paid media)"),
    ],
)
def test_what_is_no_text_is_told_in_words(more: dict[str, Any], words: str) -> None:
    assert read(**more).text == words


def test_a_poll_is_told_with_its_options() -> None:
    options = [{"text": each, "voter_count": 0, "persistent_id": each} for each in ("tea", "coffee")]
    poll = {"id": "1", "question": "Which?", "options": options, "total_voter_count": 0, "is_closed": False}
    poll |= {"is_anonymous": True, "type": "regular", "allows_multiple_answers": False, "allows_revoting": False}
    assert read(poll=poll | {"members_only": False}).text == "Poll: Which?: tea; coffee"


@pytest.mark.parametrize(
    ("origin", "name"),
    [
        ({"type": "user", "sender_user": ADA}, "Ada L"),
        ({"type": "hidden_user", "sender_user_name": "Some\nbody"}, "Some body"),
        ({"type": "chat", "sender_chat": GROUP}, "Friends"),
        ({"type": "channel", "chat": {"id": -9, "type": "channel", "title": "News"}, "message_id": 3}, "News"),
    ],
)
def test_a_forward_names_its_origin_and_is_no_command(origin: dict[str, Any], name: str) -> None:
    command = [entity("bot_command", 0, 5)]
    message = read(text="/stop", entities=command, forward_origin=origin | {"date": 1})
    assert message.text == f"[Forwarded from {name}]\n/stop"
    assert not read(GROUP, text="/stop", entities=command, forward_origin=origin | {"date": 1}).addressed


def test_what_is_quoted_comes_with_its_files_and_the_part_that_was_marked() -> None:
    other = {"message_id": 9, "date": 1, "chat": PRIVATE, "from": ADA, "caption": "a long text", "photo": [photo("q", 5)]}
    quoted = read(text="this?", reply_to_message=other, quote={"text": "long", "position": 2}).quoted
    assert quoted is not None
    assert (quoted.name, quoted.text, quoted.own) == ("Ada L", "long", False)
    assert [each.ref for each in quoted.attachments] == ["q"]
    elsewhere: dict[str, Any] = {"origin": {"type": "hidden_user", "sender_user_name": "Eve", "date": 1}}
    quoted = read(text="this?", external_reply=elsewhere | {"photo": [photo("e", 5)]}).quoted
    assert quoted is not None
    assert (quoted.name, quoted.own, [each.ref for each in quoted.attachments]) == ("Eve", False, ["e"])


def test_bots_are_never_answered() -> None:
    other = BOT | {"id": 8, "username": "other_bot"}
    message = CONVERTER.message(raw(GROUP, other, text="@threadline_bot hi", entities=[entity("mention", 0, 15)]))
    assert message is not None
    assert (message.author.is_bot, message.addressed) == (True, False)


def test_an_anonymous_administrator_is_a_person_and_a_linked_channel_is_not() -> None:
    anonymous = {"id": 1087968824, "is_bot": True, "first_name": "Group", "username": "GroupAnonymousBot"}
    named = {"text": "@threadline_bot hi", "entities": [entity("mention", 0, 15)]}
    admin = CONVERTER.message(raw(GROUP, anonymous, sender_chat=GROUP, **named))
    assert admin is not None
    assert (admin.author.id, admin.author.name, admin.author.is_bot) == ("telegram:-100", "Friends", False)
    assert admin.addressed
    channel = {"id": -9, "type": "channel", "title": "News"}
    service = {"id": 777000, "is_bot": False, "first_name": "Telegram"}
    post = CONVERTER.message(raw(GROUP, service, sender_chat=channel, is_automatic_forward=True, **named))
    assert post is not None
    assert (post.author.is_bot, post.addressed) == (True, False)


def test_what_nobody_wrote_is_nothing() -> None:
    assert CONVERTER.message(raw(GROUP, new_chat_members=[BOT])) is None
    assert CONVERTER.message(raw(GROUP, left_chat_member=BOT)) is None
    assert CONVERTER.message(raw(FORUM, is_topic_message=True, message_thread_id=9, **MADE)) is None
    assert CONVERTER.message(raw(GROUP, pinned_message={"message_id": 1, "date": 0, "chat": GROUP})) is None


def test_a_move_to_a_supergroup_is_told_by_both() -> None:
    assert migration(raw({"id": -4, "type": "group", "title": "x"}, migrate_to_chat_id=-100)) == (-4, -100)
    assert migration(raw(GROUP, migrate_from_chat_id=-4)) == (-4, -100)
    assert migration(raw(GROUP, text="hello")) is None


def test_what_was_said_before_the_connection_was_missed() -> None:
    before = NOW - timedelta(minutes=2)
    assert read(text="hello", date=int(before.timestamp())).recalled
    assert not read(text="hello", date=int((NOW - timedelta(minutes=1)).timestamp())).recalled
    edited = CONVERTER.edited(raw(text="hello", date=int(before.timestamp()), edit_date=int(NOW.timestamp())), 3)
    assert edited is not None
    assert not edited.message.recalled


def test_an_edit_without_a_time_is_nobodys() -> None:
    assert CONVERTER.edited(raw(text="hello"), 3) is None


def press(message: dict[str, Any] | None, **more: Any) -> CallbackQuery:
    given: dict[str, Any] = {"id": "q1", "from": ADA, "chat_instance": "1", "message": message} | more
    found = CallbackQuery.de_json(given, None)
    assert found is not None
    return found


def test_a_press_tells_where_and_what() -> None:
    shown = {
        "message_id": 9,
        "date": 1,
        "chat": FORUM,
        "from": BOT,
        "text": "x",
        "message_thread_id": 4,
        "is_topic_message": True,
    }
    pressed = CONVERTER.pressed(press(shown, data="stop/1"))
    assert pressed is not None
    assert (pressed.button, pressed.message, pressed.place.id) == ("stop/1", "telegram:-100/9", "telegram:-100/4")
    assert (pressed.keys, pressed.author.id, pressed.sent_at) == (("telegram:query:q1",), "telegram:5", NOW)


def test_a_press_under_a_message_that_is_too_old_is_a_press() -> None:
    pressed = CONVERTER.pressed(press({"message_id": 9, "date": 0, "chat": GROUP}, data="retry/1"))
    assert pressed is not None
    assert (pressed.button, pressed.message, pressed.place.id) == ("retry/1", "telegram:-100/9", "telegram:-100")


def test_a_press_that_is_not_under_a_message_is_none() -> None:
    assert CONVERTER.pressed(press(None, data="x", inline_message_id="i")) is None
    assert CONVERTER.pressed(press({"message_id": 9, "date": 0, "chat": GROUP}, game_short_name="chess")) is None


@pytest.mark.parametrize(
    ("status", "more", "left"),
    [
        ("kicked", {"until_date": 0}, True),
        ("left", {}, True),
        ("member", {}, False),
    ],
)
def test_being_sent_away_is_told(status: str, more: dict[str, Any], left: bool) -> None:
    change = {"chat": GROUP, "from": ADA, "date": 1, "old_chat_member": {"user": BOT, "status": "member"}}
    given = ChatMemberUpdated.de_json(change | {"new_chat_member": {"user": BOT, "status": status} | more}, None)
    assert given is not None
    ended = datetime.fromtimestamp(2, UTC)  # the second in which it was
    assert CONVERTER.left(given) == (Left(channel=ChannelId("telegram:-100"), at=ended) if left else None)


def test_the_lane_of_an_update_is_its_chat_whatever_it_holds() -> None:
    assert lane_of({"update_id": 1, "message": {"chat": {"id": -100}}}) == -100
    assert lane_of({"update_id": 1, "callback_query": {"message": {"chat": {"id": 5}}}}) == 5
    for odd in ({}, {"message": None}, {"message": "x"}, {"message": {"chat": 3}}, {"poll": {"id": 1}}):
        assert lane_of({"update_id": 1} | odd) == 0


def test_an_update_of_an_unknown_kind_is_read() -> None:
    update = Update.de_json({"update_id": 1, "something_new": {"a": 1}}, None)
    assert update.effective_message is None
