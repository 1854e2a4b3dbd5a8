"""`python -m tests.bench.backends`: the processor time that each backend takes for one streamed reply, in about a minute.

Each simulator is a process of its own; this process only asks and reads. A reply has 200 words in 100 deltas over 3 s; 50 are
under way at a time, each in a conversation of its own. What is counted is the processor time of this process, user and system,
over 200 replies after 50 to warm up, divided by their number. The lowest of three rounds is told, and all three.
"""

import asyncio
import json
import os
import sys
import tempfile
import time
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from subprocess import PIPE
from uuid import uuid4

from shared.backends import Backend, Delta, Prompt, Said
from shared.backends.anthropic_api import AnthropicApi, AnthropicConfig
from shared.backends.claude_web import ClaudeWeb, ClaudeWebConfig
from shared.files.blobs import Blobs

SCRIPT = {"words": 200, "deltas": 100, "seconds": 3.0}
AT_ONCE, WARM_UP, REPLIES, ROUNDS = 50, 50, 200, 3
KEY = "bench-key"


@asynccontextmanager
async def simulator(module: str, key_option: str) -> AsyncGenerator[str]:
    """A simulator in a process of its own; yields its address."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", module, key_option, KEY, "--script", json.dumps(SCRIPT), "--keep-bodies", "0", stdout=PIPE
    )
    try:
        if process.stdout is None:
            raise RuntimeError("a pipe was asked for")
        yield json.loads(await process.stdout.readline())["url"]
    finally:
        process.terminate()
        await process.wait()


async def ask(backend: Backend, count: int) -> None:
    """Ask so many questions, a number of them at a time, and read their answers to the end."""
    places = asyncio.Semaphore(AT_ONCE)

    async def one(number: int) -> None:
        prompt = Prompt(conversation=uuid4(), turn=1, attempt=1, history=(), ask=(Said("user", f"question {number}"),))
        async with places, backend.answer(prompt) as answers:
            deltas = [answer async for answer in answers if isinstance(answer, Delta)]
        if len(deltas) < 50:
            raise RuntimeError(f"only {len(deltas)} deltas came apart")

    await asyncio.gather(*(one(number) for number in range(count)))


async def measure(backend: Backend) -> list[float]:
    """Processor milliseconds per reply, of each round."""
    await ask(backend, WARM_UP)
    rounds: list[float] = []
    for _ in range(ROUNDS):
        begun = time.process_time()
        await ask(backend, REPLIES)
        rounds.append((time.process_time() - begun) * 1e3 / REPLIES)
    return rounds


async def main() -> None:
    """Measure both and say what came out."""
    with tempfile.TemporaryDirectory() as folder:
        blobs = Blobs(Path(folder))
        async with simulator("sandbox.anthropic", "--key") as url:
            api = AnthropicApi(AnthropicConfig(api_key=KEY, base_url=url), blobs)
            _say("anthropic_api", await measure(api))
            await api.aclose()
        async with simulator("sandbox.claude_web", "--session-key") as url:
            web = ClaudeWeb(ClaudeWebConfig(session_key=KEY, base_url=url), blobs)
            _say("claude_web", await measure(web))
            await web.aclose()


def _say(name: str, rounds: list[float]) -> None:
    every = ", ".join(f"{each:.1f}" for each in rounds)
    sys.stdout.write(
        f"{name}: {min(rounds):.1f} ms of processor time per reply (rounds: {every}; load {os.getloadavg()[0]:.1f})\n"
    )
    sys.stdout.flush()


if __name__ == "__main__":
    asyncio.run(main())
