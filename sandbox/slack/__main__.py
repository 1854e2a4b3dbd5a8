"""`python -m sandbox.slack`: a simulator in a process of its own."""

import argparse
import asyncio
import json
import signal
import sys
from pathlib import Path

from sandbox.slack.config import DEFAULT_APP_TOKEN, DEFAULT_SECRET, DEFAULT_TOKEN, SimulatorConfig
from sandbox.slack.simulator import Simulator


def main() -> None:
    """Serve until SIGTERM or SIGINT. One JSON line on standard output says when and where."""
    asyncio.run(_serve(_config()))


def _config() -> SimulatorConfig:
    parser = argparse.ArgumentParser(prog="python -m sandbox.slack", description="Slack on loopback.")
    parser.add_argument("--port", type=int, default=0, help="0 takes a free one")
    parser.add_argument("--round-trip", type=float, default=0.0, help="seconds")
    parser.add_argument("--state", type=Path, default=None, help="a journal that makes the world last")
    parser.add_argument("--token", default=DEFAULT_TOKEN, help="the bot token that is good")
    parser.add_argument("--app-token", default=DEFAULT_APP_TOKEN, help="the app-level token that is good")
    parser.add_argument("--signing-secret", default=DEFAULT_SECRET, help="signs what is sent over HTTP")
    parser.add_argument("--request-url", default="", help="deliver over HTTP to this address, not by Socket Mode")
    parser.add_argument("--no-agent", action="store_true", help="the app is not declared an agent")
    parser.add_argument("--no-streaming", action="store_true", help="a workspace without streaming")
    parser.add_argument("--stream-lifetime", type=float, default=300.0, help="seconds")
    parser.add_argument("--ack-timeout", type=float, default=3.0, help="seconds")
    parser.add_argument("--retry-delays", type=float, nargs="*", default=[0.0, 60.0, 300.0], help="seconds")
    parser.add_argument("--seed", type=int, default=0, help="of random faults")
    given = parser.parse_args()
    return SimulatorConfig(
        port=given.port,
        round_trip=given.round_trip,
        state=given.state,
        token=given.token,
        app_token=given.app_token,
        signing_secret=given.signing_secret,
        request_url=given.request_url,
        agent=not given.no_agent,
        streaming=not given.no_streaming,
        stream_lifetime=given.stream_lifetime,
        ack_timeout=given.ack_timeout,
        retry_delays=tuple(given.retry_delays),
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
