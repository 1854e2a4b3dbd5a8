"""What the account holds: conversations as trees of messages, files, styles."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Literal

JsonObject = dict[str, Any]

# The parent of a first message (claude-webapi, captures, Claude-QoL).
ROOT = "00000000-0000-4000-8000-000000000000"

Sender = Literal["human", "assistant"]


def stamp(at: float) -> str:
    """Write Unix seconds as claude.ai does: ISO 8601 in UTC with microseconds."""
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


@dataclass(slots=True)
class Message:
    """One node of a conversation. `index` is the order of creation in the conversation, not a place in a branch."""

    uuid: str
    parent: str
    sender: Sender
    index: int
    at: float
    blocks: Sequence[JsonObject]
    stop_reason: str | None = None
    attachments: Sequence[JsonObject] = ()
    files: Sequence[JsonObject] = ()

    @property
    def text(self) -> str:
        """All text of the message."""
        return "".join(block["text"] for block in self.blocks if block["type"] == "text")

    def as_json(self, *, rendered: bool) -> JsonObject:
        """Show the message as a conversation lists it.

        With `rendered` (rendering_mode=messages) the text is in `content` alone (captures); else `text` has it too
        (assumed).
        """
        shown: JsonObject = {
            "uuid": self.uuid,
            "text": "" if rendered else self.text,
            "content": list(self.blocks),
            "sender": self.sender,
            "index": self.index,
            "created_at": stamp(self.at),
            "updated_at": stamp(self.at),
            "truncated": False,
            "attachments": list(self.attachments),
            "files": list(self.files),
            "sync_sources": [],
            "parent_message_uuid": self.parent,
        }
        if self.sender == "assistant":
            shown["stop_reason"] = self.stop_reason
        return shown


@dataclass(slots=True)
class Conversation:
    """A tree of messages, and the leaf that is shown. Times are Unix seconds."""

    uuid: str
    organization: str
    name: str
    model: str | None
    created: float
    updated: float
    temporary: bool = False
    settings: JsonObject = field(default_factory=dict[str, Any])
    starred: bool = False
    leaf: str | None = None
    messages: dict[str, Message] = field(default_factory=dict[str, Message])

    def add(self, message: Message) -> None:
        """Add a message and make it the leaf that is shown."""
        self.messages[message.uuid] = message
        self.leaf = message.uuid
        self.updated = message.at

    def forget(self, uuid: str) -> None:
        """Take a message out, and go back to its parent if it was the leaf."""
        gone = self.messages.pop(uuid)
        if self.leaf == uuid:
            self.leaf = gone.parent if gone.parent in self.messages else None

    def branch(self) -> list[Message]:
        """The messages from the first one down to the leaf."""
        path: list[Message] = []
        at = self.leaf
        while at is not None and at in self.messages:
            path.append(self.messages[at])
            at = self.messages[at].parent
        return path[::-1]

    def summary(self) -> JsonObject:
        """Show the conversation as a list does."""
        return {
            "uuid": self.uuid,
            "name": self.name,
            "summary": "",
            "model": self.model,
            "created_at": stamp(self.created),
            "updated_at": stamp(self.updated),
            "settings": dict(self.settings),
            "is_starred": self.starred,
            "is_temporary": self.temporary,
            "project_uuid": None,
            "platform": "CLAUDE_AI",
            "current_leaf_message_uuid": self.leaf,
        }

    def as_json(self, *, tree: bool, rendered: bool) -> JsonObject:
        """Show the conversation with its messages: all of them in order of creation, or the shown branch alone."""
        messages = sorted(self.messages.values(), key=lambda message: message.index) if tree else self.branch()
        return {**self.summary(), "chat_messages": [message.as_json(rendered=rendered) for message in messages]}


@dataclass(frozen=True, slots=True)
class StoredFile:
    """A file that was uploaded, or that an answer made."""

    uuid: str
    name: str
    content_type: str
    data: bytes
    at: float

    @property
    def kind(self) -> str:
        """The kind that claude.ai shows: "image", "document" (PDF) or "blob" (captures, Claude-QoL)."""
        if self.content_type.startswith("image/"):
            return "image"
        return "document" if self.content_type == "application/pdf" else "blob"

    def as_json(self) -> JsonObject:
        """Show the file as an upload is answered (captures)."""
        return {
            "success": True,
            "file_uuid": self.uuid,
            "file_name": self.name,
            "file_kind": self.kind,
            "size_bytes": len(self.data),
            "created_at": stamp(self.at),
        }


def default_style(key: str, name: str, summary: str) -> JsonObject:
    """Build a style that every account has, in the form that a completion sends (claude-webapi)."""
    return {
        "type": "default",
        "key": key,
        "name": name,
        "nameKey": f"{name.lower()}_style_name",
        "prompt": f"{name}\n",
        "summary": summary,
        "summaryKey": f"{name.lower()}_style_summary",
        "isDefault": key == "Default",
    }


# Claude help center, "Configure and use styles" (article 10181068).
STYLES: Sequence[Mapping[str, Any]] = (
    default_style("Default", "Normal", "Default responses from Claude"),
    default_style("Concise", "Concise", "Shorter responses"),
    default_style("Explanatory", "Explanatory", "Educational responses"),
    default_style("Formal", "Formal", "Clear and polished responses"),
)
