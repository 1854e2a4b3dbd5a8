"""Streaming (docs.slack.dev: chat.startStream, chat.appendStream, chat.stopStream)."""

from dataclasses import asdict, dataclass, field
from typing import Any, cast

from sandbox.slack.api.asked import Asked
from sandbox.slack.api.composing import MARKDOWN
from sandbox.slack.blocks import BLOCKS, checked
from sandbox.slack.errors import ApiError, invalid_arguments
from sandbox.slack.model import Json, Message, Stream
from sandbox.slack.payloads import message_json
from sandbox.slack.world import Draft

_DISPLAYS = ("timeline", "plan", "dense")
_TASK = ("pending", "in_progress", "complete", "error")
STATUSES = ("active", "processing", "suspended", "closed")
"""Of an agent session (agents.sessions.setStatus)."""


@dataclass(slots=True)
class _Piece:
    """What one call adds."""

    mode: str | None = None
    text: str = ""
    tasks: dict[str, Json] = field(default_factory=dict[str, Json])
    plan: str = ""
    blocks: list[Json] = field(default_factory=list[Json])


def start(asked: Asked) -> Json:
    """chat.startStream: always a reply; in channels it names who receives it."""
    channel = asked.channel()
    asked.writable(channel)
    asked.need("thread_ts")
    thread = asked.thread(channel)
    recipient = asked.text("recipient_user_id")
    if channel.kind != "im":
        if not recipient:
            raise ApiError("missing_recipient_user_id")
        if not asked.text("recipient_team_id"):
            raise ApiError("missing_recipient_team_id")
    if recipient and recipient not in asked.world.state.users:
        raise ApiError("user_not_found")
    if asked.text("task_display_mode") not in (None, *_DISPLAYS):
        raise invalid_arguments("unknown task_display_mode [json-pointer:/task_display_mode]")
    piece = _piece(asked)
    _fits(asked, piece.text, {**piece.tasks})
    stream = Stream(asked.world.now(), mode=piece.mode, tasks=piece.tasks, plan=piece.plan, recipient=recipient)
    draft = Draft(asked.world.me, piece.text, markdown=True, blocks=piece.blocks, thread=thread, stream=asdict(stream))
    message = asked.world.post(channel, draft)
    return {"channel": channel.id, "ts": message.ts}


def append(asked: Asked) -> Json:
    """chat.appendStream."""
    message, stream = _streaming(asked)
    if stream.state == "stopped_by_user":
        raise ApiError("stopped_by_user")
    piece = _piece(asked)
    if piece.mode is None:
        raise ApiError("markdown_text_or_chunks_required")
    _grow(asked, message, stream, piece)
    return {"channel": message.channel, "ts": message.ts}


def stop(asked: Asked) -> Json:
    """chat.stopStream. A stream that a person has stopped may still be closed, but takes no more text."""
    message, stream = _streaming(asked)
    status = asked.text("session_status")
    if status not in (None, *STATUSES):
        raise ApiError("invalid_status")
    piece = _piece(asked)
    given = asked.parsed("blocks", "invalid_blocks_format")
    blocks = [] if given is None else checked(given, "msg_blocks_too_many")
    metadata = asked.metadata()
    if piece.mode is not None:
        if stream.state == "stopped_by_user":
            raise ApiError("stopped_by_user")
        _grow(asked, message, stream, piece)
    world = asked.world
    fields: dict[str, Any] = {"blocks": [*message.blocks, *blocks]}
    if metadata:
        fields["metadata"] = metadata
    world.edit(message, edited=False, **fields)
    world.set_stream(message, "stopped")
    if message.thread is not None and (message.channel, message.thread) in world.state.sessions:
        world.set_session(message.channel, message.thread, status or "active")
    return {"channel": message.channel, "ts": message.ts, "message": message_json(world, message, metadata=True)}


def _streaming(asked: Asked) -> tuple[Message, Stream]:
    message = asked.own("message_not_owned_by_app")
    asked.writable(asked.world.state.channels[message.channel])
    standing = asked.world.standing(message)
    if standing == "expired" and message.stream is not None and message.stream.state == "streaming":
        asked.world.set_stream(message, "expired")
    if message.stream is None or standing in (None, "stopped", "expired"):
        raise ApiError("message_not_in_streaming_state")
    return message, message.stream


def _grow(asked: Asked, message: Message, stream: Stream, piece: _Piece) -> None:
    if stream.mode is not None and piece.mode != stream.mode:
        raise ApiError("streaming_mode_mismatch")
    _fits(asked, message.text + piece.text, stream.tasks | piece.tasks)
    if len(message.blocks) + len(piece.blocks) > BLOCKS:
        raise ApiError("msg_blocks_too_many")
    asked.world.append(message, piece.text, piece.mode, piece.tasks, piece.plan)
    if piece.blocks:
        asked.world.edit(message, edited=False, blocks=[*message.blocks, *piece.blocks])


def _fits(asked: Asked, text: str, tasks: dict[str, Json]) -> None:
    """Raise `ApiError` msg_too_long for more than a streamed message holds; the texts of task cards count."""
    config = asked.api.config
    cards = "".join(str(task.get(name) or "") for task in tasks.values() for name in ("title", "details", "output"))
    if len(text) > config.stream_characters or len((text + cards).encode()) > config.stream_bytes:
        raise ApiError("msg_too_long")


def _piece(asked: Asked) -> _Piece:
    text = asked.text("markdown_text")
    chunks = asked.parsed("chunks", "invalid_chunks")
    if text and chunks:
        raise ApiError("cannot_provide_both_markdown_text_and_chunks")
    if text:
        if len(text) > MARKDOWN:
            raise ApiError("msg_too_long")
        return _Piece("text", text)
    if not chunks:
        return _Piece()
    if not isinstance(chunks, list):
        raise ApiError("invalid_chunks")
    piece = _Piece("chunks")
    for chunk in cast("list[object]", chunks):
        _chunk(piece, cast("Json", chunk) if isinstance(chunk, dict) else {})
    if len(piece.blocks) > BLOCKS:
        raise ApiError("msg_blocks_too_many")
    return piece


def _chunk(piece: _Piece, chunk: Json) -> None:
    kind = chunk.get("type")
    if kind == "markdown_text" and isinstance(chunk.get("text"), str):
        piece.text += chunk["text"]
        if len(piece.text) > MARKDOWN:
            raise ApiError("msg_too_long")
    elif kind == "task_update" and chunk.get("id") and chunk.get("title") and chunk.get("status", "pending") in _TASK:
        piece.tasks[str(chunk["id"])] = chunk
    elif kind == "plan_update" and chunk.get("title"):
        piece.plan = str(chunk["title"])
    elif kind == "blocks":
        piece.blocks.extend(checked(chunk.get("blocks"), "msg_blocks_too_many"))
    else:
        raise ApiError("invalid_chunks")
