"""A web application that is served on one port of this machine."""

from typing import Any

from aiohttp import web


class Site:
    """Where an application is served, from `start` to `stop`."""

    def __init__(self, host: str, port: int) -> None:
        """A `port` of 0 takes a free one, which `port` and `url` tell once it is served."""
        self.host = host
        self.port = port
        self._asked = port
        self._runner: web.AppRunner | None = None

    async def start(self, app: web.Application, **options: Any) -> None:
        """Serve an application. `options` are those of aiohttp's AppRunner."""
        runner = web.AppRunner(app, access_log=None, **options)
        await runner.setup()
        await web.TCPSite(runner, self.host, self._asked).start()
        self.port = int(runner.addresses[0][1])
        self._runner = runner

    async def stop(self) -> None:
        """End the connections and let go of the port. It may not have been served."""
        if self._runner is not None:
            await self._runner.cleanup()

    @property
    def address(self) -> str:
        """Host and port, as in a URL."""
        return f"{self.host}:{self.port}"

    @property
    def url(self) -> str:
        """The address as a URL without a path."""
        return f"http://{self.address}"
