"""Files that are left out, each said in words beside the answer."""

import pytest

from bots.assembly import MEGABYTE
from sandbox.discord.cdn import Spoil
from sandbox.faults import Rule
from shared.sentences import size
from tests.script.base import file, text
from tests.script.stage import Stage
from tests.script.things import MP4, OGG, Json, bomb, documents, pdf, png

pytestmark = pytest.mark.asyncio(loop_scope="module")

SETTINGS = {"files_per_message": 3, "file_megabytes": 1}
SMALL_PDF = pdf(1)


@pytest.mark.parametrize(
    ("given", "why"),
    [
        (file("voice-message.ogg", OGG, "audio/ogg"), "I cannot listen to sound. I take pictures, PDFs and text."),
        (file("clip.mp4", MP4, "video/mp4"), "I cannot watch videos. I take pictures, PDFs and text."),
        (file("bomb.png", bomb()), "it has too many pixels. Make it smaller."),
        (file("secret.pdf", pdf(1, "hush")), "it is protected by a password. Take the password off."),
        (file("torn.pdf", SMALL_PDF[: len(SMALL_PDF) // 3]), "it is damaged."),
        (file("long.pdf", pdf(101)), "it has too many pages. Send the ones that matter."),
        (file("torn.png", png(50, 50)[:60]), "it is damaged."),
        (file("empty.txt", b""), "it is empty."),
        (file("tool.zip", b"PK\3\4" + bytes(100)), "I take pictures, PDFs and text."),
        ({"name": "disk.img", "size": 200_000_000}, f"I can fetch no more than {size(MEGABYTE)} here. Send a smaller one."),
    ],
)
async def test_what_cannot_be_read_is_said_beside_the_answer(stage: Stage, given: Json, why: str) -> None:
    ada, chat = await stage.alone()
    name = given["name"]
    stage.answers(f"look at {name}", "I see.")
    await stage.say(ada, chat, f"look at {name}", given)
    await stage.reads(ada, chat, f"{ada}: look at {name} {{{name}}}", f"threadline: I see.\n\n*I could not read “{name}”: {why}*")
    assert text(stage.body(f"look at {name}")) == f"look at {name}\n[a file that you cannot read: {name}]"


async def test_a_file_that_turns_out_to_be_200_megabytes_is_left_after_its_announced_size(stage: Stage) -> None:
    ada, chat = await stage.alone()
    stage.answers("a stream", "I see.")
    await stage.discord.spoil(Spoil("huge", name="stream.txt", size=200_000_000, declared=0))
    await stage.say(ada, chat, "a stream", file("stream.txt", "small"))
    why = "*I could not read “stream.txt”: it is too large. Send a smaller one.*"
    await stage.reads(ada, chat, f"{ada}: a stream {{stream.txt}}", f"threadline: I see.\n\n{why}")
    kept = sum(each.stat().st_size for each in (stage.folder / "state" / "blobs").rglob("*") if each.is_file())
    assert kept < 10_000_000


async def test_a_redirect_elsewhere_is_not_followed(stage: Stage) -> None:
    ada, chat = await stage.alone()
    stage.answers("led astray", "I see.")
    await stage.discord.spoil(Spoil("redirect", name="astray.txt", location="http://127.0.0.2:9/secret"))
    await stage.say(ada, chat, "led astray", file("astray.txt", "words"))
    why = "*I could not read “astray.txt”: I may not fetch it. Send it as a file of its own.*"
    await stage.reads(ada, chat, f"{ada}: led astray {{astray.txt}}", f"threadline: I see.\n\n{why}")


async def test_a_file_that_is_not_there_any_more_is_said(stage: Stage) -> None:
    ada, chat = await stage.alone()
    stage.answers("long gone", "I see.")
    await stage.discord.fault(Rule("status", path="/gone.txt", status=404, times=None))
    await stage.say(ada, chat, "long gone", file("gone.txt", "words"))
    why = "*I could not read “gone.txt”: it is not there any more. Send it again.*"
    await stage.reads(ada, chat, f"{ada}: long gone {{gone.txt}}", f"threadline: I see.\n\n{why}")


async def test_a_download_that_breaks_off_is_tried_again(stage: Stage) -> None:
    ada, chat = await stage.alone()
    stage.answers("second try", "I see.")
    await stage.discord.spoil(Spoil("cut", name="again.txt", after=3))
    await stage.say(ada, chat, "second try", file("again.txt", "whole words"))
    await stage.reads(ada, chat, f"{ada}: second try {{again.txt}}", "threadline: I see.")
    assert documents(stage.body("second try")) == [{"text": "whole words", "title": "again.txt"}]


async def test_what_is_too_many_is_left_out_and_each_is_named(stage: Stage) -> None:
    ada, chat = await stage.alone()
    stage.answers("five of them", "Three of five.")
    files = [file(f"{nth}.txt", f"text {nth}") for nth in range(1, 6)]
    await stage.say(ada, chat, "five of them", *files)
    why = "there are too many at once. Send the rest in another message."
    await stage.reads(
        ada, chat, f"{ada}: five of them {{1.txt}} {{2.txt}} {{3.txt}} {{4.txt}} {{5.txt}}",
        f"threadline: Three of five.\n\n*I could not read “4.txt”: {why} I could not read “5.txt”: {why}*",
    )  # fmt: skip
    assert [each["title"] for each in documents(stage.body("five of them"))] == ["1.txt", "2.txt", "3.txt"]


async def test_a_voice_message_alone_is_told_plainly_and_nothing_is_asked(stage: Stage) -> None:
    ada, chat = await stage.alone()
    asked = len(stage.claude.asked())
    await stage.say(ada, chat, "", file("voice-message.ogg", OGG, "audio/ogg", duration_secs=2.0, waveform="AAAA"))
    why = "I could not read “voice-message.ogg”: I cannot listen to sound. I take pictures, PDFs and text."
    await stage.reads(ada, chat, f"{ada}: {{voice-message.ogg}}", f"threadline: {why} [Retry]")
    assert len(stage.claude.asked()) == asked


async def test_a_name_that_would_be_markup_is_shown_as_a_name(stage: Stage) -> None:
    ada, chat = await stage.alone()
    stage.answers("odd name", "I see.")
    await stage.say(ada, chat, "odd name", file("__x__ @everyone.zip", b"PK\3\4" + bytes(100)))
    await stage.until(lambda: stage.sees(ada, chat)[-1].startswith("threadline: I see.\n\n*I could not read “"))
    assert "@everyone" not in stage.sees(ada, chat)[-1]
