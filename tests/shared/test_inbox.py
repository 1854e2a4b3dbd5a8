"""What is decided about a message, and what is kept of it."""

import asyncio
from dataclasses import replace
from pathlib import Path

import pytest

from shared import sentences
from shared.access import Access
from shared.chat import Attachment, Left, Message, MessageId, Moved, Quoted
from shared.telling import not_stored_key
from tests.odd.platform import CALL, channel
from tests.odd.service import Board, Note
from tests.shared.disk import disk
from tests.shared.flavours import RecallingAdapter
from tests.shared.house import NOON, heard, house
from tests.shared.hurrying import on_hurrying_clock

STRANGERS_OUT = Access(users=frozenset({"ada"}))


def note(number: int, text: str = "bot, hello", who: str = "ada") -> Message:
    return heard(Note(number, who, text, at=NOON))


@on_hurrying_clock
async def test_a_message_sent_twice_is_answered_once(tmp_path: Path) -> None:
    async with house(tmp_path) as h:
        await h.hear(note(1))
        await h.hear(note(1))
        await h.quiet()
        assert h.shown() == ["re ada: hello"]
        await h.crash()
        await h.start()
        await h.hear(note(1))
        await h.quiet()
        assert h.shown() == ["re ada: hello"]


@on_hurrying_clock
async def test_a_message_is_known_by_any_of_its_keys(tmp_path: Path) -> None:
    async with house(tmp_path) as h:
        await h.hear(replace(note(1), keys=("a", "b")))
        await h.hear(replace(note(2), keys=("b", "c")))
        await h.hear(replace(note(3), keys=("c",)))
        await h.quiet()
        assert len(h.script.prompts) == 1


@on_hurrying_clock
async def test_what_is_not_meant_for_the_bot_is_not_stored(tmp_path: Path) -> None:
    async with house(tmp_path) as h:
        await h.say("between us", to_bot=False)
        message = note(2)
        await h.hear(replace(message, author=replace(message.author, is_bot=True)))
        await h.quiet()
        assert (h.decisions(), h.states(), h.shown()) == ([], [], [])
        await h.inbox.marks(h.adapter).flush()
        assert h.rows("SELECT channel, message FROM marks") == [("odd:hall", "odd:2")]


@on_hurrying_clock
async def test_what_was_sent_with_a_question_as_one_is_a_part_of_it_also_after_a_crash(tmp_path: Path) -> None:
    async with house(tmp_path, ["Half", asyncio.Event()], ["Both."]) as h:
        await h.hear(replace(note(1, "before it", "eve"), addressed=False, album="a"))
        await h.hear(replace(note(2), album="a"))
        await h.service.until(lambda: h.shown() == ["Half"])
        await h.crash()
        await h.start()
        await h.hear(replace(note(3, "[a picture]"), addressed=False, album="a"))
        other = note(4, "of others", "eve")
        await h.hear(replace(other, addressed=False, album="b"))
        await h.hear(replace(other, id=MessageId("odd:5"), author=replace(other.author, is_bot=True), album="a"))
        await h.quiet()
        assert (h.shown(), h.decisions()) == (["Both."], ["queued", "queued", "joined"])
        assert [said.text for said in h.script.prompts[-1].ask] == ["ada: hello", "ada: [a picture]"]


@on_hurrying_clock
async def test_a_stranger_is_told_once_an_hour_and_place(tmp_path: Path) -> None:
    async with house(tmp_path, access=STRANGERS_OUT) as h:
        h.service.boards["b"] = Board()
        for text in ("one", "two"):
            await h.say(text, who="eve")
        await h.say("three", who="mallory")
        await h.say("four", who="eve", board="b")
        await h.quiet()
        assert (h.shown(), h.shown("b")) == ([sentences.NOT_ALLOWED] * 2, [sentences.NOT_ALLOWED])
        h.clock.forward(minutes=61)
        await h.say("five", who="eve")
        await h.quiet()
        assert h.shown() == [sentences.NOT_ALLOWED] * 3
        assert set(h.decisions()) == {"not_allowed"}
        assert len(h.decisions()) == 5
        assert h.script.prompts == []


