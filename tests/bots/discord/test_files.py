from pathlib import Path

import pytest

from bots.discord.convert import snowflake
from sandbox.discord.cdn import Spoil
from sandbox.discord.defaults import CHANNELS
from shared.chat import Attachment, File
from shared.errors import Forbidden, Gone, TooLarge, Unavailable
from tests.bots.discord.rig import DiscordRig, discord_rig
from tests.conformance.adapter_commands import given, offering
from tests.conformance.adapter_files import DATA, attached, fetched
from tests.conformance.adapter_rig import answering, asked, listening


def at(address: str) -> Attachment:
    return Attachment(ref=address, name="x", media_type="image/png", size=0)


@pytest.mark.parametrize(
    "address",
    [
        "http://cdn.discordapp.com/x.png",
        "https://cdn.discordapp.com:8443/x.png",
        "https://cdn.discordapp.com@example.org/x.png",
        "https://someone@cdn.discordapp.com/x.png",
        "https://cdn.discordapp.com.example.org/x.png",
        "https://example.org/cdn.discordapp.com",
        "https://[::1/x.png",
        "file:///etc/passwd",
        "//cdn.discordapp.com/x.png",
        "",
    ],
)
async def test_only_discords_own_hosts_are_asked(address: str) -> None:
    async with discord_rig(files_url="") as rig, listening(rig.adapter):
        with pytest.raises(Forbidden):
            await fetched(rig, at(address))


async def test_the_address_is_looked_up_anew_each_time(rig: DiscordRig) -> None:
    async with listening(rig.adapter) as heard:
        _, attachment = await attached(rig, heard)
        assert attachment.ref.startswith(f"{CHANNELS['general']}/{snowflake(heard.messages[-1].id)}/")
        await fetched(rig, attachment)
        read = f"/channels/{CHANNELS['general']}/messages/{snowflake(heard.messages[-1].id)}"
        assert [call.method for call in rig.simulator.calls if call.path.endswith(read)] == ["GET"]
        with pytest.raises(Gone):
            await fetched(rig, at(attachment.ref[:-1] + ("1" if attachment.ref[-1] != "1" else "2")))


async def test_an_address_that_has_expired_is_gone(rig: DiscordRig) -> None:
    async with listening(rig.adapter) as heard:
        await attached(rig, heard)
        address = rig.simulator.message(rig.said)["attachments"][0]["url"]
        with pytest.raises(Gone):
            await fetched(rig, at(address.replace("hm=", "hm=0")))


@pytest.mark.parametrize("declared", [len(DATA) * 2, 10])
async def test_a_length_that_is_not_true_is_not_believed(rig: DiscordRig, declared: int) -> None:
    async with listening(rig.adapter) as heard:
        _, attachment = await attached(rig, heard)
        await rig.simulator.spoil(Spoil("length", declared=declared))
        if declared < len(DATA):
            assert len(b"".join(await fetched(rig, attachment))) <= len(DATA)
        else:
            with pytest.raises(Unavailable):
                await fetched(rig, attachment)


async def test_a_huge_file_is_read_in_small_pieces_and_can_be_left(rig: DiscordRig) -> None:
    async with listening(rig.adapter) as heard:
        _, attachment = await attached(rig, heard)
        await rig.simulator.spoil(Spoil("huge", size=200_000_000))
        read = 0
        async for piece in rig.adapter.fetch(attachment):
            assert len(piece) <= 64 * 1024
            read += len(piece)
            if read > 1_000_000:
                break


async def test_a_download_that_stands_still_is_given_up() -> None:
    async with discord_rig(call_timeout=1.0) as rig, listening(rig.adapter) as heard:
        _, attachment = await attached(rig, heard)
        await rig.simulator.spoil(Spoil("slow", seconds=60.0, piece=1000))
        with pytest.raises(Unavailable):
            await fetched(rig, attachment)


async def test_the_files_of_a_quoted_message_can_be_fetched(rig: DiscordRig) -> None:
    async with listening(rig.adapter) as heard:
        await attached(rig, heard)
        await rig.simulator.say("user2", "general", "@threadline what is that?", reply_to=rig.said)
        quoted = (await heard.message(2)).quoted
        assert quoted is not None
        [attachment] = quoted.attachments
        assert b"".join(await fetched(rig, attachment)) == DATA


async def test_a_file_keeps_no_folders_in_its_name(rig: DiscordRig, tmp_path: Path) -> None:
    path = tmp_path / "kept"
    path.write_bytes(b"data")
    async with listening(rig.adapter) as heard:
        target = await answering(rig, await asked(rig, heard))
        await rig.adapter.upload(target, File("../../etc/passwd", "text/plain", path, 4), key="k1")
        [(name, data)] = rig.files(target.channel)
        assert "/" not in name
        assert data == b"data"


async def test_a_file_that_grew_after_it_was_measured_is_too_large(rig: DiscordRig, tmp_path: Path) -> None:
    path = tmp_path / "kept"
    async with listening(rig.adapter) as heard:
        target = await answering(rig, await asked(rig, heard))
        with path.open("wb") as file:
            file.truncate(rig.adapter.takes(target) + 1)
        with pytest.raises(TooLarge):
            await rig.adapter.upload(target, File("grown.bin", "application/octet-stream", path, 4), key="k1")


async def test_a_file_answers_a_command(rig: DiscordRig, tmp_path: Path) -> None:
    path = tmp_path / "kept"
    path.write_bytes(b"data")
    file = File("a.txt", "text/plain", path, 4)
    async with offering(rig) as (heard, _):
        command = await given(heard, rig, "help")
        await rig.adapter.post(command.target, "see below", key="k1")
        shown = await rig.adapter.upload(command.target, file, key="k2")
        assert await rig.adapter.upload(command.target, file, key="k2") == shown
        seen = rig.simulator.sees("user1", "general")
        assert [(each["text"], each["attachments"], each["ephemeral"]) for each in seen] == [
            ("see below", [], True),
            ("", ["a.txt"], True),
        ]
