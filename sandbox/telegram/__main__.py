"""`python -m sandbox.telegram`: a simulator in a process of its own."""

import asyncio

from sandbox.process import platform_parser, serve
from sandbox.telegram.config import COUNTED, DEFAULT_TOKEN, SimulatorConfig
from sandbox.telegram.simulator import Simulator


def main() -> None:
    """Serve until SIGTERM or SIGINT. One JSON line on standard output says when and where."""
    config = _config()
    asyncio.run(serve(lambda: Simulator(config), Simulator.addresses))


def _config() -> SimulatorConfig:
    parser = platform_parser("telegram", DEFAULT_TOKEN)
    parser.add_argument("--local", action="store_true", help="a local Bot API server: paths of this machine, larger files")
    parser.add_argument("--no-privacy", action="store_true", help="the bot hears everything in groups")
    parser.add_argument("--private-topics", action="store_true", help="private chats have topics")
    parser.add_argument("--no-limits", action="store_true", help="no call is refused with 429")
    parser.add_argument("--penalty", type=float, default=10.0, help="the least retry_after of a chat, seconds")
    parser.add_argument("--webhook-delay", type=float, default=1.0, help="the unit of the waits of a webhook, seconds")
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


if __name__ == "__main__":
    main()
