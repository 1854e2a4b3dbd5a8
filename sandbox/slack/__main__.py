"""`python -m sandbox.slack`: a simulator in a process of its own."""

import asyncio

from sandbox.process import platform_parser, serve
from sandbox.slack.config import DEFAULT_APP_TOKEN, DEFAULT_SECRET, DEFAULT_TOKEN, SimulatorConfig
from sandbox.slack.simulator import Simulator


def main() -> None:
    """Serve until SIGTERM or SIGINT. One JSON line on standard output says when and where."""
    config = _config()
    asyncio.run(serve(lambda: Simulator(config), Simulator.addresses))


def _config() -> SimulatorConfig:
    parser = platform_parser("slack", DEFAULT_TOKEN)
    parser.add_argument("--app-token", default=DEFAULT_APP_TOKEN, help="the app-level token that is good")
    parser.add_argument("--signing-secret", default=DEFAULT_SECRET, help="signs what is sent over HTTP")
    parser.add_argument("--request-url", default="", help="deliver over HTTP to this address, not by Socket Mode")
    parser.add_argument("--no-agent", action="store_true", help="the app is not declared an agent")
    parser.add_argument("--no-streaming", action="store_true", help="a workspace without streaming")
    parser.add_argument("--stream-lifetime", type=float, default=300.0, help="seconds")
    parser.add_argument("--ack-timeout", type=float, default=3.0, help="seconds")
    parser.add_argument("--retry-delays", type=float, nargs="*", default=[0.0, 60.0, 300.0], help="seconds")
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


if __name__ == "__main__":
    main()
