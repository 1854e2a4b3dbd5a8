"""The settings of the simulator. All have defaults."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

DEFAULT_TOKEN = "demo-token"  # noqa: S105 - the token of a simulated bot


@dataclass(frozen=True, slots=True)
class SimulatorConfig:
    """What one simulator is like. Durations are seconds; a limit is (calls, seconds)."""

    host: str = "127.0.0.1"
    port: int = 0
    """0 takes a free port."""
    round_trip: float = 0.0
    """Half is waited before a REST call takes effect and half before its answer; gateway events leave half of it late."""
    state: Path | None = None
    """The journal. A simulator started on the same file has the same world. The calls go to the same name + `.calls`."""
    token: str = DEFAULT_TOKEN
    message_content: bool = True
    """Whether the Message Content intent is granted in the developer portal."""
    members: bool = False
    """Whether the Server Members intent is granted in the developer portal."""
    heartbeat: float = 41.25
    """The heartbeat interval that HELLO names (Discord developer docs, Gateway: "heartbeat_interval": 41250 is usual)."""
    nonce_window: float = 180.0
    """How long a nonce is unique (Discord developer docs, Create Message: "in the past few minutes")."""
    channel_limit: tuple[int, float] = (5, 5.0)
    """Creating and editing messages, per channel (observed: Discord.Net issue 2375)."""
    share_bucket: bool = True
    """Whether creating and editing share one bucket. Discord does not say; shared is the stricter case."""
    delete_limit: tuple[int, float] = (5, 1.0)
    typing_limit: tuple[int, float] = (5, 5.0)
    thread_limit: tuple[int, float] = (10, 10.0)
    history_limit: tuple[int, float] = (10, 5.0)
    other_limit: tuple[int, float] = (20, 5.0)
    global_limit: tuple[int, float] = (50, 1.0)
    """All routes together (Discord developer docs, Rate Limits: 50 requests per second)."""
    webhook_limit: tuple[int, float] = (5, 2.0)
    """Answers to interactions, per token; they are not counted in `global_limit` (Discord developer docs, Receiving and
    Responding: Endpoints). Discord publishes no number; its staff named this one for webhooks (discord-api-docs issue 367)."""
    reaction_limit: tuple[int, float] = (1, 0.25)
    """Adding and removing reactions, per channel (observed: discord-api-docs issue 182)."""
    interaction_window: float = 3.0
    """How long the first answer may take (Discord developer docs, Receiving and Responding: Interaction Callback)."""
    interaction_lifetime: float = 900.0
    """How long a token is good (Discord developer docs, Receiving and Responding: Followup Messages, 15 minutes)."""
    file_lifetime: float = 86_400.0
    """How long a file's address is good. Discord says only that it expires; a day is what was announced in 2023."""
    file_limit: int = 10 * 1024 * 1024
    """Bytes of one uploaded file (Discord developer docs, Reference: Uploading Files, 10 MiB)."""
    request_limit: int = 25 * 1024 * 1024
    """Bytes of one request with files (Discord developer docs, Reference: Uploading Files, 25 MiB)."""
    old_edit_age: float = 3600.0
    """From which age on edits count in `old_edit_limit` (error 30046, Discord developer docs, JSON error codes)."""
    old_edit_limit: tuple[int, float] = (3, 20.0)
    """Edits of old messages, per channel. Discord publishes no number; circuitsacul/starboard-4 issue 118 saw this one."""
    replay: int = 5000
    """How many dispatches of a session are kept for RESUME."""
    seed: int = 0
    """The beginning of the random choices of faults."""
    clock: Callable[[], float] = time.time
    """Unix seconds: message times, the nonce window, the age of messages."""
    monotonic: Callable[[], float] = time.monotonic
    """Seconds that only grow: rate limits and the call log."""
