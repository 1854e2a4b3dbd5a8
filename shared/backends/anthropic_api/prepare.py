"""From a prompt to a question: what is asked of which model, with which blocks and files."""

import asyncio
import base64
import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import replace

import structlog

from shared.backends import Blocks, Prompt, Said
from shared.errors import Gone
from shared.files.blobs import Blobs

from . import estimate
from .config import AnthropicConfig
from .models import Catalogue
from .options import mark, options_of
from .payload import kept_files, lines_of, messages_of
from .question import Question, betas_of

log = structlog.get_logger(__name__)

LARGE = 250_000
"""Tokens from which on a question is put into bytes beside everything else."""

REMEMBERED = 10_000
"""Answers whose blocks the API has refused that are kept in mind, so that each is refused once."""


class Preparer:
    """Makes questions. It remembers which blocks of earlier answers the API has refused: these are told as plain text."""

    def __init__(self, config: AnthropicConfig, blobs: Blobs, catalogue: Catalogue) -> None:
        self._config = config
        self._blobs = blobs
        self._catalogue = catalogue
        self._refused: dict[bytes, None] = {}
        self._told: set[tuple[str, str]] = set()

    async def question(self, prompt: Prompt) -> Question:
        """What is sent for a prompt. Raises `Unavailable` if the disk fails."""
        name = prompt.model or self._config.model
        options = options_of(self._config, prompt, name, self._catalogue.find(name), self._told)
        prompt = self._plain(prompt)
        files = any(said.files for said in (*prompt.history, *prompt.ask))
        data = await self._data(prompt) if files else dict[str, str]()
        messages = messages_of(prompt, data=data, mark=mark(self._config))
        lines = lines_of(prompt)
        native = any(said.blocks for said in lines)
        size = estimate.of_prompt(prompt, lines)
        condense = 0 < options.trigger <= 2 * size
        return Question(
            options,
            messages,
            betas_of(options, messages, condense=condense),
            native=native,
            large=bool(data) or size > LARGE,
            condense=condense,
        )

    def refuse(self, prompt: Prompt) -> None:
        """The API did not take this prompt's blocks: from now on the text of these answers has to do."""
        for said in prompt.history:
            if said.blocks:
                self._refused[_digest(said.blocks)] = None
        while len(self._refused) > REMEMBERED:
            del self._refused[next(iter(self._refused))]

    def _plain(self, prompt: Prompt) -> Prompt:
        """The prompt without the blocks that were refused before."""
        if not self._refused:
            return prompt
        return replace(prompt, history=[self._taken(said) for said in prompt.history])

    def _taken(self, said: Said) -> Said:
        refused = said.blocks is not None and _digest(said.blocks) in self._refused
        return Said(said.role, said.text, None, said.files) if refused else said

    async def _data(self, prompt: Prompt) -> Mapping[str, str]:
        """The files that are sent along, by their hash; without those that are no longer kept."""
        found: dict[str, str] = {}
        for digest in kept_files(prompt):
            try:
                content = await self._blobs.read(digest)
            except Gone as gone:
                log.warning("a file is left out of a question", detail=gone.detail)
                continue
            found[digest] = await asyncio.to_thread(_encoded, content)
        return found


def _encoded(content: bytes) -> str:
    return base64.b64encode(content).decode("ascii")


def _digest(blocks: Blocks) -> bytes:
    listed: Sequence[Mapping[str, object]] = list(blocks)
    return hashlib.sha256(json.dumps(listed, sort_keys=True).encode()).digest()
