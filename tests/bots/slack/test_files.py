from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from sandbox.faults import Rule
from sandbox.slack.downloads import Spoil
from shared.chat import Attachment, File
from shared.errors import Forbidden, Gone, Refused, Unavailable
from tests.bots.slack.rig import SlackRig
from tests.conformance.adapter_rig import answering, asked, listening


async def fetched(rig: SlackRig, attachment: Attachment) -> bytes:
    return b"".join([piece async for piece in rig.adapter.fetch(attachment)])


async def test_a_login_page_is_not_taken_for_the_file(rig: SlackRig) -> None:
    async with listening(rig.adapter) as heard:
        await rig.attach("look", "page.html", b"<p>a page</p>")
        await rig.attach("look", "data.bin", b"data")
        page, data = (await heard.message(1)).attachments[0], (await heard.message(2)).attachments[0]
        assert await fetched(rig, page) == b"<p>a page</p>"
        await rig.simulator.spoil(Spoil("login", times=2))
        for each in (page, data):
            with pytest.raises(Forbidden, match="files:read"):
                await fetched(rig, each)


async def test_a_redirect_within_slack_is_followed_and_no_other(rig: SlackRig) -> None:
    async with listening(rig.adapter) as heard:
        await rig.attach("look", "data.bin", b"data")
        attachment = (await heard.message()).attachments[0]
        address = rig.simulator.message(rig.said)["attachments"][0]["url_private"]
        await rig.simulator.spoil(Spoil("redirect", location=address))
        assert await fetched(rig, attachment) == b"data"
        await rig.simulator.spoil(Spoil("redirect", location=address.replace("127.0.0.1", "localhost")))
        with pytest.raises(Forbidden):
            await fetched(rig, attachment)
        await rig.simulator.spoil(Spoil("redirect", location=address, times=10))
        with pytest.raises(Forbidden):
            await fetched(rig, attachment)


@pytest.mark.parametrize("address", ["http://ada:secret@127.0.0.1:{port}/files-pri/x", "http://127.0.0.1/files-pri/x", "", "::"])
async def test_an_address_of_a_file_that_is_not_slacks_is_not_asked(rig: SlackRig, address: str) -> None:
    async with listening(rig.adapter) as heard:
        await rig.attach("look", "data.bin", b"data")
        attachment = (await heard.message()).attachments[0]
        port = rig.simulator.api_url.split(":")[2].partition("/")[0]
        body = {"ok": True, "file": {"id": attachment.ref, "url_private_download": address.format(port=port)}}
        await rig.simulator.fault(Rule("status", path="/files.info", status=200, body=body))
        with pytest.raises(Forbidden):
            await fetched(rig, attachment)
        assert not [each for each in rig.simulator.calls if each.path.startswith("/files-pri")]


async def test_what_is_said_to_be_compressed_is_kept_as_it_is(rig: SlackRig) -> None:
    async with listening(rig.adapter) as heard:
        await rig.attach("look", "data.bin", b"data")
        headers = {"Content-Encoding": "gzip"}
        await rig.simulator.fault(Rule("status", path="/files-pri/", status=200, headers=headers, body="a small bomb"))
        assert await fetched(rig, (await heard.message()).attachments[0]) == b"a small bomb"


async def test_a_file_from_another_workspace_is_looked_up(rig: SlackRig) -> None:
    async with listening(rig.adapter) as heard:
        file = {"name": "plan.txt", "content_base64": "cGxhbg==", "connect": True}
        await rig.simulator.say("user1", "general", "@threadline see", attachments=[file])
        [attachment] = (await heard.message()).attachments
        assert (attachment.name, attachment.media_type, attachment.size) == ("plan.txt", "text/plain", 4)
        assert await fetched(rig, attachment) == b"plan"


async def test_a_file_that_slack_no_longer_shows_is_left_out(rig: SlackRig) -> None:
    async with listening(rig.adapter) as heard:
        files = [{"name": "old.txt", "mode": "hidden_by_limit"}, {"name": "new.txt", "content_base64": "cGxhbg=="}]
        await rig.simulator.say("user1", "general", "@threadline see", attachments=files)
        assert [each.name for each in (await heard.message()).attachments] == ["new.txt"]


async def test_a_file_that_is_gone_is_gone(rig: SlackRig) -> None:
    async with listening(rig.adapter):
        with pytest.raises(Gone):
            await fetched(rig, Attachment(ref="F0NOTHING", name="x", media_type="text/plain", size=1))


async def test_a_file_of_ours_is_found_by_its_key_after_a_restart(rig: SlackRig, tmp_path: Path) -> None:
    path = tmp_path / "kept"
    path.write_bytes(b"1,2")
    async with listening(rig.adapter) as heard:
        message = await asked(rig, heard)
        target = await answering(rig, message)
        shown = await rig.adapter.upload(target, File("plan.csv", "text/csv", path, 3), key="k1")
    again = rig.again()
    began = datetime.now(UTC) - timedelta(minutes=1)
    async with listening(again.adapter):
        for key, expected in (("k1", shown), ("k2", None)):
            found = await again.adapter.find(target, key, message.id, since=began, known=(), silent=False)
            assert found == expected
        [(name, data)] = rig.files(target.channel)
        assert (name, data) == ("plan.csv", b"1,2")


async def test_an_upload_that_goes_wrong_says_why(rig: SlackRig, tmp_path: Path) -> None:
    path = tmp_path / "kept"
    path.write_bytes(b"1,2")
    async with listening(rig.adapter) as heard:
        target = await answering(rig, await asked(rig, heard))
        await rig.simulator.fault(Rule("reset", path="/upload/"))
        with pytest.raises(Unavailable):
            await rig.adapter.upload(target, File("plan.csv", "text/csv", path, 3), key="k1")
        with pytest.raises(Refused):
            await rig.adapter.upload(target, File("plan.csv", "text/csv", tmp_path / "nothing", 3), key="k1")
        await rig.simulator.set_scopes(remove=["files:write"])
        with pytest.raises(Forbidden):
            await rig.adapter.upload(target, File("plan.csv", "text/csv", path, 3), key="k1")
        assert rig.files(target.channel) == []
