"""A conversation as claude.ai keeps it: a tree of messages, in which every answer names the question before it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, cast

from .constants import ROOT_PARENT
from .errors import ProtocolError
from .reader import PARAGRAPH

# Stop reasons of answers that somebody or something cut off.
_CUT = frozenset({"user_canceled", "error", "message_limit"})


@dataclass(frozen=True, slots=True)
class Message:
    """One message of a conversation. `parent` is None for a first message; `stop_reason` is an answer's, if kept."""

    uuid: str
    parent: str | None
    role: Literal["human", "assistant"]
    text: str
    stop_reason: str | None = None
    raw: Mapping[str, Any] = field(default_factory=dict[str, Any], repr=False)

    @property
    def complete(self) -> bool:
        """Whether it is known to be whole: a question always, an answer if it ended by itself."""
        return self.role == "human" or (self.stop_reason is not None and self.stop_reason not in _CUT)


@dataclass(frozen=True, slots=True)
class ConversationTree:
    """Every message of a conversation, by uuid and in order of creation. `leaf` is the last one that the page shows."""

    uuid: str
    name: str
    leaf: str | None
    messages: Mapping[str, Message]

    @classmethod
    def of(cls, body: Mapping[str, Any]) -> "ConversationTree":
        """Read what `get_conversation` gives. Raises ProtocolError if it is no conversation."""
        uuid, name, leaf = body.get("uuid"), body.get("name"), body.get("current_leaf_message_uuid")
        listed: object = body.get("chat_messages")
        if not isinstance(uuid, str) or not isinstance(listed, list):
            raise ProtocolError("a conversation has no uuid or no messages")
        messages = [_message(each) for each in cast("list[object]", listed)]
        return cls(
            uuid,
            name if isinstance(name, str) else "",
            leaf if isinstance(leaf, str) else None,
            {message.uuid: message for message in messages},
        )

    def path(self, leaf: str) -> Sequence[Message]:
        """The messages from the first one to `leaf`; none if there is no such message."""
        found: list[Message] = []
        at: str | None = leaf
        seen: set[str] = set()
        while at is not None and at not in seen and (message := self.messages.get(at)):
            seen.add(at)
            found.append(message)
            at = message.parent
        return found[::-1]

    def children(self, parent: str | None) -> Sequence[Message]:
        """The messages that go on from `parent`, oldest first; the first messages of all for None."""
        return [message for message in self.messages.values() if message.parent == parent]


def _message(value: object) -> Message:
    raw = cast("dict[str, Any]", value) if isinstance(value, dict) else {}
    uuid, sender, parent, reason = (raw.get(name) for name in ("uuid", "sender", "parent_message_uuid", "stop_reason"))
    if not isinstance(uuid, str) or sender not in ("human", "assistant"):
        raise ProtocolError("a message of the conversation has no uuid or no sender")
    return Message(
        uuid,
        parent if isinstance(parent, str) and parent != ROOT_PARENT else None,
        "human" if sender == "human" else "assistant",
        _text(raw),
        reason if isinstance(reason, str) else None,
        raw,
    )


def _text(raw: Mapping[str, Any]) -> str:
    """The message's text, joined as the states of a stream join it."""
    blocks: object = raw.get("content")
    text = ""
    parted = False
    for block in cast("list[object]", blocks) if isinstance(blocks, list) else []:
        fields = cast("dict[str, Any]", block) if isinstance(block, dict) else {}
        piece = fields.get("text")
        if fields.get("type") != "text":
            parted = bool(text)
        elif isinstance(piece, str) and piece:
            text += PARAGRAPH + piece if parted else piece
            parted = False
    whole = raw.get("text")
    return text or (whole if isinstance(whole, str) else "")
