"""Who may do what where (Discord developer docs, Permissions: Permission Hierarchy, Permission Overwrites)."""

from sandbox.discord.model import Channel, Guild, Permission

ALL = (1 << 53) - 1


def permissions_of(guild: Guild, channel: Channel, user: int) -> int:
    """The permission bits of a member in a channel; of a thread, pass the parent. 0 for someone not in the guild.

    The order is everyone's role, the member's roles, then the channel's overwrites: everyone, roles together, member.
    Without VIEW_CHANNEL every other permission is void (Discord developer docs, Permissions: Implicit Permissions).
    """
    if user not in guild.members:
        return 0
    if user == guild.owner:
        return ALL
    roles = guild.members[user]
    allowed = guild.roles[guild.id].permissions
    for role in roles:
        if role in guild.roles:
            allowed |= guild.roles[role].permissions
    everyone = channel.overwrites.get(guild.id)
    if everyone is not None:
        allowed = allowed & ~everyone.deny | everyone.allow
    allow = deny = 0
    for role in roles:
        overwrite = channel.overwrites.get(role)
        if overwrite is not None and not overwrite.member:
            allow |= overwrite.allow
            deny |= overwrite.deny
    allowed = allowed & ~deny | allow
    own = channel.overwrites.get(user)
    if own is not None and own.member:
        allowed = allowed & ~own.deny | own.allow
    return allowed if allowed & Permission.VIEW_CHANNEL else 0


def bits(names: list[str]) -> int:
    """The bits of permissions given by name. Raises `ValueError` for an unknown name."""
    value = 0
    for name in names:
        try:
            value |= Permission[name.upper()]
        except KeyError:
            raise ValueError(f"unknown permission: {name}") from None
    return value
