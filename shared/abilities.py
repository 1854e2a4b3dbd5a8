"""What only some platforms can do. Each ability is a Protocol of its own, which the core looks for in an adapter."""

from collections.abc import AsyncIterator, Collection, Sequence
from datetime import datetime
from typing import Protocol, runtime_checkable

from shared.chat import Button, Channel, File, Message, MessageId, Seen, Target


@runtime_checkable
class Finds(Protocol):
    """Can tell after a crash whether something was posted."""

    async def find(
        self,
        target: Target,
        key: str,
        after: MessageId | None,
        *,
        since: datetime,
        known: Collection[MessageId],
        silent: bool,
    ) -> MessageId | None:
        """Our own message that was posted with this key after `after` and not before `since`, or None.

        A platform that cannot read the key back takes the first message of ours that is as `silent` as asked and not `known`.
        Raises `Forbidden` where the messages cannot be read.
        """
        ...


@runtime_checkable
class Grows(Protocol):
    """Has places where nothing that was shown can be changed."""

    def grows(self, target: Target) -> bool:
        """Whether a reply may be shown there before it is whole."""
        ...


@runtime_checkable
class Reacts(Protocol):
    """Can leave a sign on what people wrote."""

    async def react(self, target: Target, message: MessageId, *, seen: bool) -> None:
        """Show that the message was seen and has to wait, or take that sign away. Repeating it changes nothing."""
        ...


@runtime_checkable
class Threads(Protocol):
    """Can open a thread on a message."""

    async def open(self, target: Target, title: str) -> Target:
        """The target in the thread on `target.reply_to`; opens it if need be. Idempotent. Raises `Forbidden` if it may not."""
        ...


@runtime_checkable
class Uploads(Protocol):
    """Can show files."""

    def takes(self, target: Target) -> int:
        """The largest file in bytes that can be shown there."""
        ...

    async def upload(self, target: Target, file: File, *, key: str, silent: bool = False) -> MessageId:
        """Show a file as a message of its own; `key` as for a post. Raises `TooLarge` if it is one byte too many."""
        ...


@runtime_checkable
class Recalls(Protocol):
    """Can read what was said while we were down."""

    def behind(self, seen: Seen) -> Sequence[Channel]:
        """The channels in which something may have been said since, as far as the platform has told already. No calls."""
        ...

    def missed(self, channel: Channel, seen: Seen) -> AsyncIterator[Message]:
        """The messages after the newest one seen there, oldest first, each `recalled`, addressed or not.

        Where none was seen, those after `seen.since`. Raises `Forbidden` or `Gone` if the channel cannot be read.
        """
        ...


@runtime_checkable
class Drafts(Protocol):
    """Has previews that are no messages: they vanish by themselves, at the latest when the message comes."""

    @property
    def draft_seconds(self) -> float:
        """After how many seconds a draft has to be shown again."""
        ...

    def drafts(self, target: Target) -> bool:
        """Whether there are drafts there."""
        ...

    async def draft(self, target: Target, markdown: str, *, key: str) -> None:
        """Show how a message grows that is to be posted with this key; instead of what was shown of it before."""
        ...


@runtime_checkable
class Streams(Protocol):
    """Has messages that are written bit by bit, which goes sooner than edits; nothing is taken back while one grows.

    The message that `begin` returns names its stream. While it grows only its own calls are made on it, one at a time. What an
    earlier run has begun is dealt with like any message: an `edit` or `delete` of it first ends its stream.
    """

    def lifetime(self, target: Target) -> float | None:
        """For how many seconds a stream may grow there, or None if there are none. `fits` then measures what one can hold."""
        ...

    async def begin(self, target: Target, markdown: str, *, key: str) -> MessageId:
        """Show the beginning of a new message. `key` is for `find`; to begin again with it shows another message."""
        ...

    async def extend(self, target: Target, message: MessageId, markdown: str) -> None:
        """Show more of it: `markdown` is all that it is to show now, and begins with what was given before.

        Raises `Refused` if it can grow no further: it ran out, or somebody stopped it. It can still be finished.
        """
        ...

    async def finish(
        self, target: Target, message: MessageId, markdown: str, *, key: str, buttons: Sequence[Button] = ()
    ) -> None:
        """End it; from then on it shows this and is a message like any other.

        What was lost on the way or is to be read otherwise is set right, also where it had run out. Repeating it is harmless.
        """
        ...
