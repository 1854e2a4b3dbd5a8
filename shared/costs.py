"""What attempts have used up, put together. Pure."""

from dataclasses import replace

from shared.backends import Backend, Estimates, Prompt, Usage


def broken_off(backend: Backend, prompt: Prompt, spent: Usage | None, text: str) -> Usage | None:
    """What an attempt has used up that ended before its end: what the far side said last, with the text that came since.

    None if it is not known at all.
    """
    if not isinstance(backend, Estimates):
        return spent
    guess = backend.estimate(prompt, text)
    if spent is None:
        return guess
    if guess.output_tokens <= spent.output_tokens:
        return spent
    more = guess.output_tokens - spent.output_tokens
    return replace(
        spent,
        output_tokens=guess.output_tokens,
        cost=_plus(spent.cost, _cost_of(backend, prompt, guess, more)),
        estimated=True,
    )


def unknown(backend: Backend, prompt: Prompt) -> Usage:
    """What an attempt may have used up of which nothing is known but that it was begun."""
    return backend.estimate(prompt, "") if isinstance(backend, Estimates) else Usage(prompt.model or "", estimated=True)


def together(first: Usage | None, second: Usage | None) -> Usage | None:
    """Both in one; the model is that of the second."""
    if first is None or second is None:
        return second or first
    return Usage(
        second.model,
        first.input_tokens + second.input_tokens,
        first.output_tokens + second.output_tokens,
        first.cache_read_tokens + second.cache_read_tokens,
        first.cache_write_tokens + second.cache_write_tokens,
        _plus(first.cost, second.cost),
        first.estimated or second.estimated,
    )


def _cost_of(backend: Estimates, prompt: Prompt, guess: Usage, tokens: int) -> int | None:
    """What so many of the tokens cost that the guess has put out."""
    bare = backend.estimate(prompt, "").cost
    return None if guess.cost is None or bare is None else (guess.cost - bare) * tokens // guess.output_tokens


def _plus(first: int | None, second: int | None) -> int | None:
    return None if first is None and second is None else (first or 0) + (second or 0)
