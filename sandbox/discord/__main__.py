"""`python -m sandbox.discord`: a simulator in a process of its own."""

import argparse
import asyncio
import json
import signal
import sys
from pathlib import Path

from sandbox.discord.config import DEFAULT_TOKEN, SimulatorConfig
from sandbox.discord.simulator import Simulator


def main() -> None:
    """Serve until SIGTERM or SIGINT. One JSON line on standard output says when and where."""
    asyncio.run(_serve(_config()))


def _config() -> SimulatorConfig:
    parser = argparse.ArgumentParser(prog="python -m sandbox.discord", description="Discord on loopback.")
    parser.add_argument("--port", type=int, default=0, help="0 takes a free one")
    parser.add_argument("--round-trip", type=float, default=0.0, help="seconds")
    parser.add_argument("--state", type=Path, default=None, help="a journal that makes the world last")
    parser.add_argument("--token", default=DEFAULT_TOKEN, help="the bot token that is good")
    parser.add_argument("--no-message-content", action="store_true", help="refuse the Message Content intent")
    parser.add_argument("--separate-buckets", action="store_true", help="creating and editing are limited apart")
    parser.add_argument("--heartbeat", type=float, default=41.25, help="seconds")
    parser.add_argument("--nonce-window", type=float, default=180.0, help="seconds")
    parser.add_argument("--seed", type=int, default=0, help="of random faults")
    given = parser.parse_args()
    return SimulatorConfig(
        port=given.port,
        round_trip=given.round_trip,
        state=given.state,
        token=given.token,
        message_content=not given.no_message_content,
        share_bucket=not given.separate_buckets,
        heartbeat=given.heartbeat,
        nonce_window=given.nonce_window,
        seed=given.seed,
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
