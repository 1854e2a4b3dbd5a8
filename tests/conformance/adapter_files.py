"""What an adapter promises whose platform has files, or signs on messages. Part of `adapter.py`."""

import random
from pathlib import Path

import pytest

from shared.abilities import Reacts, Uploads
from shared.chat import Attachment, File
from shared.errors import Forbidden, Gone, TooLarge, Unavailable
from tests.conformance.adapter_rig import Attaches, Heard, Holds, Rig, Spoil, answering, asked, listening

DATA = random.Random(0).randbytes(300_000)


async def attached(rig: Rig, heard: Heard) -> tuple[Attaches, Attachment]:
    """Somebody says something with a file; the file as it was heard. Skips where there are none."""
    if not isinstance(rig, Attaches):
        pytest.skip("no files here")
    count = len(heard.messages) + 1
    await rig.attach("look at this", "some data.bin", DATA)
    [attachment] = (await heard.message(count)).attachments
    return rig, attachment


async def fetched(rig: Rig, attachment: Attachment) -> list[bytes]:
    return [piece async for piece in rig.adapter.fetch(attachment)]


class FilePromises:
    """Skipped where the rig has not got the ability."""

    async def test_a_file_is_fetched_in_pieces_also_after_a_restart(self, rig: Rig) -> None:
        async with listening(rig.adapter) as heard:
            _, attachment = await attached(rig, heard)
            assert attachment.size in (0, len(DATA))
            assert attachment.name.endswith(".bin")
            pieces = await fetched(rig, attachment)
            assert b"".join(pieces) == DATA
            assert max(map(len, pieces)) < len(DATA)
        async with listening(rig.adapter):
            assert b"".join(await fetched(rig, attachment)) == DATA

    async def test_a_fetch_may_be_left_in_the_middle(self, rig: Rig) -> None:
        async with listening(rig.adapter) as heard:
            _, attachment = await attached(rig, heard)
            pieces = rig.adapter.fetch(attachment)
            async for piece in pieces:
                assert piece == DATA[: len(piece)]
                break
            assert b"".join(await fetched(rig, attachment)) == DATA

    @pytest.mark.parametrize(("how", "failure"), [("cut", Unavailable), ("redirect", Forbidden), ("gone", Gone)])
    async def test_a_file_that_cannot_be_fetched_says_why(self, rig: Rig, how: Spoil, failure: type[Exception]) -> None:
        async with listening(rig.adapter) as heard:
            attaches, attachment = await attached(rig, heard)
            await attaches.spoil(how)
            with pytest.raises(failure):
                await fetched(rig, attachment)

    async def test_nothing_is_fetched_from_other_hosts(self, rig: Rig) -> None:
        async with listening(rig.adapter) as heard:
            attaches, _ = await attached(rig, heard)
            with pytest.raises(Forbidden):
                await fetched(rig, attaches.elsewhere())

    async def test_a_file_of_ours_is_shown(self, rig: Rig, tmp_path: Path) -> None:
        adapter = rig.adapter
        if not isinstance(adapter, Uploads) or not isinstance(rig, Holds):
            pytest.skip("no files of ours here")
        path = tmp_path / "kept"
        path.write_bytes(DATA)
        async with listening(adapter) as heard:
            target = await answering(rig, await asked(rig, heard))
            shown = await adapter.upload(target, File("a plan.csv", "text/csv", path, len(DATA)), key="k1")
            if rig.idempotent:
                assert await adapter.upload(target, File("a plan.csv", "text/csv", path, len(DATA)), key="k1") == shown
            [(name, data)] = rig.files(target.channel)
            assert name.endswith("plan.csv")
            assert data == DATA
            await adapter.delete(target, shown)
            assert rig.files(target.channel) == []

    async def test_a_file_that_is_too_large_is_not_shown(self, rig: Rig, tmp_path: Path) -> None:
        adapter = rig.adapter
        if not isinstance(adapter, Uploads) or not isinstance(rig, Holds):
            pytest.skip("no files of ours here")
        async with listening(adapter) as heard:
            target = await answering(rig, await asked(rig, heard))
            most = adapter.takes(target)
            assert most > 0
            path = tmp_path / "large"
            with path.open("wb") as file:
                file.truncate(most + 1)
            with pytest.raises(TooLarge):
                await adapter.upload(target, File("large.bin", "application/octet-stream", path, most + 1), key="k1")
            assert rig.files(target.channel) == []

    async def test_a_message_that_was_seen_gets_a_sign_and_loses_it(self, rig: Rig) -> None:
        adapter = rig.adapter
        if not isinstance(adapter, Reacts) or not isinstance(rig, Holds):
            pytest.skip("no signs here")
        async with listening(adapter) as heard:
            message = await asked(rig, heard)
            for _ in range(2):
                await adapter.react(message.target, message.id, seen=True)
                assert rig.signs() == 1
            for _ in range(2):
                await adapter.react(message.target, message.id, seen=False)
                assert rig.signs() == 0
            await rig.forbid_signs()
            with pytest.raises(Forbidden):
                await adapter.react(message.target, message.id, seen=True)
