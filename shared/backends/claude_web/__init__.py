"""Claude through claude.ai's web API, with one person's own account. Unofficial: see `backend.NOTE`."""

from .backend import ClaudeWeb
from .config import ClaudeWebConfig

__all__ = ["ClaudeWeb", "ClaudeWebConfig"]
