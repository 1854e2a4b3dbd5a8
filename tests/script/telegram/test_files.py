"""Files that people send, what the model gets of them, and what is told of those that it does not get."""

from dataclasses import replace
from pathlib import Path

import pytest

from bots.assembly import MEGABYTE
from sandbox.telegram import lookup
from sandbox.telegram.downloads import Spoil
from sandbox.telegram.entities import formatted
from sandbox.telegram.giving import attached
from sandbox.telegram.world import Written
from shared import sentences
from tests.bots.telegram.rig import ROOMY, refused_with
from tests.script.base import file, text
from tests.script.telegram.stage import ME, Stage, opened
from tests.script.things import MP4, OGG, Json, documents, pdf, png

pytestmark = pytest.mark.asyncio(loop_scope="module")

MEBI = 1024 * 1024


async def test_a_photo_is_seen(stage: Stage) -> None:
    ada, chat = await stage.alone()
    stage.answers("what is in this picture", "A dark blue.")
    await stage.say(ada, chat, "what is in this picture", file("photo.jpg", png(40, 30), kind="photo"))
    await stage.reads(ada, chat, f"{ada}: what is in this picture {{photo.jpg}}", "threadline: A dark blue.")
    [seen] = documents(stage.body("what is in this picture"))
    assert seen["size"] == (40, 30)
    assert text(stage.body("what is in this picture")) == "what is in this picture\n[a file: photo.jpg]"


async def test_documents_are_read_whatever_they_are_called(stage: Stage) -> None:
    ada, chat = await stage.alone()
    data = pdf(2)
    stage.answers("read them", "Both.")
    await stage.say(ada, chat, "read them", file("paper.pdf", data), file("notes.txt", "milk and eggs"))
    await stage.until(lambda: stage.sees(ada, chat)[-1] == "threadline: Both.")
    await stage.settled()
    assert documents(stage.body("read them")) == [
        {"document": "application/pdf", "title": "paper.pdf", "same": data}, {"text": "milk and eggs", "title": "notes.txt"},
    ]  # fmt: skip


async def test_an_album_is_one_turn_in_its_order(stage: Stage) -> None:
    ada, chat = await stage.alone()
    asked = len(stage.claude.bodies())
    stage.answers("three at once", "Three.")
    photos = [file(f"{nth}.jpg", png(10 * nth, 10), kind="photo") for nth in (1, 2, 3)]
    await stage.say(ada, chat, "three at once", *photos)
    await stage.reads(
        ada, chat, f"{ada}: three at once {{1.jpg}}", f"{ada}: {{2.jpg}}", f"{ada}: {{3.jpg}}", "threadline: Three."
    )
    assert [each["size"][0] for each in documents(stage.body("three at once"))] == [10, 20, 30]
    assert len(stage.claude.bodies()) == asked + 1


async def test_an_album_in_a_group_is_one_turn_where_only_its_caption_mentions_the_bot(stage: Stage) -> None:
    ada = await stage.person()
    await stage.telegram.set_privacy(False)
    place = await stage.group()
    await stage.telegram.set_privacy(True)
    asked = len(stage.claude.bodies())
    stage.answers("both of them", "Two.")
    photos = [file(f"{nth}.jpg", png(10 * nth, 10), kind="photo") for nth in (1, 2)]
    await stage.say(ada, place, f"{ME} both of them", *photos)
    await stage.reads(ada, place, f"{ada}: {ME} both of them {{1.jpg}}", f"{ada}: {{2.jpg}}", "threadline: Two.")
    assert [each["size"][0] for each in documents(stage.body("both of them"))] == [10, 20]
    assert len(stage.claude.bodies()) == asked + 1
    await stage.say(ada, place, "not for the bot", *photos)
    stage.answers("after the albums", "Yes.")
    await stage.say(ada, place, f"{ME} after the albums")
    await stage.until(lambda: stage.sees(ada, place)[-1] == "threadline: Yes.")
    await stage.settled()
    assert len(stage.claude.bodies()) == asked + 2


