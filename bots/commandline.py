"""What can be written after `threadline`."""

from collections.abc import Sequence

from pydantic import BaseModel, Field
from pydantic_settings import BaseSettings, CliPositionalArg, CliSubCommand, SettingsConfigDict, get_subcommand


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

    run: CliSubCommand[Run] = Field(description="run the server on the platforms whose tokens are set")
    demo: CliSubCommand[Demo] = Field(description="run it on simulated platforms, or write one line into a running demo")


def read(argv: Sequence[str]) -> Run | Demo | None:
    """The command that was given; None if there is none. Ends the process where help is wanted, or an argument is wrong."""
    # The checker sees only the fields; pydantic-settings' own __init__ takes the arguments as well.
    cli = Cli(_cli_parse_args=list(argv))  # pyright: ignore[reportCallIssue]  (see above)
    command = get_subcommand(cli, is_required=False, cli_exit_on_error=False)
    return command if isinstance(command, Run | Demo) else None
