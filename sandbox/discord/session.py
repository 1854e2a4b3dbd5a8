"""Gateway sessions, and the sockets that carry them for a while."""

import asyncio
import json
import uuid
import zlib
from collections import deque
from collections.abc import Callable

from aiohttp import WSCloseCode, web

from sandbox.discord.model import Json

Sent = Callable[[], None]


class Link:
    """One socket. Frames leave in order, each `delay()` seconds after it was handed over."""

    def __init__(self, socket: web.WebSocketResponse, request: web.Request, *, packed: bool, delay: Callable[[], float]) -> None:
        self.socket = socket
        self.session: Session | None = None
        self.zombie = False
        """A zombie stays open and says nothing any more, not even acknowledgements of heartbeats."""
        self.closed_here = False
        self._request = request
        self._delay = delay
        self._deflate = zlib.compressobj(1) if packed else None
        self._frames: asyncio.Queue[tuple[float, str | int, Sent | None]] = asyncio.Queue()

    def send(self, frame: str, sent: Sent | None = None) -> None:
        """Hand a frame over to be sent; `sent` is called when it is handed to the connection."""
        if not self.zombie:
            self._frames.put_nowait((asyncio.get_running_loop().time() + self._delay(), frame, sent))

    def close(self, code: int) -> None:
        """Close the socket with this code, after what was handed over before."""
        self.closed_here = True
        self._frames.put_nowait((asyncio.get_running_loop().time() + self._delay(), code, None))

    def cut(self) -> None:
        """Abort the connection without a close frame."""
        self.closed_here = True
        if self._request.transport is not None:
            self._request.transport.abort()

    async def write(self) -> None:
        """Send what is handed over, until the socket is closed."""
        loop = asyncio.get_running_loop()
        while True:
            due, frame, sent = await self._frames.get()
            if due > loop.time():
                await asyncio.sleep(due - loop.time())
            if isinstance(frame, int):
                await self.socket.close(code=frame)
                return
            if sent is not None:
                sent()
            try:
                if self._deflate is None:
                    await self.socket.send_str(frame)
                else:
                    # One stream for the whole connection, flushed after each frame (Discord developer docs,
                    # Gateway: Transport Compression).
                    packed = self._deflate.compress(frame.encode()) + self._deflate.flush(zlib.Z_SYNC_FLUSH)
                    await self.socket.send_bytes(packed)
            except ConnectionError:
                return  # the reading side notices the loss and cleans up


class Session:
    """What one IDENTIFY began: numbered dispatches, kept for RESUME while no socket carries them."""

    def __init__(self, intents: int, keep: int) -> None:
        self.id = uuid.uuid4().hex
        self.intents = intents
        self.sequence = 0
        self.link: Link | None = None
        self._kept: deque[tuple[int, str]] = deque(maxlen=keep)

    def dispatch(self, name: str, data: str, sent: Sent | None = None) -> None:
        """Number an event (`data` is JSON text), keep it, and send it when there is a socket; see `Link.send` for `sent`."""
        self.sequence += 1
        frame = f'{{"op":0,"t":"{name}","s":{self.sequence},"d":{data}}}'
        self._kept.append((self.sequence, frame))
        if self.link is not None:
            self.link.send(frame, sent)

    def missed(self, sequence: int) -> list[str] | None:
        """The frames after `sequence`; None when they are no longer all there, or were never sent."""
        if sequence > self.sequence or sequence < 0:
            return None
        if sequence < self.sequence and (not self._kept or self._kept[0][0] > sequence + 1):
            return None
        return [frame for number, frame in self._kept if number > sequence]


def control_frame(op: int, data: object = None) -> str:
    """A frame that is not a dispatch (Discord developer docs, Gateway Opcodes)."""
    return json.dumps({"op": op, "d": data, "s": None, "t": None})


def dumped(data: Json) -> str:
    """JSON text without needless spaces."""
    return json.dumps(data, separators=(",", ":"))


GOING_AWAY = int(WSCloseCode.GOING_AWAY)