async def test_an_album_of_which_a_part_was_heard_before_a_crash_is_one_turn_all_the_same(tmp_path: Path) -> None:
    async with opened(tmp_path, config=replace(ROOMY, privacy=False), drain_seconds=0) as stage:
        ada, place = await stage.person(), await stage.group()
        world = stage.telegram.world
        here, by = lookup.chat(world, place), lookup.user(world, ada).id

        def say(nth: int, words: str = "") -> None:
            said, entities = formatted(words, [])
            given = attached(world, file(f"{nth}.jpg", png(10 * nth, 10), kind="photo"))
            world.post(here, Written(by, said, entities, media=given.kind, file=given.id, album="77"))

        stage.answers(f"{ada}: [a file: photo.jpg]", "Two.")
        for _ in range(2):  # after the crash, too, it may be asked before the second photo is heard
            stage.hangs("both of them", "Half.")
        say(1, f"{ME} both of them")
        await stage.until(lambda: "threadline: Half. [Stop]" in stage.sees(ada, place))
        await stage.stop()
        say(2)
        await stage.start()
        await stage.reads(ada, place, f"{ada}: {ME} both of them {{1.jpg}}", "threadline: Two.", f"{ada}: {{2.jpg}}")
        assert [each["size"][0] for each in documents(stage.body("both of them"))] == [10, 20]


async def test_files_whose_caption_is_with_the_last_of_them_are_one_turn(tmp_path: Path) -> None:
    async with opened(tmp_path, config=replace(ROOMY, privacy=False)) as stage:
        ada, place = await stage.person(), await stage.group()
        world = stage.telegram.world
        here, by = lookup.chat(world, place), lookup.user(world, ada).id
        stage.answers("[a file: 2.txt]", "Three.")
        for _ in range(2):  # it may be asked before all are there
            stage.hangs("all of them", "Half.")
        for nth, words in ((1, ""), (2, ""), (3, f"{ME} all of them")):
            said, entities = formatted(words, [])
            given = attached(world, file(f"{nth}.txt", f"text {nth}"))
            world.post(here, Written(by, said, entities, media=given.kind, file=given.id, album="77"))
            await stage.heard()
        await stage.until(lambda: stage.sees(ada, place)[-1] == "threadline: Three.")
        await stage.settled()
        assert sorted(each["title"] for each in documents(stage.body("all of them"))) == ["1.txt", "2.txt", "3.txt"]
        assert len([line for line in stage.sees(ada, place) if line.startswith("threadline: ")]) == 1


async def test_an_album_that_finds_the_queue_full_is_told_so_once(tmp_path: Path) -> None:
    async with opened(tmp_path, queue_limit=0) as stage:
        ada, chat = await stage.alone()
        stage.hangs("crowded", "One two three.")
        await stage.say(ada, chat, "crowded")
        await stage.glimpses(ada, chat, f"{ada}: crowded", "threadline: One two three. [Stop]")
        await stage.say(ada, chat, "three more", *(file(f"{nth}.txt", str(nth)) for nth in (1, 2, 3)))
        full = "Too many questions wait here for their answers. Ask again when some are answered, or write /stop to clear them."
        await stage.until(lambda: stage.sees(ada, chat)[-1] == f"threadline: {full}")
        await stage.heard()
        await stage.say(ada, chat, "/stop")
        await stage.reads(
            ada, chat, f"{ada}: crowded", "threadline: One two three.\n\n*Stopped.* [Continue] [Retry]",
            f"{ada}: three more {{1.txt}}", f"{ada}: {{2.txt}}", f"{ada}: {{3.txt}}", f"threadline: {full}", f"{ada}: /stop",
        )  # fmt: skip


async def test_a_command_can_be_the_caption_of_a_file(stage: Stage) -> None:
    ada, place = await stage.person(), await stage.group()
    stage.answers("with a caption", "Read.")
    await stage.say(ada, place, f"/ask{ME} with a caption", file("notes.txt", "noted"))
    await stage.reads(ada, place, f"{ada}: /ask{ME} with a caption {{notes.txt}}", "threadline: Read.")
    assert documents(stage.body("with a caption")) == [{"text": "noted", "title": "notes.txt"}]


