"""Texts of the simulated model, deterministic from the prompt, and how they are cut into deltas."""

from collections.abc import Sequence
from itertools import pairwise

from sandbox.claude.script import BaseScript

_WORDS = ("thread", "river", "stone", "letter", "window", "garden", "harbour", "lantern", "copper", "field", "orchard")

_MOST_DELTAS = 200


def filler(words: int, start: str) -> str:
    """Write `words` words in sentences of twelve, numbered so that a lost piece shows; begins with `start`."""
    said = start.split()[:words]
    while len(said) < words:
        place = len(said)
        word = _WORDS[(place * 7) % len(_WORDS)]
        said.append(f"{word}{place}." if place % 12 == 11 else f"{word}{place}")
    return " ".join(said)


def text_of(script: BaseScript, prompt: str) -> str:
    """Choose the whole text of an answer to a prompt."""
    if script.text is not None:
        return script.text
    echo = f"You said: {prompt}"
    if script.words is not None:
        return filler(script.words, echo)
    if script.characters is not None:
        # A numbered word takes at least five characters with its space.
        return filler(script.characters // 5 + 1, echo)[: script.characters]
    return echo


def pieces(text: str, deltas: int | None) -> Sequence[str]:
    """Cut `text` into `deltas` pieces of nearly equal length; fewer if it has fewer characters, one at least if any."""
    if not text:
        return ()
    wanted = min(_MOST_DELTAS, max(1, len(text) // 18)) if deltas is None else deltas
    wanted = min(wanted, len(text))
    cuts = [len(text) * place // wanted for place in range(wanted + 1)]
    return [text[begin:end] for begin, end in pairwise(cuts)]
