"""The command line: `threadline run` and `threadline demo`."""

import sys

try:
    import asyncio
    from collections.abc import Sequence

    from pydantic import BaseModel, Field
    from pydantic_settings import BaseSettings, CliPositionalArg, CliSubCommand, SettingsConfigDict, get_subcommand

    from shared.errors import Misconfigured
    from shared.settings import load
except KeyboardInterrupt:
    # These take a moment: Ctrl-C meanwhile is no fault to be traced.
    sys.exit(130)


class Run(BaseModel):
    """Run the server on the platforms whose tokens are set."""


class Demo(BaseModel):
    """Run the whole server on simulated platforms, or write one line into a running demo and read the reply."""

    text: CliPositionalArg[str] = Field(default="", description="a line to write into a running demo")
    who: str = Field(default="user1", alias="as", description="who writes it")
    where: str = Field(default="general", alias="in", description="a channel, a thread's title, or direct")
    port: int = Field(
        default=0, ge=0, le=65_535, description="where the page is; 0 takes the port of the last time, or a free one"
    )
    unless_configured: bool = Field(default=False, description="if a platform's token is set, run on the real platform instead")


class Cli(BaseSettings):
    """Threadline: a chat-bot server that answers with Claude."""

    # The prefix keeps variables that happen to be named RUN or DEMO out of the command line.
    model_config = SettingsConfigDict(
        cli_prog_name="threadline", cli_implicit_flags=True, cli_kebab_case=True, env_prefix="THREADLINE_CLI_"
    )

    run: CliSubCommand[Run]
    demo: CliSubCommand[Demo]


def main(argv: Sequence[str] | None = None) -> int:
    """The exit status.

    0, 2 if the operator has to change something (one sentence on standard error says what), 1 if a line that was written into
    the demo got no reply, 130 if Ctrl-C came before the server was up.
    """
    # The checker sees only the fields; pydantic-settings' own __init__ takes the arguments as well.
    cli = Cli(_cli_parse_args=list(sys.argv[1:] if argv is None else argv))  # pyright: ignore[reportCallIssue]  (see above)
    command = get_subcommand(cli, is_required=False, cli_exit_on_error=False)
    try:
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
