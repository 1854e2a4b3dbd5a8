"""Who may use what has no password: callers that name a loopback host."""

from yarl import URL

LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})


def is_loopback(named: str) -> bool:
    """Whether a Host header names this machine, with a port or without."""
    try:
        return URL(f"http://{named}").host in LOOPBACK
    except ValueError:
        return False
