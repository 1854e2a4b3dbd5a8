"""What one simulated claude.ai is: its address, its account, its limits."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from .script import Script

API_ORGANIZATION = "a0000000-0000-4000-8000-000000000001"
CHAT_ORGANIZATION = "c0000000-0000-4000-8000-000000000002"

# Claude help center, "Upload files to Claude" (article 8241126): 500 MB per file, 20 files per chat.
LARGEST_FILE = 500 * 1024 * 1024
MOST_FILES = 20
# Clients of claude.ai on GitHub refuse documents above 10 MB before they ask for a conversion.
LARGEST_DOCUMENT = 10 * 1024 * 1024
# Assumed: no limit of a JSON request has been recorded.
LARGEST_REQUEST = 32 * 1024 * 1024

FIVE_HOURS = 5 * 3600.0


@dataclass(frozen=True, slots=True)
class Organization:
    """One organisation of the account. Only one with the capability "chat" has conversations."""

    uuid: str
    name: str
    capabilities: Sequence[str] = ("chat", "claude_pro")


# The API organisation is listed first: it occurs (captures), and a client that takes the first one is wrong then.
ORGANIZATIONS = (
    Organization(API_ORGANIZATION, "Individual", ("api", "api_individual")),
    Organization(CHAT_ORGANIZATION, "Personal"),
)


@dataclass(frozen=True, slots=True)
class Config:
    """One simulator. `port` 0 takes a free one; `session_key` is the only good value of the cookie `sessionKey`.

    `script` answers every completion that no rule matches. `models_refused` are models that the account's plan does not
    have; any other name is taken. `messages` is how many completions the account has in a window of five hours (None: no
    end). `largest_file` and `largest_document` are bytes, `most_files` files per message. With
    `uploads_need_conversation` a file for a conversation that does not exist yet is refused with 404. `keep_bodies` is
    how many of the newest request bodies stay in the log. `journal` receives one JSON line per ended call, and is read
    again at start. `seed` is for random faults, `clock` gives Unix seconds.
    """

    host: str = "127.0.0.1"
    port: int = 0
    session_key: str = "sk-ant-sid01-demo"
    organizations: Sequence[Organization] = ORGANIZATIONS
    script: Script = field(default_factory=Script)
    models_refused: frozenset[str] = frozenset()
    messages: int | None = None
    largest_file: int = LARGEST_FILE
    largest_document: int = LARGEST_DOCUMENT
    most_files: int = MOST_FILES
    uploads_need_conversation: bool = False
    keep_bodies: int = 5_000
    journal: Path | None = None
    seed: int = 0
    clock: Callable[[], float] = time.time
