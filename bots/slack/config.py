"""What the Slack adapter has to be told. It reads no environment; whoever builds it does."""

from dataclasses import dataclass, field
from typing import Literal


@dataclass(frozen=True, slots=True)
class SlackConfig:
    """The settings of one connection to one Slack workspace."""

    bot_token: str = field(repr=False)
    """The bot's token, "xoxb-…": secret."""
    app_token: str = field(repr=False)
    """The app-level token for Socket Mode, "xapp-…" with connections:write: secret."""
    api_url: str = ""
    """The Web API's address, as "https://slack.com/api/"; its host then serves files, too. Empty for the real Slack."""
    events: Literal["socket", "http"] = "socket"
    """How events come: by Socket Mode, or posted to `SlackAdapter.hook` over HTTP, for which `app_token` may be empty."""
    signing_secret: str = field(default="", repr=False)
    """Proves that what is posted comes from Slack: secret. Needed for "http"."""
    streams: bool = True
    """Whether replies are written bit by bit where the workspace has that; else they are posted and then updated."""
    connections: int = 2
    """Socket Mode connections at a time, 1 to 10 (docs.slack.dev, Using Socket Mode): one can be renewed while others hear."""
    survey_seconds: float = 5.0
    """How long looking for channels that are new to us may take at the start of a session: nothing is heard before."""
    settle: float = 0.05
    """Seconds that an event waits for an earlier one of its channel: connections overtake each other."""
    call_timeout: float = 30.0
    """Seconds that one HTTP request may take."""
    retry_wait: float = 0.5
    """Seconds before a failed call or connection is tried again for the first time; doubled each time, and jittered."""
    heartbeat: float = 10.0
    """Seconds between two pings on a connection; it is given up half as long after one that was not answered."""
    echo_seconds: float = 30.0
    """How long after a post of ours Slack may stay silent about it before the connections are taken for deaf."""
    left_out_wait: float = 90.0
    """Seconds after Slack has said last that it leaves out events, as it does each minute, until they are read in histories."""
    token_wait: float = 30.0
    """Seconds between two looks at whether the bot's token is still good."""
    close_timeout: float = 1.0
    """Seconds that closing a connection may take."""
