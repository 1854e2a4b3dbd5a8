"""Who may use what has no password: callers that name a loopback host, and no page that a browser has from elsewhere."""

from collections.abc import Mapping

from yarl import URL

LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})


def is_loopback(named: str) -> bool:
    """Whether a Host header names this machine, with a port or without."""
    return _host(f"http://{named}") in LOOPBACK


def is_from_here(headers: Mapping[str, str]) -> bool:
    """Whether a request names this machine, and, where a page asks, the page is from this machine, too."""
    return is_loopback(headers.get("Host", "")) and _host(headers.get("Origin", "http://localhost")) in LOOPBACK


def _host(address: str) -> str | None:
    try:
        return URL(address).host
    except ValueError:
        return None
