from typing import Any

import discord
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bots.discord.convert import Converter, place, snowflake, title
from shared.chat import Channel, ChannelId, Message, Quoted

ME, ADA, HERE, GUILD = 10**17 + 1, 10**17 + 2, 10**17 + 3, 10**17 + 4
READER = Converter(me=ME, answer_in="thread", message_content=True)


def user(number: int, name: str) -> dict[str, Any]:
    return {"id": str(number), "username": name, "global_name": name, "discriminator": "0", "avatar": None}


def received(*, guild: int | None = GUILD, **fields: Any) -> discord.Message:
    """A message as the library makes it of a payload."""
    client = discord.Client(intents=discord.Intents.none())
    data: dict[str, Any] = {
        "id": str(10**18),
        "channel_id": str(HERE),
        "type": 0,
        "author": user(ADA, "Ada"),
        "content": "hello",
        "timestamp": "2026-01-01T00:00:00+00:00",
        "edited_timestamp": None,
        "mentions": [],
    }
    channel = client.get_partial_messageable(HERE, guild_id=guild)
    state = client._connection  # pyright: ignore[reportPrivateUsage]  # the library offers no other way to a message
    return discord.Message(state=state, channel=channel, data=data | fields)  # pyright: ignore[reportArgumentType]  # a plain dict stands for its TypedDict


def read(reader: Converter = READER, **fields: Any) -> Message:
    return reader.message(received(**fields))


@pytest.mark.parametrize(
    ("content", "text"),
    [
        (f"<@{ME}> hello", "hello"),
        (f"<@!{ME}>, hello", "hello"),
        (f"<@{ME}>: hello", "hello"),
        (f"hello <@{ME}>", "hello"),
        (f"hello <@{ME}>, you", "hello, you"),
        (f"are <@{ME}> there?", "are there?"),
        (f"<@{ME}> <@{ME}>\n\n    code\n", "code"),
        (f"<@{ME}>", ""),
        (f"first\n<@{ME}>\nlast", "first\n \nlast"),
        ("<:wave:123456789012345678> <a:dance:123456789012345678>", ":wave: :dance:"),
        ("</ask now:123456789012345678>", "/ask now"),
        ("<t:0:R> <t:999999999999>", "1970-01-01 00:00 UTC <t:999999999999>"),
        (f"<@{ADA}> and <@{ADA + 50}>", "@Ada and @someone"),
        ("<@&123456789012345678> <#123456789012345678>", "@role #channel"),
        ("a < b <c> <@> <@abc>", "a < b <c> <@> <@abc>"),
        ("nul \0 stays out <x>", "nul  stays out <x>"),
        ("  spaces  ", "spaces"),
    ],
)
def test_markup_becomes_what_people_see(content: str, text: str) -> None:
    assert read(content=content, mentions=[user(ME, "Bot"), user(ADA, "Ada")]).text == text


@given(
    st.text(max_size=60)
    | st.lists(st.sampled_from(["<", "@", "!", "&", "#", "t:", f"{ME}", "9" * 20, ">", ":", "a", " "])).map("".join)
)
@settings(deadline=None)
def test_any_text_is_read(content: str) -> None:
    text = read(content=content, mentions=[user(ME, "Bot")]).text
    assert f"<@{ME}>" not in text


@pytest.mark.parametrize(
    "fields",
    [
        {"author": user(ADA, "Ada") | {"bot": True}},
        {"author": user(ME, "Bot")},
        {"webhook_id": "5"},
        {"type": 7},
        {"type": 18},
        {"type": 21},
        {"type": 20},
    ],
)
def test_what_bots_webhooks_and_the_system_write_is_never_addressed(fields: dict[str, Any]) -> None:
    called: dict[str, Any] = {"content": f"<@{ME}> hello", "mentions": [user(ME, "Bot")]} | fields
    message = read(**called)
    assert (message.author.is_bot, message.addressed, message.thread) == (True, False, None)
    in_private = READER.message(received(**fields), Channel(ChannelId(f"discord:{HERE}"), "direct"))
    assert not in_private.addressed


def test_a_mention_inside_code_is_none() -> None:
    assert not read(content=f"`<@{ME}>`", mentions=[]).addressed
    assert read(content=f"<@{ME}>", mentions=[user(ME, "Bot")]).addressed


def test_a_reply_is_addressed_by_whose_message_it_answers() -> None:
    def reply(author: int, *, pinged: bool = False) -> Message:
        original: dict[str, Any] = {
            "id": "5",
            "channel_id": str(HERE),
            "type": 0,
            "author": user(author, "Somebody"),
            "content": f"see <@{ME}>",
            "timestamp": "2026-01-01T00:00:00+00:00",
            "edited_timestamp": None,
            "mentions": [user(ME, "Bot")],
        }
        reference = {"message_id": "5", "channel_id": str(HERE), "guild_id": str(GUILD)}
        mentions = [user(ME, "Bot")] if pinged else []
        return read(type=19, message_reference=reference, referenced_message=original, mentions=mentions)

    assert reply(ME).addressed
    assert reply(ME).quoted == Quoted(name="Somebody", text="see @Bot", own=True)
    assert not reply(ADA).addressed
    assert reply(ADA).quoted == Quoted(name="Somebody", text="see @Bot", own=False)


