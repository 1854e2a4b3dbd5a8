"""The world a simulator starts with: one guild, three channels, five people, another bot, a webhook."""

from collections.abc import Iterator

from sandbox.discord.ids import snowflake_at
from sandbox.discord.model import EVERYONE, TEXT, Json

_BASE = snowflake_at(1_600_000_000.0)

GUILD = _BASE + 1
BOT = _BASE + 10
BOT_ROLE = _BASE + 11
HELPERS = _BASE + 12
PEOPLE = {f"user{n}": (_BASE + 20 + n, display) for n, display in enumerate(("Ada", "Ben", "Chloe", "Deniz", "Emeka"), 1)}
OTHER_BOT = _BASE + 40
WEBHOOK = _BASE + 41
CHANNELS = {"general": _BASE + 51, "random": _BASE + 52, "support": _BASE + 53}


def changes() -> Iterator[Json]:
    """The changes that make the default world. The ids are the same each time."""
    for name, (user, display) in PEOPLE.items():
        yield {"op": "user", "id": user, "name": name, "display": display}
    yield {"op": "user", "id": BOT, "name": "threadline", "display": "Threadline", "bot": True}
    yield {"op": "user", "id": OTHER_BOT, "name": "otherbot", "display": "Other Bot", "bot": True}
    yield {"op": "user", "id": WEBHOOK, "name": "webhook", "display": "Webhook", "bot": True, "webhook": True}
    owner = PEOPLE["user1"][0]
    yield {"op": "guild", "id": GUILD, "name": "Threadline Lab", "owner": owner, "everyone": int(EVERYONE)}
    for role, name, position in ((HELPERS, "helpers", 1), (BOT_ROLE, "threadline", 2)):
        yield {"op": "role", "guild": GUILD, "id": role, "name": name, "permissions": 0, "position": position}
    for user, _ in PEOPLE.values():
        yield {"op": "member", "guild": GUILD, "user": user, "roles": []}
    yield {"op": "member", "guild": GUILD, "user": PEOPLE["user2"][0], "roles": [HELPERS]}
    yield {"op": "member", "guild": GUILD, "user": BOT, "roles": [BOT_ROLE]}
    yield {"op": "member", "guild": GUILD, "user": OTHER_BOT, "roles": []}
    for name, channel in CHANNELS.items():
        yield {"op": "channel", "id": channel, "type": TEXT, "name": name, "guild": GUILD, "created": 1_600_000_000.0}
