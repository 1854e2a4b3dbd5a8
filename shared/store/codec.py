"""How values become columns and come back."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from typing import Any

from shared.backends import Made
from shared.chat import Attachment, AuthorId, Button, Channel, ChannelId, MessageId, Quoted, Target
from shared.files.material import Material

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


def clean(text: str) -> str:
    """The text with each lone surrogate replaced by U+FFFD; a pair becomes its character. NUL and all else stay."""
    if text.isascii():
        return text
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    return text


def stamp(at: datetime) -> int:
    """Microseconds since 1970. Raises TypeError for a time without a zone."""
    return (at - _EPOCH) // _MICROSECOND


def moment(at: int) -> datetime:
    """The time of a stamp, in UTC."""
    return _EPOCH + timedelta(microseconds=at)


def dump(value: object) -> str:
    """Plain JSON on one line."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def load(text: str) -> Any:
    """The value of a `dump`."""
    return json.loads(text)


def dump_channel(channel: Channel) -> str:
    """A channel as JSON."""
    return dump(_channel(channel))


def load_channel(text: str) -> Channel:
    """The channel of a `dump_channel`."""
    return _to_channel(load(text))


def dump_target(target: Target) -> str:
    """A target as JSON, without its handle: that is a secret and has a column of its own that is emptied in the end."""
    return dump(
        [
            _channel(target.channel),
            target.reply_to,
            target.user,
            target.private,
            None if target.expires is None else stamp(target.expires),
        ]
    )


def load_target(text: str, handle: str | None) -> Target:
    """The target of a `dump_target`, with its handle."""
    channel, reply_to, user, private, expires = load(text)
    return Target(
        _to_channel(channel),
        None if reply_to is None else MessageId(reply_to),
        None if user is None else AuthorId(user),
        private,
        handle,
        None if expires is None else moment(expires),
    )


def dump_quoted(quoted: Quoted | None) -> str | None:
    """A quoted message as JSON, without its files."""
    return None if quoted is None else dump([quoted.name, quoted.text, quoted.own])


def load_quoted(text: str | None, attachments: tuple[Attachment, ...]) -> Quoted | None:
    """The message of a `dump_quoted`, with its files."""
    return None if text is None else Quoted(*load(text), attachments=attachments)


def dump_material(material: Material) -> str:
    """What the model gets of a file, as JSON."""
    return dump(asdict(material))


def load_material(text: str) -> Material:
    """The material of a `dump_material`."""
    return Material(**load(text))


def dump_buttons(buttons: Sequence[Button]) -> str | None:
    """Buttons as JSON; None for none."""
    return dump([[one.id, one.label] for one in buttons]) if buttons else None


def load_buttons(text: str | None) -> tuple[Button, ...]:
    """The buttons of a `dump_buttons`."""
    return () if text is None else tuple(Button(*one) for one in load(text))


def dump_made(files: Sequence[Made]) -> str | None:
    """Files that a model has made as JSON; None for none."""
    return dump([[one.name, one.media_type, one.blob, one.size] for one in files]) if files else None


def load_made(text: str | None) -> tuple[Made, ...]:
    """The files of a `dump_made`."""
    return () if text is None else tuple(Made(*one) for one in load(text))


def dump_blocks(blocks: Sequence[Mapping[str, Any]] | None) -> str | None:
    """A backend's native blocks as JSON, the order of their fields kept."""
    return None if blocks is None else dump(list(blocks))


def load_blocks(text: str | None) -> Sequence[Mapping[str, Any]] | None:
    """The blocks of a `dump_blocks`."""
    return None if text is None else load(text)


def _channel(channel: Channel) -> list[str | bool | None]:
    return [channel.id, channel.kind, channel.parent, channel.space, channel.title, channel.secluded]


def _to_channel(fields: Any) -> Channel:
    # Channels that the first schema has stored end with the title.
    key, kind, parent, space, title, *more = fields
    return Channel(ChannelId(key), kind, None if parent is None else ChannelId(parent), space, title, any(more))
