"""The manifest asks for what the adapter uses, and for nothing else."""

import re
from pathlib import Path

from bots.slack.adapter import NEEDED, WANTED
from bots.slack.interactions import ALL, ASK
from shared.commands import COMMANDS

TEXT = (Path(__file__).parents[3] / "deploy" / "slack-manifest.yaml").read_text(encoding="utf-8")


def listed(name: str) -> set[str]:
    """The list below a name."""
    found = re.search(rf"^( *){name}:\n((?:\1 +- .*\n)+)", TEXT, re.MULTILINE)
    assert found is not None
    return {line.strip().removeprefix("- ") for line in found[2].splitlines()}


def test_the_scopes_are_those_that_are_looked_for_at_the_start() -> None:
    assert listed("bot") == NEEDED | WANTED


def test_the_commands_are_those_that_are_understood() -> None:
    assert set(re.findall(r"command: (\S+)", TEXT)) == {ASK, ALL}
    hint = re.search(r'usage_hint: "(help .*)"', TEXT)
    assert hint is not None
    assert set(hint[1].split(" | ")) == {spec.name for spec in COMMANDS} - {"ask"}


def test_the_events_are_there_that_the_answers_need() -> None:
    assert listed("bot_events") >= {"app_mention", "message.channels", "message.groups", "message.im", "message.mpim"}
    assert "socket_mode_enabled: true" in TEXT
