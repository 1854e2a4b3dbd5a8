"""Files (docs.slack.dev: files.getUploadURLExternal, files.completeUploadExternal, files.info)."""

import asyncio
from typing import cast

from sandbox.files import media_type
from sandbox.slack.api.asked import Asked
from sandbox.slack.errors import ApiError, invalid_arguments
from sandbox.slack.model import Channel, File, Json
from sandbox.slack.payloads import file_json
from sandbox.slack.world import Draft, secret

ALT, SNIPPET = 1000, 1024 * 1024
"""Characters of alt_txt, bytes of a snippet (files.getUploadURLExternal)."""


def upload_url(asked: Asked) -> Json:
    """files.getUploadURLExternal."""
    name, length = asked.need("filename"), asked.text("length") or ""
    if not length.isdigit() or not int(length):
        raise ApiError("missing_argument")
    snippet, alt = asked.text("snippet_type") or "", asked.text("alt_txt") or ""
    if len(alt) > ALT:
        raise ApiError("alt_txt_too_large")
    if snippet and int(length) > SNIPPET:
        raise ApiError("snippet_too_large")
    if int(length) > asked.api.config.file_limit:
        raise ApiError("file_upload_size_restricted")
    more = {"ready": False, "ticket": secret(), "snippet": snippet, "alt": alt, "mode": "snippet" if snippet else "hosted"}
    file = asked.world.add_file(name, int(length), media_type(name), asked.world.me, **more)
    return {"upload_url": f"{asked.world.files.base}/upload/v1/{file.ticket}", "file_id": file.id}


def complete(asked: Asked) -> Json:
    """files.completeUploadExternal. The message with the files appears after the answer, which does not name it."""
    files = _files(asked)
    named = asked.text("channel_id") or asked.text("channels") or ""
    channels = [_channel(asked, each) for each in named.split(",") if each]
    thread = asked.thread(channels[0]) if channels else None
    for file, title in files:
        asked.world.set_file(file, ready=True, title=title or file.name)
    ids = [file.id for file, _ in files]
    comment = asked.text("initial_comment") or ""
    for channel in channels:
        draft = Draft(asked.world.me, comment, files=ids, thread=thread, subtype="file_share")
        asyncio.get_running_loop().call_later(asked.api.config.share_delay, asked.world.post, channel, draft)
    return {"files": [file_json(asked.world, file) | {"title": title or file.name} for file, title in files]}


def _files(asked: Asked) -> list[tuple[File, str]]:
    given = asked.parsed("files", "invalid_arguments")
    if not isinstance(given, list) or not given:
        raise invalid_arguments("missing required field: files")
    files: list[tuple[File, str]] = []
    for each in cast("list[object]", given):
        named: Json = cast("Json", each) if isinstance(each, dict) else {}
        file = asked.world.state.files.get(str(named.get("id")))
        if file is None or file.ready or asked.world.files.read(file.id) is None:
            raise ApiError("file_not_found")
        files.append((file, str(named.get("title") or "")))
    return files


def _channel(asked: Asked, named: str) -> Channel:
    channel = asked.world.channel(named)
    if channel is None:
        raise ApiError("channel_not_found")
    asked.inside(channel)
    if channel.archived or channel.read_only:
        raise ApiError("posting_to_channel_denied")
    return channel


def info(asked: Asked) -> Json:
    """files.info."""
    file = asked.world.state.files.get(asked.need("file"))
    if file is None:
        raise ApiError("file_not_found")
    if file.deleted:
        raise ApiError("file_deleted")
    return {"file": file_json(asked.world, file), "comments": [], "response_metadata": {"next_cursor": ""}}
