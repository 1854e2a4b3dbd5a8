"""The command line: `threadline run` and `threadline demo`."""

import sys

try:
    import asyncio
    from collections.abc import Sequence

    from bots.commandline import Demo, Run, read
    from shared.errors import Misconfigured
    from shared.settings import load
except KeyboardInterrupt:
    # These take a moment: Ctrl-C meanwhile is no fault to be traced.
    sys.exit(130)


def main(argv: Sequence[str] | None = None) -> int:
    """The exit status.

    0, 2 if the operator has to change something (one sentence on standard error says what), 1 if a line that was written into
    the demo got no reply, 130 if Ctrl-C came before the server was up.
    """
    try:
        command = read(sys.argv[1:] if argv is None else argv)
        match command:
            case Run():
                return asyncio.run(_run())
            case Demo():
                return asyncio.run(_demo(command))
            case _:
                print("Write `threadline run`, `threadline demo`, or `threadline --help`.", file=sys.stderr)  # noqa: T201
                return 2
    except Misconfigured as failure:
        print(f"threadline: {failure.detail}", file=sys.stderr)  # noqa: T201
        return 2
    except KeyboardInterrupt:
        return 130


async def _run() -> int:
    from bots.server import Server
    from shared.log import configure

    settings = load()
    configure(settings.log_level, settings.log_format, settings.secrets())
    await Server(settings).serve()
    return 0


async def _demo(demo: Demo) -> int:
    from bots import demo as surroundings

    settings = load()
    if demo.text:
        return await surroundings.say(settings, demo.who, demo.where, demo.text)
    if demo.unless_configured and settings.platforms():
        return await _run()
    await surroundings.serve(settings, demo.port)
    return 0


if __name__ == "__main__":
    sys.exit(main())