async def test_a_command_can_be_the_caption_of_an_album(stage: Stage) -> None:
    ada = await stage.person()
    await stage.telegram.set_privacy(False)
    place = await stage.group()
    await stage.telegram.set_privacy(True)
    asked = len(stage.claude.bodies())
    stage.answers("all of these", "Two.")
    await stage.say(ada, place, f"/ask{ME} all of these", file("1.txt", "1"), file("2.txt", "2"))
    await stage.reads(ada, place, f"{ada}: /ask{ME} all of these {{1.txt}}", f"{ada}: {{2.txt}}", "threadline: Two.")
    assert len(documents(stage.body("all of these"))) == 2
    assert len(stage.claude.bodies()) == asked + 1


async def test_a_question_can_be_asked_about_the_photo_that_it_replies_to(stage: Stage) -> None:
    ada, ben, place = await stage.person(), await stage.person(), await stage.group()
    photo = await stage.say(ben, place, "", file("1.jpg", png(10, 10), kind="photo"))
    stage.answers("what is this", "A photo.")
    await stage.say(ada, place, f"/ask{ME} what is this?", reply_to=photo)
    await stage.reads(ada, place, f"{ben}: {{1.jpg}}", f"{ada}: /ask{ME} what is this?", "threadline: A photo.")
    assert [each["size"] for each in documents(stage.body("what is this"))] == [(10, 10)]


async def test_a_photo_without_a_word_is_a_question(stage: Stage) -> None:
    ada, chat = await stage.alone()
    stage.answers("[a file: wordless.png]", "A picture.")
    await stage.say(ada, chat, "", file("wordless.png", png(10, 10)))
    await stage.reads(ada, chat, f"{ada}: {{wordless.png}}", "threadline: A picture.")


async def test_a_sticker_is_its_emoji(stage: Stage) -> None:
    ada, chat = await stage.alone()
    smile = "\N{GRINNING FACE}"
    stage.answers(smile, "You smile.")
    await stage.say(ada, chat, "", {"kind": "sticker", "emoji": smile, "size": 1000})
    await stage.reads(ada, chat, f"{ada}: {{sticker.webp}}", "threadline: You smile.")
    assert text(stage.body(smile)) == smile


async def test_what_is_forwarded_says_from_whom(stage: Stage) -> None:
    ada, chat = await stage.alone()
    for word, origin, name in (("of a person", "user2", "Ben"), ("of the hidden", "A Stranger", "A Stranger")):
        stage.answers(word, "I see.")
        said = await stage.say(ada, chat, word, forwarded=origin)
        assert await stage.answer(ada, chat, said) == "I see."
        await stage.settled()
        assert text(stage.body(word)) == f"[Forwarded from {name}]\n{word}"


async def test_a_forwarded_command_is_not_given(stage: Stage) -> None:
    ada, chat = await stage.alone()
    await stage.say(ada, chat, "/new", forwarded="user2")
    await stage.until(lambda: len(stage.sees(ada, chat)) == 2)
    await stage.settled()
    assert "Forwarded from Ben" in stage.sees(ada, chat)[1]


async def test_files_of_the_quoted_message_are_read_too_and_the_quoted_part_counts(stage: Stage) -> None:
    ada, ben, place = await stage.person(), await stage.person(), await stage.group()
    stage.answers("sum that up", "Summed up.")
    notes = await stage.say(ben, place, "my notes, and more", file("notes.txt", "milk and eggs"))
    await stage.say(ada, place, f"{ME} sum that up", reply_to=notes, quote="my notes")
    await stage.until(lambda: stage.sees(ada, place)[-1] == "threadline: Summed up.")
    await stage.settled()
    body = stage.body("sum that up")
    assert documents(body) == [{"text": "milk and eggs", "title": "notes.txt"}]
    assert text(body) == (
        f"{ada}: [in reply to what {ben} wrote:]\n  > my notes\n\n  sum that up\n"
        "  [a file beside the message replied to: notes.txt]"
    )


