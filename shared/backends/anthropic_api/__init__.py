"""Claude through Anthropic's Messages API. Importing it imports the SDK, which takes a second."""

from .backend import AnthropicApi
from .config import AnthropicConfig

__all__ = ["AnthropicApi", "AnthropicConfig"]
