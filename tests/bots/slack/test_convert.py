from typing import Any

import pytest

from bots.slack.convert import Around, Asked, Converter
from shared.chat import Author, AuthorId, Message

CONVERTER = Converter(me="U9", bot="B9", team="T1")
AROUND = Around(names={"U1": "Ada"})


def raw(text: str = "hello", **more: Any) -> dict[str, Any]:
    return {"type": "message", "ts": "1700000000.000100", "user": "U1", "text": text, **more}


def read(given: dict[str, Any], channel: str = "C1", around: Around = AROUND) -> Message:
    message = CONVERTER.message(given, channel, around)
    assert message is not None
    return message


@pytest.mark.parametrize("subtype", ["channel_join", "channel_topic", "tombstone", "message_replied", "reminder_add"])
def test_what_nobody_wrote_is_no_message(subtype: str) -> None:
    assert CONVERTER.message(raw(subtype=subtype), "C1", AROUND) is None


@pytest.mark.parametrize(
    "by",
    [
        {"user": "U9"},
        {"bot_id": "B9"},
        {"bot_id": "B2"},
        {"user": None, "subtype": "bot_message", "bot_id": "B2", "username": "Builds"},
        {"user": "USLACKBOT"},
    ],
)
def test_bots_are_never_addressed(by: dict[str, Any]) -> None:
    for channel in ("C1", "D1"):
        message = read(raw("<@U9> hello") | by, channel, Around(ours=True))
        assert not message.addressed
        assert message.author.is_bot
        assert message.author.name
        assert message.attachments == ()


def test_a_mention_in_a_channel_is_answered_in_a_thread_on_it() -> None:
    message = read(raw("<@U9> hello"))
    assert (message.addressed, message.text, message.author.name) == (True, "hello", "Ada")
    assert message.thread is not None
    assert message.thread.id == "slack:C1/1700000000.000100"
    assert message.target.user == "slack:U1"
    assert not read(raw("hello")).addressed
    assert read(raw("hello")).thread is None
    assert not read(raw("`&lt;@U9&gt;` hello")).addressed


def test_in_a_thread_that_is_ours_no_mention_is_needed() -> None:
    reply = raw(thread_ts="1690000000.000100")
    assert not read(reply).addressed
    message = read(reply, around=Around(ours=True))
    assert message.addressed
    assert message.thread is None
    assert message.target.channel.id == "slack:C1/1690000000.000100"
    root = read(raw("<@U9> hello", thread_ts="1700000000.000100", reply_count=3))
    assert root.target.channel.id == "slack:C1"


def test_a_shared_message_is_quoted() -> None:
    shared = {"is_share": True, "author_id": "U9", "author_name": "Threadline", "text": "as I said &amp; did"}
    message = read(raw("<@U9> explain", attachments=[{"title": "a preview"}, shared]))
    assert message.quoted is not None
    assert (message.quoted.name, message.quoted.text, message.quoted.own) == ("Threadline", "as I said & did", True)


def test_files_are_named_by_their_ids() -> None:
    files = [
        {"id": "F1", "name": "a.txt", "mimetype": "text/plain", "size": 3, "url_private": "https://files.slack.com/x"},
        {"id": "F2", "mode": "tombstone"},
        {"id": "F3"},
    ]
    found = read(raw("<@U9>", files=files, subtype="file_share")).attachments
    assert [(each.ref, each.name, each.media_type, each.size) for each in found] == [
        ("F1", "a.txt", "text/plain", 3),
        ("F3", "file", "application/octet-stream", 0),
    ]


def test_a_question_by_command_is_read_back_from_our_own_message_alone() -> None:
    asked = Asked("slack:123", Author(id=AuthorId("slack:U1"), name="Ada", space="slack:T2"), "why?\nand how?")
    ours = raw(user="U9", metadata=asked.metadata())
    message = read(ours)
    assert (message.addressed, message.commanded, message.text, message.author) == (True, True, "why?\nand how?", asked.author)
    assert message.keys == ("slack:C1/1700000000.000100", "slack:123")
    assert asked.shown() == "**Ada** asks:\n> why?\n> and how?"
    assert not read(ours | {"user": "U1"}).commanded
    assert not read(ours | {"metadata": {"event_type": "threadline_question", "event_payload": {"key": 1}}}).commanded


@pytest.mark.parametrize(
    ("more", "space"),
    [({}, "T1"), ({"team": "T1"}, "T1"), ({"team": "T2"}, "T2"), ({"team": "T1", "user_team": "T2"}, "T2")],
)
def test_whoever_wrote_belongs_to_their_own_workspace_and_the_channel_to_ours(more: dict[str, Any], space: str) -> None:
    message = read(raw(**more))
    assert (message.author.space, message.target.channel.space) == (f"slack:{space}", "slack:T1")


def test_a_hostile_name_is_no_markup() -> None:
    shown = Asked("k", Author(id=AuthorId("slack:U1"), name="**<!channel>**\n> x"), "why?").shown()
    assert shown == "**channel x** asks:\n> why?"