@pytest.mark.parametrize(
    ("given", "name", "why"),
    [
        (file("voice.ogg", OGG, "audio/ogg", kind="voice"), "voice.ogg", "I cannot listen to sound."),
        (file("song.mp3", b"ID3" + bytes(50), "audio/mpeg", kind="audio"), "song.mp3", "I cannot listen to sound."),
        (file("clip.mp4", MP4, "video/mp4", kind="video"), "clip.mp4", "I cannot watch videos."),
        (file("round.mp4", MP4, "video/mp4", kind="video_note"), "video.mp4", "I cannot watch videos."),
        (file("gif.mp4", MP4, "video/mp4", kind="animation"), "gif.mp4", "I cannot watch videos."),
        (file("tool.zip", b"PK\3\4" + bytes(100)), "tool.zip", ""),
    ],
)
async def test_what_cannot_be_read_is_told(stage: Stage, given: Json, name: str, why: str) -> None:
    ada, chat = await stage.alone()
    asked = len(stage.claude.asked())
    await stage.say(ada, chat, "", given)
    told = f"I could not read “{name}”: {why} I take pictures, PDFs and text.".replace(":  I", ": I")
    await stage.reads(ada, chat, f"{ada}: {{{given['name']}}}", f"threadline: {told} [Retry]")
    assert len(stage.claude.asked()) == asked


async def test_a_file_that_telegram_gives_no_bot_is_told_with_its_limit(tmp_path: Path) -> None:
    async with opened(tmp_path, file_megabytes=50) as stage:
        ada, chat = await stage.alone()
        stage.answers("look at both", "I see.")
        await stage.say(ada, chat, "look at both", {"name": "big.pdf", "size": 20 * MEBI + 1}, file("small.txt", "small"))
        why = "*I could not read “big.pdf”: I can fetch no more than 20 MB here. Send a smaller one.*"
        await stage.reads(ada, chat, f"{ada}: look at both {{big.pdf}}", f"{ada}: {{small.txt}}", f"threadline: I see.\n\n{why}")
        assert documents(stage.body("look at both")) == [{"text": "small", "title": "small.txt"}]
        assert len(stage.calls("getFile")) == 1


async def test_a_file_that_is_larger_than_we_want_though_telegram_would_give_it_is_told_with_our_limit(tmp_path: Path) -> None:
    async with opened(tmp_path, file_megabytes=19.5) as stage:
        ada, chat = await stage.alone()
        stage.answers("a little too large", "I see.")
        await stage.say(ada, chat, "a little too large", {"name": "big.pdf", "size": 20 * MEBI})
        limit = sentences.size(int(19.5 * MEGABYTE))
        why = f"*I could not read “big.pdf”: I can fetch no more than {limit} here. Send a smaller one.*"
        await stage.reads(ada, chat, f"{ada}: a little too large {{big.pdf}}", f"threadline: I see.\n\n{why}")
        assert not stage.calls("getFile")


async def test_a_file_that_is_not_there_any_more_is_told(stage: Stage) -> None:
    ada, chat = await stage.alone()
    stage.answers("long gone", "I see.")
    await stage.telegram.fault(refused_with("wrong file_id or the file is temporarily unavailable", path="/getFile$"))
    await stage.say(ada, chat, "long gone", file("gone.txt", "words"))
    why = "*I could not read “gone.txt”: it is not there any more. Send it again.*"
    await stage.reads(ada, chat, f"{ada}: long gone {{gone.txt}}", f"threadline: I see.\n\n{why}")


async def test_a_download_that_breaks_off_is_tried_again(stage: Stage) -> None:
    ada, chat = await stage.alone()
    stage.answers("second try", "I see.")
    await stage.telegram.spoil(Spoil("cut", after=3))
    await stage.say(ada, chat, "second try", file("again.txt", "whole words"))
    await stage.reads(ada, chat, f"{ada}: second try {{again.txt}}", "threadline: I see.")
    assert documents(stage.body("second try")) == [{"text": "whole words", "title": "again.txt"}]


async def test_the_token_is_in_nothing_that_anybody_is_told(stage: Stage) -> None:
    ada, chat = await stage.alone()
    token = stage.telegram.config.token
    await stage.say(ada, chat, "seeing tokens", file("token.txt", "words"))
    await stage.until(lambda: len(stage.sees(ada, chat)) == 2)
    await stage.settled()
    assert token not in str(stage.claude.bodies())
    kept = b"".join(each.read_bytes() for each in (stage.folder / "state").rglob("*") if each.is_file())
    assert token.encode() not in kept
