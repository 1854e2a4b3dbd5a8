"""Which channels the bot can see, and which it no longer can: Discord has no event for that, but one for each of its causes."""

import discord


class Sight:
    """The channels in view, by server. Threads follow their channel."""

    def __init__(self) -> None:
        self._seen: dict[int, set[int]] = {}

    def begin(self, guild: discord.Guild) -> None:
        """Take what is in view now as the beginning."""
        self._seen[guild.id] = {channel.id for channel in guild.channels if _visible(channel)}

    def forget(self, guild: int) -> None:
        """The server is no longer ours."""
        self._seen.pop(guild, None)

    def lost(self, guild: discord.Guild) -> list[int]:
        """The channels that are still there and have gone out of view since the last look, for a change of roles."""
        before = self._seen.get(guild.id, set[int]())
        self.begin(guild)
        return sorted(number for number in before - self._seen[guild.id] if guild.get_channel(number) is not None)

    def lost_one(self, channel: discord.abc.GuildChannel) -> bool:
        """The same for the change of one channel, at the cost of one."""
        seen = self._seen.setdefault(channel.guild.id, set())
        if _visible(channel):
            seen.add(channel.id)
            return False
        known = channel.id in seen
        seen.discard(channel.id)
        return known


def _visible(channel: discord.abc.GuildChannel) -> bool:
    return channel.permissions_for(channel.guild.me).view_channel
