"""The files that people give."""

from typing import Any, cast, get_args

from sandbox.files import content_of
from sandbox.telegram.files import media_type
from sandbox.telegram.model import File, Json, Media
from sandbox.telegram.world import World

_DETAILS = ("width", "height", "emoji")
_SIZES = {"photo": (1280, 960), "video": (1280, 720), "video_note": (240, 240), "animation": (320, 240), "sticker": (512, 512)}
_NAMES = {"photo": "photo.jpg", "voice": "voice.ogg", "video_note": "round.mp4", "sticker": "sticker.webp"}


def attached(world: World, given: Json) -> File:
    """A file that a person gives, kept.

    It may have `kind` (document, photo, voice, audio, video, video_note, animation, sticker), `name`, `media_type`,
    `content_base64`, `size`, `width`, `height` and a sticker's `emoji`. Without content it is `size` zero bytes long. Raises
    `ValueError` for anything else.
    """
    unknown = set(given) - {"kind", "name", "media_type", "content_base64", "size", *_DETAILS}
    kind = str(given.get("kind", "document"))
    if unknown or kind not in get_args(Media):
        raise ValueError(f"a file has a kind and a name, and no {', '.join(sorted(unknown)) or kind}")
    name = str(given.get("name", _NAMES.get(kind, "file.bin")))
    size, data = content_of(given, name)
    width, height = _SIZES.get(kind, (0, 0))
    details: dict[str, Any] = {"width": width, "height": height} | {each: given[each] for each in _DETAILS if each in given}
    media = str(given.get("media_type") or media_type(name))
    file = world.add_file(cast("Media", kind), name, size, media, **details)
    if data is not None:
        world.files.keep(file.id, data)
    return file
