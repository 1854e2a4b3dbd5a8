"""The world a simulator starts with: one workspace, five channels, five people, the bot and another one."""

from collections.abc import Iterator

from sandbox.slack.model import Json

TEAM, DOMAIN, TEAM_NAME = "T0SANDBOX01", "threadline-lab", "Threadline Lab"
OTHER_TEAM = "T0ELSEWHERE"
"""The workspace of `guest`, who comes by Slack Connect."""
APP = "A0THREADLIN"
BOT, BOT_ID = "U0THREADLIN", "B0THREADLIN"
OTHER_BOT, OTHER_BOT_ID = "U0OTHERBOT1", "B0OTHERBOT1"
PEOPLE = {f"user{n}": (f"U0PERSON00{n}", display) for n, display in enumerate(("Ada", "Ben", "Chloe", "Deniz", "Emeka"), 1)}
GUEST = "U0GUEST0001"
CHANNELS = {"general": "C0GENERAL01", "random": "C0RANDOM001", "support": "C0SUPPORT01", "lounge": "C0LOUNGE001"}
"""The bot is not in `lounge`."""
PRIVATE = {"backroom": "C0BACKROOM1"}
"""Private; the bot is not in it."""
CREATED = 1_600_000_000.0


def changes() -> Iterator[Json]:
    """The changes that make the default world. The ids are the same each time."""
    for name, (user, display) in PEOPLE.items():
        yield {"op": "user", "id": user, "name": name, "display": display, "team": TEAM}
    yield {"op": "user", "id": GUEST, "name": "guest", "display": "Guest", "team": OTHER_TEAM}
    yield {"op": "user", "id": BOT, "name": "threadline", "display": "Threadline", "bot_id": BOT_ID, "team": TEAM}
    yield {"op": "user", "id": OTHER_BOT, "name": "otherbot", "display": "Other Bot", "bot_id": OTHER_BOT_ID, "team": TEAM}
    people = [user for user, _ in PEOPLE.values()]
    for name, channel in CHANNELS.items():
        members = [*people, OTHER_BOT, *([] if name == "lounge" else [BOT])]
        yield {"op": "channel", "id": channel, "kind": "channel", "name": name, "created": CREATED, "members": members}
    for name, channel in PRIVATE.items():
        yield {"op": "channel", "id": channel, "kind": "group", "name": name, "created": CREATED, "members": people}
