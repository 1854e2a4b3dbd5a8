"""What the backend is told at its start."""

from dataclasses import dataclass, field

from shared.claude_web import BASE_URL, Model


@dataclass(frozen=True, slots=True, kw_only=True)
class ClaudeWebConfig:
    """How to reach claude.ai and what to ask of it. Times are seconds, sizes bytes.

    `session_key` is the cookie `sessionKey` of one's own account; `organization` a uuid, empty for the first organisation that
    can chat; `proxy` an http or https address, empty for none. `model` (an id, or opus, sonnet, haiku) holds for prompts that
    name none. `connect` is the longest time for a connection to come about, `call` for a short call, `transfer` for a file,
    `silence` without a byte of an answer. Connections are closed after `idle` seconds without a question, 0 keeps them.
    `retries` is how often a question that failed before its first word is asked again; `longest_wait` the longest wait that
    claude.ai may impose on that.

    `web_search` and `code_execution` are what the model may use; what the account itself allows goes on top. Of the files that
    code makes, `made_files` of up to `made_bytes` each are fetched.
    """

    session_key: str = field(repr=False)
    organization: str = ""
    base_url: str = BASE_URL
    proxy: str = field(default="", repr=False)
    model: str = Model.SONNET.value
    web_search: bool = False
    code_execution: bool = False
    made_files: int = 10
    made_bytes: int = 20_000_000
    connect: float = 15.0
    call: float = 30.0
    transfer: float = 300.0
    silence: float = 120.0
    idle: float = 300.0
    retries: int = 3
    longest_wait: float = 20.0
