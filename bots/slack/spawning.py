"""Tasks of a group that may be ending."""

import asyncio
from collections.abc import Coroutine
from typing import Any


def spawn(tasks: asyncio.TaskGroup, work: Coroutine[Any, Any, object], name: str) -> bool:
    """Begin a task in the group; False where the group is ending, which takes no tasks any more (asyncio/taskgroups.py)."""
    try:
        tasks.create_task(work, name=name)
    except RuntimeError:
        work.close()
        return False
    return True
