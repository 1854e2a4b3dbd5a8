"""The store's public face: what events lead to."""

from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import datetime
from uuid import UUID

from shared.chat import AuthorId, Button, Cause, Channel, ChannelId, Deleted, Edited, Message, MessageId, Pressed, Target
from shared.store import changes, choices, intake, moves, notes, reads, talks
from shared.store.face import Face
from shared.store.notes import Happened
from shared.store.records import Decision, Refusal, Rules, Share, Taken, Talk, Told, Waiting


class Taking(Face):
    """Takes events. One that was taken before, by any of its keys, is a "duplicate" and changes nothing.

    Functions that give a text are called on another thread, perhaps more than once: they must be pure and quick.
    """

    async def ask(self, platform: str, message: Message, *, rules: Rules, say: Callable[[Decision, Share | None], str]) -> Taken:
        """Queue a turn with this message in the open conversation of `message.place`, which is opened if need be.

        The first of these that holds: "too_fast" (told once a minute to a person), "over_limit" (told once an hour to a person
        in a channel), "joined", "queue_full" (always told), "queued". A message that was `commanded` is always told. `say` gives
        the text of a refusal; for "over_limit" with the budget that is used up. A message of an album goes into the turn of the
        others, before all of these and as long as that is not answered; where they were refused it is, too, and nothing is said.
        """
        return await self._take(platform, message, lambda c, event: intake.ask(c, event, message, rules, say))

    async def edit(self, platform: str, edited: Edited) -> Taken:
        """Take over what a message says now: "edited"; "unknown" if no turn has it, "duplicate" if nothing has changed.

        If its turn is the newest of an open conversation it is asked again: an ended one is queued and is `waiting`, one that
        runs or is being delivered is `again`. Known files keep what was made of them.
        """
        event = notes.happened(self._clock(), platform, edited)
        return await self._writer.run(lambda c: changes.edit(c, event, edited.message))

    async def deleted(self, platform: str, channel: ChannelId, message: MessageId) -> Taken:
        """A message is not there any more: "deleted", or "unknown" if no turn has it. Repeating it changes nothing.

        A turn of other messages goes on without it, as after an edit, but is not asked again once it has ended. A turn of this
        message alone is hidden from the history and told to stop.
        """
        gone = Deleted(channel=channel, message=message)
        now = self._clock()
        return await self._writer.run(lambda c: changes.deleted(c, now, platform, gone))

    async def retry(
        self, platform: str, cause: Cause, *, turn: int | None, message: MessageId | None, say: Callable[[Refusal], str]
    ) -> Taken:
        """Queue the newest turn of the open conversation of `cause.place` again, as `waiting`; its answer so far is forgotten.

        With `turn` it must be that one ("old"), and with `message` this must be a part of it that is shown ("unknown"); its
        conversation may have been closed as idle and is opened again then. "busy" if it has not ended, "nothing" if there is
        none. A refusal is a notice. What the new answer takes is counted for the one who wants it.
        """
        return await self._take(platform, cause, lambda c, event: changes.retry(c, event, cause, turn, message, say))

    async def undo(self, platform: str, cause: Cause, *, say: Callable[[Refusal | None], str]) -> Taken:
        """Hide the newest turn of the open conversation of `cause.place` from its history; a notice in every case.

        `say` gets None if it was done, "nothing", or "busy" if that turn has not ended.
        """
        return await self._take(platform, cause, lambda c, event: changes.undo(c, event, cause, say))

    async def more(
        self,
        platform: str,
        cause: Pressed,
        *,
        turn: int,
        text: str,
        rules: Rules,
        say: Callable[[Refusal], str],
        limited: Callable[[Decision, Share | None], str],
    ) -> Taken:
        """Queue a new turn that asks `text` in the name of the one who pressed, in answer to `cause.message`.

        `turn` must be the newest of its conversation ("old") and have ended ("busy"), and `cause.message` a part of it that is
        shown ("unknown"). The conversation must be open; one that was closed as idle is opened again. Refusals are notices; for
        "too_fast" and "over_limit", as in `ask`, their text is that of `limited`.
        """
        return await self._take(platform, cause, lambda c, event: changes.more(c, event, cause, turn, text, rules, say, limited))

    async def tell(self, platform: str, cause: Cause, *, decision: Decision, text: str, buttons: Sequence[Button] = ()) -> Taken:
        """Answer in `cause.target` with a notice: a turn outside of any conversation, born answered with this text."""
        return await self._take(
            platform,
            cause,
            lambda c, event: notes.notice(c, event, cause.target, text, decision=decision, buttons=buttons),
        )

    async def note(self, platform: str, cause: Cause, *, decision: Decision) -> Taken:
        """Keep the decision; say nothing."""
        return await self._take(platform, cause, lambda c, event: intake.note(c, event, decision))

    async def aside(self, platform: str, target: Target, *, key: str, decision: Decision, text: str) -> Taken:
        """Make a notice that no single event has caused, once for each `key`."""
        event = Happened(self._clock(), platform, (key,), target.channel.id, None, decision)
        return await self._writer.run(lambda c: intake.aside(c, event, target, text))

    async def stop(
        self,
        platform: str,
        cause: Cause,
        *,
        nothing: str | None,
        done: str | None = None,
        turn: int | None = None,
        message: MessageId | None = None,
    ) -> Taken:
        """Ask every turn of the open conversation of `cause.place` to stop that is not yet answered; with `turn` that one alone.

        `message`, where it is given, must be a part of that turn. A notice is made with the text `nothing` if there is nothing to
        stop, else with `done`; with neither if that is None.
        """
        return await self._take(platform, cause, lambda c, event: intake.stop(c, event, cause, nothing, done, turn, message))

    async def new(self, platform: str, cause: Cause, *, text: str, nothing: str) -> Taken:
        """Close the open conversation of `cause.place`, ask its turns to stop, and make a notice with `text`.

        If there is none, the notice has the text `nothing`.
        """
        return await self._take(platform, cause, lambda c, event: intake.new(c, event, cause, text, nothing))

    async def choose(self, platform: str, cause: Cause, *, scope: str, name: str, value: str | None, text: str) -> Taken:
        """Keep what was chosen for `name` in a scope, or take it back with None, and make a notice with `text`."""
        try:
            return await self._take(platform, cause, lambda c, event: choices.choose(c, event, cause, scope, name, value, text))
        finally:
            self._chosen.forget()

    async def choices(self, scopes: Sequence[str]) -> Mapping[str, Mapping[str, str]]:
        """What was chosen in each of these scopes, by name."""
        chosen = await self._chosen.all(lambda: self._reader.run(choices.chosen))
        return {scope: chosen.get(scope, {}) for scope in scopes}

    async def resume(
        self, platform: str, cause: Cause, *, conversation: UUID | None, say: Callable[[Refusal | Talk], str]
    ) -> Taken:
        """Open a closed conversation again in its own channel, and make a notice.

        None is the one of `cause.place` that was closed and was heard last ("nothing"). One that is given must be there
        ("unknown") and belong to `cause.place` or to a channel below it ("elsewhere"); if it is open already, that is fine. What
        else is open in its channel is closed, and its turns are asked to stop.
        """
        return await self._take(platform, cause, lambda c, event: talks.resume(c, event, cause, conversation, say))

    async def close_idle(
        self,
        platform: str,
        conversation: UUID,
        *,
        before: datetime,
        target: Target | None,
        text: str,
        buttons: Sequence[Button] = (),
    ) -> Taken | None:
        """Close the conversation if it is open, was not heard since `before` and has no unfinished turn; else None.

        With a target, a notice with `text` is made there. No person did it, so no key is kept; the decision is "command".
        """
        now = self._clock()
        return await self._writer.run(lambda c: talks.close_idle(c, now, platform, conversation, before, target, text, buttons))

    async def leave(
        self, platform: str, *, channel: ChannelId | None = None, space: str | None = None, at: datetime | None = None
    ) -> Sequence[Waiting]:
        """Close the open conversations of the channel and of those whose parent it is, or of the space.

        Those whose newest question was written at `at` or later stay open; with None they are closed, too. The turns that are
        not yet answered are asked to stop and are returned, oldest first.
        """
        now = self._clock()
        return await self._writer.run(lambda c: talks.leave(c, now, platform, channel, space, at))

    async def move(self, platform: str, *, old: ChannelId, new: Channel) -> Sequence[Waiting]:
        """Let everything of the channel `old` go on in `new`: conversations, turns, choices, and what was spent.

        If `new` has an open conversation already, that one goes on, and the one of `old` is closed; its turns that are not yet
        answered are asked to stop and are returned. What was read of `old` is forgotten. Repeating it changes nothing.
        """
        now = self._clock()
        try:
            return await self._writer.run(lambda c: moves.move(c, now, platform, old, new))
        finally:
            self._chosen.forget()

    async def moved(self, platform: str) -> Mapping[ChannelId, ChannelId]:
        """What each channel that has moved is called now, by what it was called before."""
        return await self._reader.run(lambda c: moves.moved(c, platform))

    async def known(self, platform: str, keys: Collection[str]) -> frozenset[str]:
        """Those of these keys that belong to an event that was taken."""
        return await self._reader.run(lambda c: notes.which(c, platform, keys))

    async def known_album(self, platform: str, album: str) -> bool:
        """Whether a message of the album was taken. That is known for as long as the keys of events are."""
        return bool(await self.known(platform, (notes.album_key(album),)))

    async def told(self, channel: ChannelId, *, author: AuthorId | None, most: int) -> Sequence[Told]:
        """What became of the last events in the channel, of one person or of all, newest first."""
        return await self._reader.run(lambda c: reads.told(c, channel, author, most))
