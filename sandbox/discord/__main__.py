"""`python -m sandbox.discord`: a simulator in a process of its own."""

import asyncio

from sandbox.discord.config import DEFAULT_TOKEN, SimulatorConfig
from sandbox.discord.simulator import Simulator
from sandbox.process import platform_parser, serve


def main() -> None:
    """Serve until SIGTERM or SIGINT. One JSON line on standard output says when and where."""
    config = _config()
    asyncio.run(serve(lambda: Simulator(config), Simulator.addresses))


def _config() -> SimulatorConfig:
    parser = platform_parser("discord", DEFAULT_TOKEN)
    parser.add_argument("--no-message-content", action="store_true", help="refuse the Message Content intent")
    parser.add_argument("--separate-buckets", action="store_true", help="creating and editing are limited apart")
    parser.add_argument("--heartbeat", type=float, default=41.25, help="seconds")
    parser.add_argument("--nonce-window", type=float, default=180.0, help="seconds")
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


if __name__ == "__main__":
    main()
