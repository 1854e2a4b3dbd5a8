"""The platforms that the crash tests play on; `OTHER_WAYS` are further ways to hear them."""

from collections.abc import Mapping

from tests.crash.platforms.base import Platform
from tests.crash.platforms.discord import Discord
from tests.crash.platforms.slack import Slack, SlackStreams
from tests.crash.platforms.telegram import Telegram, TelegramHook

PLATFORMS: Mapping[str, type[Platform]] = {each.name: each for each in (Discord, Slack, SlackStreams, Telegram)}
OTHER_WAYS: Mapping[str, type[Platform]] = {TelegramHook.name: TelegramHook}
