"""Files in and out, documents, styles, settings."""

from typing import Any

import aiohttp

from sandbox.claude_web import ClaudeWebSimulator, Config, Script

from .client import Http, body, new_uuid, open_http


async def upload(http: Http, path: str, data: bytes, name: str = "a.txt", kind: str = "text/plain") -> tuple[int, Any]:
    form = aiohttp.FormData()
    form.add_field("orgUuid", http.web.organization)
    form.add_field("file", data, filename=name, content_type=kind)
    async with http.session.post(path, data=form) as response:
        return response.status, await response.json()


def wiggle(http: Http, conversation: str, action: str) -> str:
    return f"{http.organization}/conversations/{conversation}/wiggle/{action}"


async def test_an_upload_goes_with_a_message_and_can_be_read_again(web: ClaudeWebSimulator, http: Http) -> None:
    uuid = new_uuid()
    status, file = await upload(http, wiggle(http, uuid, "upload-file"), b"\x89PNG", "chart.png", "image/png")
    assert (status, file["success"], file["file_kind"], file["size_bytes"]) == (200, True, "image", 4)
    attachment = {"extracted_content": "hi", "file_name": "n.txt", "file_size": 2, "file_type": "txt"}
    more: dict[str, object] = {"files": [file["file_uuid"]], "attachments": [attachment]}
    await http.say(uuid, "look", create_conversation_params={}, **more)
    human = (await http.tree(uuid))["chat_messages"][0]
    assert [each["file_name"] for each in human["files"]] == ["chart.png"]
    assert human["attachments"] == [attachment]
    path = "/mnt/user-data/uploads/chart.png"
    assert await http.call("GET", wiggle(http, uuid, "download-file"), path=path) == (200, b"\x89PNG")
    assert web.files[file["file_uuid"]].data == b"\x89PNG"


async def test_a_pdf_can_go_the_other_way(http: Http) -> None:
    status, file = await upload(http, f"/api/{http.web.organization}/upload", b"%PDF", "r.pdf", "application/pdf")
    assert (status, file["file_kind"]) == (200, "document")
    await http.begin("read", files=[file["file_uuid"]])


async def test_files_have_limits() -> None:
    config = Config(largest_file=10, largest_document=5, most_files=1, uploads_need_conversation=True)
    async with ClaudeWebSimulator(config) as web:
        async for http in open_http(web):
            early = wiggle(http, new_uuid(), "upload-file")
            assert (await upload(http, early, b"x"))[0] == 404
            uuid = await http.begin()
            path = wiggle(http, uuid, "upload-file")
            assert (await upload(http, path, b"x" * 10))[0] == 200
            status, refused = await upload(http, path, b"x" * 11)
            assert (status, refused["error"]["type"]) == (413, "request_too_large")
            assert (await upload(http, "/api/convert_document", b"x" * 6))[0] == 413
            sent = body("both", files=list(web.files) * 2)
            assert (await http.call("POST", http.conversation(uuid, "/completion"), sent))[0] == 400
            assert (await http.call("POST", path, {}))[0] == 400
            form = aiohttp.FormData({"other": "x"}, quote_fields=False, default_to_multipart=True)
            async with http.session.post(path, data=form) as response:
                assert response.status == 400


async def test_a_document_becomes_an_attachment(http: Http) -> None:
    for path in ("/api/convert_document", f"{http.organization}/convert_document"):
        status, shown = await upload(http, path, "schön".encode(), "notes.md", "text/markdown")
        assert status == 200
        assert shown == {"file_name": "notes.md", "file_size": 6, "file_type": "text/markdown", "extracted_content": "schön"}
    assert (await upload(http, "/api/convert_document", b"\xff\xfe"))[0] == 400


async def test_what_an_answer_makes_can_be_downloaded_by_its_whole_path(web: ClaudeWebSimulator, http: Http) -> None:
    web.script(Script(tool="repl", files={"fib.csv": "1,1,2,3"}))
    uuid = await http.begin("make fib.csv")
    web.put_file(uuid, "/mnt/user-data/outputs/b.bin", b"\x00")
    path = wiggle(http, uuid, "download-file")
    assert await http.call("GET", path, path="/mnt/user-data/outputs/fib.csv") == (200, b"1,1,2,3")
    assert await http.call("GET", path, path="/mnt/user-data/outputs/b.bin") == (200, b"\x00")
    assert (await http.call("GET", path, path="fib.csv"))[0] == 404
    await http.call("DELETE", http.conversation(uuid))
    assert (await http.call("GET", path, path="/mnt/user-data/outputs/fib.csv"))[0] == 404


async def test_styles_are_listed_made_changed_and_deleted(web: ClaudeWebSimulator, http: Http) -> None:
    listed, make = f"{http.organization}/list_styles", f"{http.organization}/styles/create"
    _, styles = await http.call("GET", listed)
    assert styles["defaultStyles"][0]["key"] == "Default"
    assert styles["customStyles"] == []
    status, style = await http.call("POST", make, {"name": "Terse", "prompt": "Be terse."})
    assert (status, style["type"], list(web.styles)) == (200, "custom", [style["uuid"]])
    one = f"{http.organization}/styles/{style['uuid']}"
    _, changed = await http.call("PUT", f"{one}/edit", {"prompt": "Be brief.", "uuid": "other"})
    assert (changed["prompt"], changed["name"], changed["uuid"]) == ("Be brief.", "Terse", style["uuid"])
    assert (await http.call("GET", listed))[1]["customStyles"] == [changed]
    assert (await http.call("DELETE", f"{one}/delete"))[0] == 204
    assert (await http.call("DELETE", f"{one}/delete"))[0] == 404
    assert (await http.call("POST", make, {"name": "No prompt"}))[0] == 400


async def test_the_style_of_a_message_is_in_the_log(web: ClaudeWebSimulator, http: Http) -> None:
    style = {"type": "custom", "key": "Custom", "name": "Custom", "prompt": "You are terse.", "isDefault": False}
    uuid = await http.begin("one", personalized_styles=[style])
    await http.say(uuid, "two", personalized_styles=[{"type": "default", "key": "Default", "prompt": "Normal\n"}])
    assert [call.notes["style"] for call in web.asked()] == ["You are terse.", None]


async def test_settings_are_kept(http: Http) -> None:
    await http.call("PATCH", "/api/account/settings", {"one": 1})
    assert await http.call("PATCH", "/api/account/settings", {"two": 2}) == (200, {"settings": {"one": 1, "two": 2}})
