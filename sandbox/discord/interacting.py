"""What people do with the bot's commands and buttons, and with their files."""

import asyncio
from collections.abc import Mapping
from typing import Any

from sandbox.discord import interactions, lookup
from sandbox.discord.files import attachment
from sandbox.discord.interactions import interaction_view
from sandbox.discord.model import AUTOCOMPLETE, COMMAND, COMPONENT, Channel, Interaction, Json, Message, Permission
from sandbox.discord.options import Wrong, chosen, command, commands, typed
from sandbox.discord.rest.components import buttons_of
from sandbox.discord.world import Happening, World
from sandbox.files import content_of


class Interacting:
    """Calling, asking and pressing. Names are resolved as in `lookup`; what cannot be done raises a `ValueError`."""

    def __init__(self, world: World) -> None:
        self.world = world

    async def call(self, by: str, name: str, where: str = "", options: Mapping[str, Any] | None = None) -> Json:
        """Call a command (`name` with its sub-commands, as in "ask again") and return the interaction.

        `where` is a channel; without one it is the direct chat with the bot. A user or channel option is given by name,
        a file as for `say`. Raises `options.Wrong` for what Discord's client would not send: the person is told why.
        """
        user, channel = self._there(by, where)
        found, path = self._command(user, channel, name)
        values, resolved = chosen(self.world, channel, found, path, options or {}, lambda file: self.attached(file))
        data: Json = {"id": found["id"], "name": found["name"], "type": 1, "options": values}
        data |= {"resolved": resolved} if resolved else {}
        return self._begun(COMMAND, user, channel, " ".join(name.split()).removeprefix("/"), _scoped(found, data))

    async def autocomplete(
        self, by: str, name: str, option: str, value: str, where: str = "", options: Mapping[str, Any] | None = None
    ) -> list[Json]:
        """Type into an option and return the choices that the bot offers: objects with name and value.

        Raises `TimeoutError` when it offers none in time ("Loading options failed").
        """
        user, channel = self._there(by, where)
        found, path = self._command(user, channel, name)
        data: Json = {"id": found["id"], "name": found["name"], "type": 1}
        data["options"] = typed(found, path, option, value, options or {})
        begun = self._begin(AUTOCOMPLETE, user, channel, name, _scoped(found, data))
        await self.world.changes.wait_for(lambda: begun.answered, timeout=self.world.config.interaction_window)
        return begun.choices or []

    async def press(self, by: str, message: int | str, button: str) -> Json:
        """Press a button, by its label or custom id, and return the interaction."""
        found = lookup.message(self.world, message)
        user = lookup.user(self.world, by).id
        channel = self.world.state.channels[found.channel]
        if found.deleted is not None or found.ephemeral not in (None, user) or not self._sees(channel, user):
            raise Wrong(f"{by} does not see message {message}")
        pressed = next(
            (each for each in buttons_of(found.components) if button in (each.get("custom_id"), each.get("label"))), None
        )
        if pressed is None:
            labels = ", ".join(str(each.get("label")) for each in buttons_of(found.components))
            raise Wrong(f"there is no button {button}; there are: {labels or 'none'}")
        if pressed.get("disabled") or "custom_id" not in pressed:
            raise Wrong(f"the button {button} cannot be pressed")
        data: Json = {"custom_id": pressed["custom_id"], "component_type": pressed["type"], "id": pressed["id"]}
        return self._begun(COMPONENT, user, channel, pressed["custom_id"], data, found)

    def interaction(self, interaction: int | str) -> Json:
        """One interaction and what the person sees of it."""
        found = self.world.state.interactions.get(int(interaction)) if str(interaction).isdigit() else None
        if found is None:
            raise lookup.Unknown(f"no interaction {interaction}")
        return interaction_view(self.world, found)

    def interactions(self) -> list[Json]:
        """Every interaction there ever was, oldest first."""
        return [interaction_view(self.world, each) for each in self.world.state.interactions.values()]

    def commands(self, by: str, where: str = "") -> list[Json]:
        """The commands that a person is offered in a channel, or in the direct chat, by name."""
        return commands(self.world, *self._there(by, where))

    def attached(self, given: Json) -> Json:
        """A file that a person gives, as an attachment object without its address.

        It has `name`, and may have `media_type`, `content_base64`, `size`, `width`, `height`, `duration_secs`, `waveform`
        and `description`. Without content it is `size` zero bytes long, which are made only while they are downloaded.
        """
        unknown = set(given) - {"name", "media_type", "content_base64", "size", *_DETAILS}
        if unknown or "name" not in given:
            raise ValueError(f"a file has a name, and no {', '.join(sorted(unknown)) or 'less'}")
        name, number = str(given["name"]), self.world.ids.next()
        size, data = content_of(given, name)
        if data is not None:
            self.world.files.keep(number, data)
        details = {each: given[each] for each in _DETAILS if each in given}
        return attachment(number, name, size, given.get("media_type")) | details

    def _there(self, by: str, where: str) -> tuple[int, Channel]:
        """The person and the channel. Raises `Wrong` when they do not see it."""
        user = lookup.user(self.world, by).id
        channel = lookup.channel(self.world, where) if where else self.world.open_direct(user)
        if not self._sees(channel, user):
            raise Wrong(f"{by} does not see {where}")
        return user, channel

    def _sees(self, channel: Channel, user: int) -> bool:
        return bool(self.world.may(channel, user) & Permission.VIEW_CHANNEL)

    def _command(self, user: int, channel: Channel, name: str) -> tuple[Json, list[str]]:
        words = name.removeprefix("/").split()
        if not words:
            raise Wrong("a command has a name")
        return command(self.world, user, channel, words[0]), words[1:]

    def _begun(self, kind: int, user: int, channel: Channel, name: str, data: Json, message: Message | None = None) -> Json:
        return interaction_view(self.world, self._begin(kind, user, channel, name, data, message))

    def _begin(
        self, kind: int, user: int, channel: Channel, name: str, data: Json, message: Message | None = None
    ) -> Interaction:
        begun = interactions.begin(self.world, kind, user, channel, name, data, message)
        loop = asyncio.get_running_loop()
        loop.call_later(self.world.config.interaction_window, self._overdue, begun)
        return begun

    def _overdue(self, interaction: Interaction) -> None:
        """Wake whoever waits for what the person reads when nothing came."""
        if interactions.silent(self.world, interaction):
            change: Json = {"op": "unanswered", "interaction": interaction.id}
            self.world.tell(Happening("unanswered", change, interaction.channel))


_DETAILS = ("width", "height", "duration_secs", "waveform", "description")


def _scoped(command: Json, data: Json) -> Json:
    """The data of a guild's own command names the guild (Application Command Data Structure)."""
    return data | ({"guild_id": command["guild_id"]} if "guild_id" in command else {})
