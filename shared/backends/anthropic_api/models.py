"""The models that can be asked: the API's list, kept for some hours, and a table of our own until it is there.

A question never waits for the list: it is fetched beside the questions.
"""

import asyncio
import re
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import datetime
from typing import Any, cast

import structlog

from shared.backends import Model
from shared.errors import Failure, UnknownModel
from shared.log import fault

from .table import EFFORTS, TABLE, Known

log = structlog.get_logger(__name__)

FRESH = 6 * 3600.0
"""Seconds for which a list is good."""

AGAIN = 600.0
"""Seconds after which a list that could not be fetched is asked for again."""

LONGEST = 1.5
"""Seconds that the first who asks for the models is made to wait for a list: platforms wait no longer for what they offer."""

_COMPACTS = "compact_20260112"

_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:@-]{0,127}")

Object = Mapping[str, Any]


class Catalogue:
    """The models. `fetch` asks for the API's whole list, `one` for a model by its name; both raise failures of ours."""

    def __init__(
        self,
        fetch: Callable[[], Awaitable[Sequence[Object]]],
        one: Callable[[str], Awaitable[Object]],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._fetch = fetch
        self._one = one
        self._clock = clock
        self._known = TABLE
        self._also: dict[str, Known] = {}
        self._stale_at = float("-inf")
        self._asked = False
        self._task: asyncio.Task[None] | None = None

    def find(self, name: str) -> Known | None:
        """The model of an id or an alias, as far as it is known now."""
        wanted = name.strip().lower()
        for known in self._known:
            if wanted == known.model.id or (wanted == known.line and not known.retired):
                return known
        return self._also.get(wanted) or self._undated(wanted)

    def refresh(self) -> None:
        """Ask for the list beside everything else, if the one that is there is old."""
        if self._task is None and self._clock() >= self._stale_at:
            self._task = asyncio.create_task(self._load(), name="list models")

    async def models(self) -> Sequence[Model]:
        """All that can be asked, the newest first. Never fails; waits for the API's first list, but not for a newer one."""
        await self._first()
        return [known.model for known in self._known if not known.retired]

    async def model(self, name: str) -> Model:
        """The model of an id or an alias. Raises `UnknownModel`, and what asking for it raises."""
        await self._first()
        found = self.find(name)
        if found is None and not _ID.fullmatch(name.strip()):
            raise UnknownModel(f"anthropic_api: there is no model {name[:80]!a}")
        if found is None:
            # An id that the list does not show: a dated one, or a model for few.
            found = known_of(await self._one(name.strip()))
            self._also[name.strip().lower()] = found
        if found.retired:
            raise UnknownModel(f"anthropic_api: the model {found.model.id} is retired")
        return found.model

    async def aclose(self) -> None:
        """Stop asking. A later question begins again."""
        task, self._task = self._task, None
        if task is not None:
            task.cancel()
            await asyncio.wait([task])

    def _undated(self, wanted: str) -> Known | None:
        """The model of an id like claude-haiku-4-5-20251001, which names one release of it."""
        stem, _, day = wanted.rpartition("-")
        dated = len(day) == 8 and day.isdigit()
        return next((known for known in self._known if known.model.id == stem), None) if dated else None

    async def _first(self) -> None:
        self.refresh()
        if not self._asked and self._task is not None:
            await asyncio.wait([self._task], timeout=LONGEST)
            self._asked = True

    async def _load(self) -> None:
        wait = AGAIN
        try:
            found = sorted(await self._fetch(), key=_released, reverse=True)
            if found:
                self._known = tuple(known_of(each) for each in found)
                wait = FRESH
        except Failure as failure:
            log.info("the list of models could not be fetched; the last one stands in", detail=failure.detail)
        except (KeyError, TypeError, ValueError) as error:
            # A list in another shape than any that is documented.
            log.warning("the list of models could not be read; the last one stands in", fault=fault(error))
        finally:
            self._asked = True
            self._stale_at = self._clock() + wait
            self._task = None


def known_of(info: Object) -> Known:
    """A model as the API describes it (anthropic 2.10.0, types/model_info.py); what it does not say is as in the table."""
    name = str(info["id"])
    table = next((known for known in TABLE if known.model.id == name), None)
    usual = table.model if table is not None else Model(name, name, 200_000, 32_000)
    can = _object(info.get("capabilities"))
    effort = _object(can.get("effort"))
    types = _object(_object(can.get("thinking")).get("types"))
    retires = info.get("retires_at")
    model = Model(
        id=name,
        name=str(info.get("display_name") or usual.name),
        window=_positive(info.get("max_input_tokens"), usual.window),
        output=_positive(info.get("max_tokens"), usual.output),
        efforts=tuple(level for level in EFFORTS if _has(effort, level)) if can else usual.efforts,
        condenses=_has(_object(can.get("context_management")), _COMPACTS) if can else usual.condenses,
        retires=datetime.fromisoformat(str(retires)).date() if retires else None,
    )
    thinking = tuple(kind for kind in types if _has(types, kind)) if can else table.thinking if table else ()
    line = info.get("line")
    return Known(model, str(line) if line else None, thinking, retired=info.get("lifecycle") == "retired")


def _released(info: Object) -> str:
    return str(info.get("created_at") or "")


def _has(abilities: Object, name: str) -> bool:
    return _object(abilities.get(name)).get("supported") is True


def _positive(value: object, usual: int) -> int:
    return value if isinstance(value, int) and value > 0 else usual


def _object(value: object) -> Object:
    return cast(Object, value) if isinstance(value, dict) else {}