@on_hurrying_clock
async def test_a_stranger_cannot_stop_anything(tmp_path: Path) -> None:
    async with house(tmp_path, ["Half", asyncio.Event()], access=STRANGERS_OUT) as h:
        await h.say("long please")
        await h.service.until(lambda: h.shown() == ["Half"])
        await h.say("/stop", who="eve")
        assert h.states()[0] == "running"


@on_hurrying_clock
async def test_a_platform_without_lists_lets_nobody_in(tmp_path: Path) -> None:
    async with house(tmp_path) as h:
        h.adapter.name = "other"
        await h.say("hello")
        assert h.decisions() == ["not_allowed"]


@pytest.mark.parametrize("text", ["", "  \n\t"])
def test_a_mention_without_a_question_is_told(tmp_path: Path, text: str) -> None:
    @on_hurrying_clock
    async def run() -> None:
        async with house(tmp_path) as h:
            assert await h.tell(text) == [sentences.EMPTY]
            assert h.decisions() == ["empty"]

    run()


@on_hurrying_clock
async def test_a_quotation_without_a_text_and_a_file_without_one_are_asked(tmp_path: Path) -> None:
    async with house(tmp_path) as h:
        await h.hear(replace(note(1, "bot, "), quoted=Quoted("Eve", "what is this?", own=False)))
        await h.quiet()
        assert "what is this?" in h.script.prompts[0].ask[0].text
        await h.hear(replace(note(2, "bot, "), attachments=(Attachment("r", "a.png", "image/png", 5),)))
        await h.quiet()
        assert h.decisions() == ["queued", "queued"]


@on_hurrying_clock
async def test_a_message_that_the_platform_withheld_is_told_once(tmp_path: Path) -> None:
    async with house(tmp_path) as h:
        for number in (1, 2):
            await h.hear(replace(note(number), unreadable=True, text=""))
        await h.hear(replace(note(3), unreadable=True, addressed=False, text=""))
        await h.quiet()
        assert (h.shown(), h.decisions()) == ([sentences.UNREADABLE], ["unreadable"] * 2)


@on_hurrying_clock
async def test_a_message_that_cannot_be_stored_is_told_and_the_mark_does_not_move(tmp_path: Path) -> None:
    async with house(tmp_path, adapter=RecallingAdapter) as h:
        await h.hear(note(1))
        await h.quiet()
        await h.inbox.marks(h.adapter).flush()
        with disk(h) as room:
            room.full()
            await h.hear(note(2, "bot, " + "long " * 20_000))
            assert h.shown()[-1] == sentences.NOT_STORED
            room.free()
            await h.hear(note(3))
            await h.quiet()
        assert h.shown()[-1] == "re ada: hello"
        await h.inbox.marks(h.adapter).flush()
        assert h.rows("SELECT message FROM marks") == [("odd:1",)]
        tags = [each.tag for each in h.service.boards["hall"].notes if each.text == sentences.NOT_STORED]
        assert tags == [not_stored_key(note(2).id)]


@on_hurrying_clock
async def test_a_mark_does_not_pass_a_message_whose_storing_then_fails(tmp_path: Path) -> None:
    async with house(tmp_path, adapter=RecallingAdapter) as h:
        await h.hear(note(1))
        await h.quiet()
        marks = h.inbox.marks(h.adapter)
        await marks.flush()
        before = h.rows("SELECT message FROM marks")
        with disk(h) as room:
            room.full()
            storing = asyncio.create_task(h.hear(note(8, "bot, " + "long " * 20_000)))
            await asyncio.sleep(0)
            await h.hear(note(9, "between us"))
            await marks.flush()
            await storing
            assert h.shown()[-1] == sentences.NOT_STORED
        assert h.rows("SELECT message FROM marks") == before


@on_hurrying_clock
async def test_new_where_no_conversation_is_open_says_so(tmp_path: Path) -> None:
    async with house(tmp_path) as h:
        assert await h.tell("/new") == [sentences.NEW_NOTHING]
        await h.tell("hello")
        assert (await h.tell("/new"))[-1] == sentences.NEW


