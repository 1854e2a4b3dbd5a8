"""What the Discord adapter has to be told. It reads no environment; whoever builds it does."""

from dataclasses import dataclass, field
from typing import Literal

MessageContent = Literal["on", "auto", "off"]
AnswerIn = Literal["thread", "channel"]
ArchiveMinutes = Literal[60, 1440, 4320, 10080]


@dataclass(frozen=True, slots=True)
class DiscordConfig:
    """The settings of one connection to Discord."""

    token: str = field(repr=False)
    """The bot's token: secret."""
    api_url: str = ""
    """The REST address up to and with the version, as "https://discord.com/api/v10"; empty for the real Discord."""
    gateway_url: str = ""
    """The gateway's WebSocket address; empty for the real Discord."""
    files_url: str = ""
    """An address whose host serves files besides Discord's own, where it is not the real Discord; empty for the real one."""
    message_content: MessageContent = "auto"
    """Whether to ask for the Message Content intent: "on" demands it, "auto" goes on without it where it is not granted."""
    answer_in: AnswerIn = "thread"
    """Whether a mention in a server's text channel is answered in a thread on it or in the channel, as a reply."""
    thread_archive: ArchiveMinutes = 1440
    """After how many quiet minutes Discord archives a thread (Discord developer docs, Start Thread from Message)."""
    roles: bool = True
    """Whether anyone asks for the roles of a message's author: in the history each costs a call."""
    identify_spacing: float = 5.0
    """Seconds between two IDENTIFYs at least (Discord developer docs, Gateway: one per 5 seconds at max_concurrency 1)."""
    call_timeout: float = 15.0
    """Seconds that one HTTP request may be on the wire without an answer."""
    retry_wait: float = 0.5
    """Seconds before a failed call is repeated for the first time; doubled each time, and jittered."""
    menu_wait: float = 5.0
    """Seconds before registering the commands is tried again for the first time; doubled each time, and jittered."""
    close_timeout: float = 2.0
    """Seconds that closing the connection may take."""
