"""Who may use the page: a browser on this machine that was given its address, and no other web page that is open in it."""

import hmac
from collections.abc import Awaitable, Callable
from urllib.parse import quote

from aiohttp import web
from aiohttp.typedefs import Middleware

from sandbox.loopback import is_loopback
from sandbox.page.seat import PICTURES, Blob, Refusal

_CSP = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; base-uri 'none'; "
    "form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'"
)
_HEADERS = {
    "Content-Security-Policy": _CSP,
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Cache-Control": "no-store",
}
_Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


def guarding(token: str) -> Middleware:
    """A middleware that lets through only what names a loopback host and the token, and POSTs only from the page itself."""

    @web.middleware
    async def guarded(request: web.Request, handler: _Handler) -> web.StreamResponse:
        try:
            refused = _refused(request, token)
            response = refused if refused is not None else await handler(request)
        except Refusal as refusal:
            response = web.json_response({"error": str(refusal)}, status=400)
        except web.HTTPRequestEntityTooLarge:
            response = web.json_response({"error": "That is too large: the files may have 25 MB together."}, status=413)
        except web.HTTPException as error:
            response = web.json_response({"error": error.reason}, status=error.status)
        except ValueError as error:
            response = web.json_response({"error": str(error)}, status=400)
        if not response.prepared:
            for name, value in _HEADERS.items():
                response.headers.setdefault(name, value)
        return response

    return guarded


def headers() -> dict[str, str]:
    """What every answer carries; a stream sets them itself."""
    return dict(_HEADERS)


def _refused(request: web.Request, token: str) -> web.Response | None:
    # Under a name of its own a foreign page would otherwise be of the same origin as this one (DNS rebinding).
    if not is_loopback(request.host):
        return _problem(403, "Only a loopback host may be named.")
    given = request.path.split("/")[1]
    if not hmac.compare_digest(given.encode(), token.encode()):
        return _problem(404, "Nothing is here. The address that the demo printed is longer.")
    if request.headers.get("Sec-Fetch-Site", "none") not in ("none", "same-origin"):
        return _problem(403, "Only the page itself may ask.")
    if request.method not in ("GET", "HEAD"):
        if request.headers.get("Origin") != f"http://{request.host}":
            return _problem(403, "Only the page itself may ask.")
        if request.content_type != "application/json":
            return _problem(415, "The body is JSON.")
    return None


def _problem(status: int, text: str) -> web.Response:
    return web.json_response({"error": text}, status=status)


def file_response(blob: Blob) -> web.Response:
    """A file: a picture is shown, anything else only saved, and nothing in it may run."""
    shown = blob.media_type.partition(";")[0] in PICTURES
    kind = blob.media_type.partition(";")[0] if shown else "application/octet-stream"
    how = "inline" if shown else "attachment"
    named = f"{how}; filename*=UTF-8''{quote(blob.name, safe='')}"
    more = {"Content-Disposition": named, "Content-Security-Policy": "default-src 'none'; sandbox"}
    return web.Response(body=blob.data, content_type=kind, headers=more)