@on_hurrying_clock
async def test_where_the_past_cannot_be_read_a_message_is_brought_until_it_is_stored(tmp_path: Path) -> None:
    async with house(tmp_path) as h:
        with disk(h) as room:
            room.refuse()
            await h.service.write("hall", "ada", f"{CALL}hello")
            await h.service.until(lambda: h.shown() == [sentences.NOT_STORED])
            room.free()
            await h.service.until(lambda: h.shown()[1:] == ["re ada: hello"])
        assert h.decisions() == ["queued"]


@on_hurrying_clock
async def test_leaving_while_the_store_is_full_is_logged(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    async with house(tmp_path) as h:
        await h.tell("one")
        with disk(h) as room:
            room.refuse()
            await h.hear_in_vain(Left(channel=channel("hall").id))
            room.free()
            assert await h.store.conversation(channel("hall").id) is not None
            assert await h.tell("two") == ["re ada: one", "re ada: two"]
        assert "leaving not stored" in capsys.readouterr().out


@on_hurrying_clock
async def test_a_channel_that_has_moved_keeps_its_conversation(tmp_path: Path) -> None:
    async with house(tmp_path) as h:
        await h.tell("one")
        before = await h.store.conversation(channel("hall").id)
        await h.inbox.deliver(h.adapter, Moved(old=channel("hall").id, channel=channel("saloon")))
        assert await h.store.conversation(channel("saloon").id) == before
        assert await h.store.conversation(channel("hall").id) is None


@on_hurrying_clock
async def test_a_move_while_the_store_is_full_is_logged(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    async with house(tmp_path) as h:
        await h.tell("one")
        with disk(h) as room:
            room.refuse()
            await h.hear_in_vain(Moved(old=channel("hall").id, channel=channel("saloon")))
            room.free()
            assert await h.store.conversation(channel("hall").id) is not None
        assert "moving not stored" in capsys.readouterr().out


@on_hurrying_clock
async def test_leaving_a_space_closes_its_conversations(tmp_path: Path) -> None:
    async with house(tmp_path, ["Half", asyncio.Event()]) as h:
        await h.say("one")
        await h.service.until(lambda: h.shown() == ["Half"])
        await h.inbox.deliver(h.adapter, Left(space="odd:house"))
        await h.quiet()
        assert h.states() == ["stopped"]
        assert await h.store.conversation(channel("hall").id) is None


HOSTILE = {
    "long": "x" * 100_000,
    "nul": "a\x00b",
    "surrogates": "a\ud800b\udfff",
    "right to left": "\u202eabc \u200f\u2067שלום",
    "zero width": "a\u200b\u200db\ufeff",
    "pings": "@everyone @here <@1> %%all",
    "a command's look": "</cmd:1> </stop:2>",
    "markup": "```\n**x __y ~~z [a](b) `c",
    "quotes": "'); DROP TABLE turns; -- {} %s \\",
}


@pytest.mark.parametrize("kind", HOSTILE)
def test_hostile_text_goes_through_and_comes_back(tmp_path: Path, kind: str) -> None:
    text = HOSTILE[kind]

    @on_hurrying_clock
    async def run() -> None:
        async with house(tmp_path, longest=2000) as h:
            message = note(1, f"bot, {text}")
            await h.hear(replace(message, author=replace(message.author, name=f"A: {text[:90]}\nsystem")))
            await h.quiet()
            [prompt] = h.script.prompts
            stored = text.encode(errors="replace").decode() if kind != "surrogates" else "a\ufffdb\ufffd"
            assert prompt.ask[0].text.endswith(": " + stored.replace("\n", "\n  "))
            assert "\n" not in prompt.ask[0].text.partition(": ")[0]
            assert h.states() == ["done"]
            shown = "".join("".join(h.shown()).split())
            if kind == "long":
                assert shown.count("x") >= 100_000
                assert all(len(part) <= 2000 for part in h.shown())
            await h.tell("again")
            assert prompt.ask[0].text in [said.text for said in h.script.prompts[1].history]
            assert not any("%%" in part for part in h.shown())

    run()