def test_a_reply_to_what_is_gone_is_addressed_if_it_pings_the_bot() -> None:
    reference = {"message_id": "5", "channel_id": str(HERE), "guild_id": str(GUILD)}
    gone: dict[str, Any] = {"type": 19, "message_reference": reference, "referenced_message": None}
    assert read(**gone, mentions=[user(ME, "Bot")]).addressed
    assert not read(**gone).addressed
    assert read(**gone).quoted is None


def test_a_forwarded_message_is_quoted_with_its_files() -> None:
    file = {"id": "7", "filename": "a.png", "size": 3, "content_type": "image/png", "url": "u", "proxy_url": "u"}
    inner: dict[str, Any] = {"content": "far <:x:5>", "timestamp": "2026-01-01T00:00:00+00:00", "edited_timestamp": None}
    inner |= {"attachments": [file], "embeds": [], "type": 0, "flags": 0, "mentions": [], "mention_roles": []}
    reference = {"type": 1, "message_id": "5", "channel_id": "6"}
    message = read(content="", message_reference=reference, message_snapshots=[{"message": inner}])
    assert message.quoted == Quoted(name="Forwarded message", text="far :x:", own=False)
    assert [(each.ref, each.name) for each in message.attachments] == [(f"{HERE}/{10**18}/7", "a.png")]


def test_stickers_are_attachments_but_for_drawing_programs() -> None:
    items = [{"id": str(number), "name": f"s{number}", "format_type": number} for number in (1, 2, 3, 4)]
    message = read(content="", sticker_items=items)
    assert [(each.name, each.media_type) for each in message.attachments] == [
        ("s1", "image/png"),
        ("s2", "image/png"),
        ("s4", "image/gif"),
    ]
    assert not message.unreadable


def test_a_file_keeps_its_type_without_parameters() -> None:
    file = {"id": "7", "filename": "a.txt", "size": 3, "content_type": "text/plain; charset=utf-8", "url": "u", "proxy_url": "u"}
    nameless = {"id": "8", "filename": "b", "size": 0, "url": "u", "proxy_url": "u"}
    types = [each.media_type for each in read(attachments=[file, nameless]).attachments]
    assert types == ["text/plain", "application/octet-stream"]


def test_only_a_withheld_text_is_unreadable() -> None:
    blind = Converter(me=ME, answer_in="thread", message_content=False)
    assert read(blind, content="").unreadable
    assert not read(blind, content="", guild=None).unreadable
    assert not read(blind, content="", mentions=[user(ME, "Bot")]).unreadable
    assert not read(blind, content="", sticker_items=[{"id": "1", "name": "s", "format_type": 1}]).unreadable
    assert not read(content="").unreadable


@pytest.mark.parametrize(
    ("given", "named"),
    [
        ("  a\n b\tc ", "a b c"),
        ("", "Conversation"),
        (" \n\u200b\0", "Conversation"),
        ("x" * 100, "x" * 100),
        ("x" * 101, "x" * 99 + "…"),
        ("😀" * 150, "😀" * 99 + "…"),
        ("a\u202eb", "ab"),
    ],
)
def test_a_title_is_one_line_that_discord_takes(given: str, named: str) -> None:
    assert title(given) == named


def test_an_id_of_another_platform_is_no_id_of_ours() -> None:
    assert snowflake("discord:5") == 5
    with pytest.raises(ValueError, match="not an id of discord"):
        snowflake("other:5")


@pytest.mark.parametrize(("kind", "secluded"), [(10, False), (11, False), (12, True)])
def test_a_private_thread_is_secluded_from_the_channel_it_is_in(kind: int, secluded: bool) -> None:
    # Types: announcement, public and private thread (Discord developer docs, Channel Types).
    client = discord.Client(intents=discord.Intents.none())
    state = client._connection  # pyright: ignore[reportPrivateUsage]  # the library offers no other way to a thread
    guild = discord.Guild(state=state, data={"id": str(GUILD)})  # pyright: ignore[reportArgumentType]  # a plain dict stands for its TypedDict
    data: dict[str, Any] = {
        "id": str(HERE + 1),
        "guild_id": str(GUILD),
        "parent_id": str(HERE),
        "owner_id": str(ADA),
        "name": "aside",
        "type": kind,
        "message_count": 0,
        "member_count": 1,
        "thread_metadata": {"archived": False, "auto_archive_duration": 60, "archive_timestamp": "2026-01-01T00:00:00+00:00"},
    }
    thread = discord.Thread(guild=guild, state=state, data=data)  # pyright: ignore[reportArgumentType]  # as above
    found = place(thread, guild)
    assert found is not None
    assert (found.kind, found.parent, found.secluded) == ("thread", f"discord:{HERE}", secluded)
