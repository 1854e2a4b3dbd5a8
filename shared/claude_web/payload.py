"""The JSON bodies of requests, in the form that the web app was seen to send. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from .constants import ROOT_PARENT
from .models import TurnIds

_NORMAL: Mapping[str, Any] = {
    "type": "default",
    "key": "Default",
    "name": "Normal",
    "nameKey": "normal_style_name",
    "prompt": "Normal\n",
    "summary": "Default responses from Claude",
    "summaryKey": "normal_style_summary",
    "isDefault": True,
}


@dataclass(frozen=True, slots=True)
class TextAttachment:
    """A text that goes with a message as it is, without an upload. `kind` is its ending: `txt`, `csv`."""

    name: str
    text: str
    kind: str = "txt"


@dataclass(frozen=True, slots=True)
class Place:
    """Where the account is: the language of the page and the time zone, which tools like the search see."""

    locale: str = "en-US"
    timezone: str = "UTC"


def style(system_prompt: str | None) -> dict[str, Any]:
    """A custom style that carries a system prompt: the web API has no other field for one. None or blank: the normal style."""
    if system_prompt is None or not system_prompt.strip():
        return dict(_NORMAL)
    return {
        "type": "custom",
        "key": "Custom",
        "name": "Custom",
        "nameKey": "custom_style_name",
        "prompt": system_prompt,
        "summary": "Custom response style",
        "summaryKey": "custom_style_summary",
        "isDefault": False,
    }


def creation(conversation_id: str, name: str = "") -> dict[str, Any]:
    """The body that creates a conversation ahead of its first message."""
    return {"include_conversation_preferences": True, "is_temporary": False, "name": name, "uuid": conversation_id}


def completion(
    prompt: str,
    *,
    model: str,
    ids: TurnIds,
    parent: str | None,
    create: bool,
    again: bool,
    system_prompt: str | None,
    files: Sequence[str],
    attachments: Sequence[TextAttachment],
    tools: Sequence[Mapping[str, Any]],
    place: Place,
) -> dict[str, Any]:
    """The body of a completion. With `create` the call also creates the conversation, and names no parent. With `again`
    the parent is a question that gets one more answer, and there is no new one.
    """
    turn = {"human_message_uuid": ids.human, "assistant_message_uuid": ids.assistant}
    if again:
        del turn["human_message_uuid"]
    body: dict[str, Any] = {
        "prompt": prompt,
        "model": model,
        "rendering_mode": "messages",
        "locale": place.locale,
        "timezone": place.timezone,
        "personalized_styles": [style(system_prompt)],
        "attachments": [_attachment(each) for each in attachments],
        "files": list(files),
        "sync_sources": [],
        "tools": [dict(tool) for tool in tools],
        "turn_message_uuids": turn,
    }
    if create:
        body["create_conversation_params"] = {
            "name": "",
            "model": model,
            "include_conversation_preferences": True,
            "is_temporary": False,
            "enabled_imagine": True,
        }
    else:
        body["parent_message_uuid"] = parent or ROOT_PARENT
    return body


def _attachment(attachment: TextAttachment) -> dict[str, Any]:
    return {
        "extracted_content": attachment.text,
        "file_name": attachment.name,
        "file_size": len(attachment.text.encode("utf-8", "replace")),
        "file_type": attachment.kind,
    }
