"""An asynchronous client of claude.ai's web API, on aiohttp alone.

Unofficial: that API is undocumented and may change on any day, and Anthropic's consumer terms allow automated access to
claude.ai only where they say so. Use it with your own account, at your own risk. It does not pass itself off as a browser,
and does not try to get past a bot check.
"""

from .breaker import Breaker
from .chat import ChatSession
from .client import ClaudeClient
from .constants import BASE_URL, ROOT_PARENT, Model
from .errors import (
    APIError,
    AuthenticationError,
    BlockedError,
    BrokenOffError,
    ClaudeWebAPIError,
    ConversationBusyError,
    ConversationNotFoundError,
    FileDownloadError,
    FileUploadError,
    NetworkError,
    NotInitialisedError,
    OverloadedError,
    PermissionDeniedError,
    ProtocolError,
    QuotaExceededError,
    TimeoutError,  # noqa: A004 - the name is part of the interface
)
from .files import File, FileInput, UploadedFile
from .log import set_log_level
from .models import Candidate, MessageLimit, Metadata, ModelOutput, TurnIds
from .payload import Place, TextAttachment
from .sse import EventParser, ServerSentEvent
from .transport import Timeouts
from .tree import ConversationTree, Message

__all__ = [
    "BASE_URL",
    "ROOT_PARENT",
    "APIError",
    "AuthenticationError",
    "BlockedError",
    "Breaker",
    "BrokenOffError",
    "Candidate",
    "ChatSession",
    "ClaudeClient",
    "ClaudeWebAPIError",
    "ConversationBusyError",
    "ConversationNotFoundError",
    "ConversationTree",
    "EventParser",
    "File",
    "FileDownloadError",
    "FileInput",
    "FileUploadError",
    "Message",
    "MessageLimit",
    "Metadata",
    "Model",
    "ModelOutput",
    "NetworkError",
    "NotInitialisedError",
    "OverloadedError",
    "PermissionDeniedError",
    "Place",
    "ProtocolError",
    "QuotaExceededError",
    "ServerSentEvent",
    "TextAttachment",
    "TimeoutError",
    "Timeouts",
    "TurnIds",
    "UploadedFile",
    "set_log_level",
]
