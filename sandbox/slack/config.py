"""The settings of the simulator. All have defaults."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

DEFAULT_TOKEN = "xoxb-demo-token"  # noqa: S105 - the token of a simulated bot
DEFAULT_APP_TOKEN = "xapp-demo-token"  # noqa: S105 - the app-level token of a simulated app
DEFAULT_SECRET = "demo-signing-secret"  # noqa: S105 - the signing secret of a simulated app

SCOPES = (
    "app_mentions:read",
    "assistant:write",
    "channels:history",
    "channels:join",
    "channels:read",
    "chat:write",
    "commands",
    "files:read",
    "files:write",
    "groups:history",
    "groups:read",
    "im:history",
    "im:read",
    "im:write",
    "mpim:history",
    "mpim:read",
    "reactions:read",
    "reactions:write",
    "users:read",
)
"""What the bot token may do. `Control.set_scopes` takes some away."""

SUBSCRIPTIONS = (
    "agent_session_stopped",
    "app_home_opened",
    "app_mention",
    "channel_archive",
    "channel_deleted",
    "member_joined_channel",
    "member_left_channel",
    "message.channels",
    "message.groups",
    "message.im",
    "message.mpim",
    "reaction_added",
    "reaction_removed",
)
"""The events of the app's manifest."""

COMMANDS = ("/ask", "/threadline")
"""The slash commands of the app's manifest."""


@dataclass(frozen=True, slots=True)
class SimulatorConfig:
    """What one simulator is like. Durations are seconds; a limit is (calls, seconds)."""

    host: str = "127.0.0.1"
    port: int = 0
    """0 takes a free port."""
    round_trip: float = 0.0
    """Half is waited before a call takes effect and half before its answer; events leave half of it late."""
    state: Path | None = None
    """The journal. A simulator started on the same file has the same world. The calls go to the same name + `.calls`."""
    token: str = DEFAULT_TOKEN
    app_token: str = DEFAULT_APP_TOKEN
    signing_secret: str = DEFAULT_SECRET
    request_url: str = ""
    """Where events are posted over HTTP. Empty means Socket Mode."""
    scopes: tuple[str, ...] = SCOPES
    subscriptions: tuple[str, ...] = SUBSCRIPTIONS
    commands: tuple[str, ...] = COMMANDS
    agent: bool = True
    """Whether the app is declared an agent (docs.slack.dev, Agent sessions)."""
    agent_sessions: bool = True
    """Whether the workspace has agent sessions (agents.sessions.setStatus: feature_disabled)."""
    streaming: bool = True
    """Whether the workspace has streaming. Without it chat.startStream is refused as `unknown_method`; Slack documents no
    error for that, and this is what a workspace answers that does not know a method."""
    messages_tab: bool = True
    """Whether the app has a messages tab; without it writing to direct chats is refused (messages_tab_disabled)."""
    home_tab: bool = True
    """Whether the app has a home tab (views.publish: not_enabled)."""
    ack_timeout: float = 3.0
    """How long an envelope or an HTTP delivery may stay unanswered (docs.slack.dev, Events API: respond within 3 seconds)."""
    retry_delays: tuple[float, ...] = (0.0, 60.0, 300.0)
    """When a failed event is delivered again (docs.slack.dev, Events API, Retries: nearly at once, after 1 and 5 minutes)."""
    connections: int = 10
    """Socket Mode connections at a time (docs.slack.dev, Using Socket Mode: up to 10)."""
    socket_ping: float = 30.0
    """How often the server pings a socket. Slack documents no number."""
    mention_first: bool = True
    """Whether app_mention leaves before the message event of the same text. Slack promises no order."""
    stream_lifetime: float = 300.0
    """How long a stream may be appended to, from its start (observed: python-slack-sdk issue 1859, vercel/chat issue 637)."""
    stream_characters: int = 12_000
    """What a streamed message holds (observed: CopilotKit issue 6064, 11,977 of 15,668 characters arrived)."""
    stream_bytes: int = 10_600
    """The same in UTF-8 (observed: openclaw issue 143882, 10.6 to 11.3 kB with task cards; the least of it, for all)."""
    response_uses: int = 5
    response_lifetime: float = 1800.0
    """How often and how long a response_url is good (docs.slack.dev, Handling user interaction: 5 times in 30 minutes)."""
    status_lifetime: float = 120.0
    """How long a status shows (assistant.threads.setStatus: "a two minute timeout applies")."""
    share_delay: float = 0.0
    """How long after files.completeUploadExternal the message with the file appears; it is never part of the answer."""
    file_limit: int = 1024 * 1024 * 1024
    """Bytes of one uploaded file (slack.com/help, Add files to Slack: 1 GB)."""
    tier1: tuple[int, float] = (1, 60.0)
    tier2: tuple[int, float] = (20, 60.0)
    tier3: tuple[int, float] = (50, 60.0)
    tier4: tuple[int, float] = (100, 60.0)
    """The tiers, per workspace and method (docs.slack.dev, Rate limits)."""
    post_limit: tuple[int, float] = (1, 1.0)
    """chat.postMessage, per channel (docs.slack.dev, Rate limits: one message per second; short bursts that Slack lets
    through at times are refused here)."""
    team_post_limit: tuple[int, float] = (300, 60.0)
    """chat.postMessage, per workspace (docs.slack.dev, Rate limits: "several hundred messages per minute")."""
    special_limit: tuple[int, float] = (600, 60.0)
    """Methods with a limit of their own that Slack does not publish ("hundreds of requests per minute")."""
    seed: int = 0
    """The beginning of the random choices of faults."""
    clock: Callable[[], float] = time.time
    """Unix seconds: message times, the life of streams, statuses and response_urls, the signature's timestamp."""
    monotonic: Callable[[], float] = time.monotonic
    """Seconds that only grow: rate limits and the call log."""
