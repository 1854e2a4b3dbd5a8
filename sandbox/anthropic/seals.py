"""What only the API can write: signatures and ciphertexts, made so that anything changed is recognised when it returns."""

import hashlib
import hmac


def _mac(key: str, *parts: str) -> str:
    return hmac.new(key.encode(), "\0".join(parts).encode("utf-8", "surrogatepass"), hashlib.sha256).hexdigest()


def signature(shown: str, key: str, *, hidden: str = "", model: str = "") -> str:
    """Sign a thinking block by the text that it shows; the thought itself and the model go along, unreadable."""
    thought = _mac(key, "thought", hidden)[:16]
    return f"sig{_mac(key, 'thinking', shown, thought, model)}{thought}{_tag(key, model)}"


def signed(shown: str, given: str, key: str, models: tuple[str, ...]) -> str | None:
    """Return the model that a signature is from; None if it is not ours or belongs to another text."""
    if len(given) != 3 + 64 + 16 + 8:
        return None
    thought = given[67:83]
    for model in models:
        if given[83:] == _tag(key, model) and given[3:67] == _mac(key, "thinking", shown, thought, model):
            return model
    return None


def sealed(prefix: str, key: str, *parts: str) -> str:
    """Make an opaque value out of what it stands for."""
    return f"{prefix}{_mac(key, prefix, *parts)}"


def redacted(key: str, hidden: str) -> str:
    """Make the data of a redacted thinking block; `is_redacted` knows it again."""
    body = _mac(key, "hidden", hidden)
    return f"red{body}{_mac(key, 'redacted', body)[:16]}"


def is_redacted(key: str, data: str) -> bool:
    """Tell whether the data of a redacted thinking block is unchanged."""
    return data.startswith("red") and len(data) == 83 and data[67:] == _mac(key, "redacted", data[3:67])[:16]


def _tag(key: str, model: str) -> str:
    return _mac(key, "model", model)[:8]
