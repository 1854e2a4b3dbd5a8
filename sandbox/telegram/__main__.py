"""`python -m sandbox.telegram`: a simulator in a process of its own."""

import argparse
import asyncio
import json
import signal
import sys
from pathlib import Path

from sandbox.telegram.config import COUNTED, DEFAULT_TOKEN, SimulatorConfig
from sandbox.telegram.simulator import Simulator


def main() -> None:
    """Serve until SIGTERM or SIGINT. One JSON line on standard output says when and where."""
    asyncio.run(_serve(_config()))


def _config() -> SimulatorConfig:
    parser = argparse.ArgumentParser(prog="python -m sandbox.telegram", description="Telegram on loopback.")
    parser.add_argument("--port", type=int, default=0, help="0 takes a free one")
    parser.add_argument("--round-trip", type=float, default=0.0, help="seconds")
    parser.add_argument("--state", type=Path, default=None, help="a journal that makes the world last")
    parser.add_argument("--token", default=DEFAULT_TOKEN, help="the token that is good")
    parser.add_argument("--local", action="store_true", help="a local Bot API server: paths of this machine, larger files")
    parser.add_argument("--no-privacy", action="store_true", help="the bot hears everything in groups")
    parser.add_argument("--private-topics", action="store_true", help="private chats have topics")
    parser.add_argument("--no-limits", action="store_true", help="no call is refused with 429")
    parser.add_argument("--penalty", type=float, default=10.0, help="the least retry_after of a chat, seconds")
    parser.add_argument("--webhook-delay", type=float, default=1.0, help="the unit of the waits of a webhook, seconds")
    parser.add_argument("--seed", type=int, default=0, help="of random faults")
    given = parser.parse_args()
    return SimulatorConfig(
        port=given.port,
        round_trip=given.round_trip,
        state=given.state,
        token=given.token,
        local_mode=given.local,
        privacy=not given.no_privacy,
        topics_in_private=given.private_topics,
        penalty=given.penalty,
        webhook_delay=given.webhook_delay,
        seed=given.seed,
        counted=frozenset() if given.no_limits else COUNTED,
    )


async def _serve(config: SimulatorConfig) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    async with Simulator(config) as simulator:
        sys.stdout.write(json.dumps(simulator.addresses()) + "\n")
        sys.stdout.flush()
        await stop.wait()


if __name__ == "__main__":
    main()
