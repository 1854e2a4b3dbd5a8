"""Pictures made fit for a model: upright, of a size that it sees whole, small on the wire, and without what they tell of people.

Every picture is encoded anew. So nothing of its metadata stays (a camera writes the place into it), nothing is hidden behind it,
and the same picture always gives the same bytes.
"""

import threading
import warnings
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import BinaryIO, Literal

from PIL import (
    AvifImagePlugin,
    BmpImagePlugin,
    GifImagePlugin,
    Image,
    JpegImagePlugin,
    PngImagePlugin,
    TiffImagePlugin,
    WebPImagePlugin,
)

from shared.files.unfit import Unfit

PHOTO_PIXELS = 50_000_000
"""Most pixels of a JPEG: what telephones take. It is decoded at a half of its size or less."""

PIXELS = 25_000_000
"""Most pixels of any other picture: 100 MB in memory, up to five times over while it is worked on."""

EDGE = 1568
"""Longest edge in pixels; a larger picture is scaled down on arrival (Anthropic documentation, Vision)."""

BYTES = 3_750_000
"""Most bytes of a fit picture: 5 MB once it is in base64 (Anthropic documentation, Vision)."""

LOSSLESS = 1_000_000
"""Bytes up to which a drawing or a screenshot is left free of compression marks; it is sent again with every later turn."""

_LARGE = 12_000_000
"""Pixels above which only one picture is decoded at a time."""

_SCANS = 500
"""Passes of one JPEG: each takes as long as the whole picture however few bytes it has, and cameras write about ten."""

_TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
"""What brings a picture upright, by its orientation (Exif 2.3, tag 274)."""

_PLUGINS = (AvifImagePlugin, BmpImagePlugin, GifImagePlugin, JpegImagePlugin, PngImagePlugin, TiffImagePlugin, WebPImagePlugin)
"""Imported so that these formats are known; Pillow would otherwise load every format that it has."""

_one_large = threading.Lock()

# Pillow only warns up to twice this number (Pillow documentation, "Decompression bomb"), and frames of a GIF come past `_fit`.
Image.MAX_IMAGE_PIXELS = PHOTO_PIXELS
warnings.filterwarnings("ignore", category=UserWarning, module=r"PIL\.")
warnings.filterwarnings("error", category=Image.DecompressionBombWarning)

ImageType = Literal["image/jpeg", "image/png", "image/webp"]


@dataclass(frozen=True, slots=True)
class Picture:
    """A fit picture. `first` says that the file holds more than one and this is the first: an animation, or several pages."""

    data: bytes
    media_type: ImageType
    width: int
    height: int
    first: bool


def fit(path: Path, form: str) -> Picture:
    """The picture in a file of this format (Pillow's name for it). Takes up to a second of a processor.

    Raises `Unfit` ("broken", "pixels", or "size") and `OSError` if the file cannot be opened.
    """
    with path.open("rb") as file:
        try:
            return _fit(file, form)
        except Unfit:
            raise
        except (Image.DecompressionBombError, Image.DecompressionBombWarning, MemoryError) as error:
            raise Unfit("pixels") from error
        except Exception as error:
            # A decoder raises whatever a damaged file makes it stumble over, of any class.
            raise Unfit("broken") from error


def _fit(file: BinaryIO, form: str) -> Picture:
    if form == "JPEG":
        _count_scans(file)
    with Image.open(file, formats=[form]) as image:
        width, height = image.size
        if width * height > (PHOTO_PIXELS if form == "JPEG" else PIXELS):
            raise Unfit("pixels")
        first = form != "JPEG" and _several(image)
        size = _within(width, height)
        # A JPEG is decoded at a half, a quarter or an eighth of its size in a fraction of the time.
        image.draft(None, size)
        if image.width * image.height > _LARGE:
            with _one_large:
                small = _small(image, size)
        else:
            small = _small(image, size)
        upright = _upright(small, _orientation(image))
    data, media_type = _encode(upright, lossless=form in ("PNG", "GIF", "BMP", "TIFF"))
    return Picture(data, media_type, upright.width, upright.height, first)


def _count_scans(file: BinaryIO) -> None:
    scans = file.read().count(b"\xff\xda")
    file.seek(0)
    if scans > _SCANS:
        raise Unfit("broken")


def _several(image: Image.Image) -> bool:
    try:
        return bool(getattr(image, "is_animated", False))
    except Exception:
        # Whatever is wrong behind the first picture, that one may be whole.
        return False


def _within(width: int, height: int) -> tuple[int, int]:
    factor = min(1.0, EDGE / max(width, height))
    return max(1, round(width * factor)), max(1, round(height * factor))


def _small(image: Image.Image, size: tuple[int, int]) -> Image.Image:
    plain = _plain(image)
    if plain.size == size:
        return plain
    return plain.resize(size, Image.Resampling.LANCZOS, reducing_gap=2.0)  # pyright: ignore[reportUnknownMemberType]  names NumPy's types


def _plain(image: Image.Image) -> Image.Image:
    """The picture in grey or colours, with transparency only where it has some."""
    image.load()
    if image.mode in ("I", "F") or image.mode.startswith("I;"):
        return _grey(image)
    if image.has_transparency_data:
        return image.convert("RGBA")
    return image.convert("L" if image.mode in ("1", "L") else "RGB")


def _grey(image: Image.Image) -> Image.Image:
    """More than 256 shades, brought down to as many: 16 bits by their own range, others by the range that the picture uses."""
    low, high = (0.0, 65535.0) if image.mode.startswith("I;") else _range(image)
    wide = image if image.mode == "F" else image.convert("I").convert("F")
    factor = 255.0 / (high - low) if high > low else 0.0
    scaled = wide.point(lambda shade: shade * factor - low * factor)  # pyright: ignore[reportUnknownMemberType]  names NumPy's types
    return scaled.convert("L")


def _range(image: Image.Image) -> tuple[float, float]:
    low, high = image.getextrema()
    if isinstance(low, tuple) or isinstance(high, tuple):
        raise ValueError("more than one band")
    return float(low), float(high)


def _orientation(image: Image.Image) -> int:
    try:
        return int(image.getexif().get(274, 1))
    except Exception:
        # Damaged metadata is no reason to refuse a picture that could be decoded.
        return 1


def _upright(image: Image.Image, orientation: int) -> Image.Image:
    turn = _TURNS.get(orientation)
    return image if turn is None else image.transpose(turn)


def _encode(image: Image.Image, *, lossless: bool) -> tuple[bytes, ImageType]:
    if image.mode == "RGBA" and image.getchannel("A").getextrema() == (255, 255):
        image = image.convert("RGB")
    # What the file said about itself (comments, colour profiles) would be written again.
    image.info = {}
    clear = image.mode == "RGBA"
    if lossless or clear:
        data = _save(image, "PNG")
        if len(data) <= LOSSLESS:
            return data, "image/png"
    for quality in (90, 75, 50):
        data = _save(image, "WEBP", quality=quality, alpha_quality=quality) if clear else _save(image, "JPEG", quality=quality)
        if len(data) <= BYTES:
            return data, "image/webp" if clear else "image/jpeg"
    raise Unfit("size")


def _save(image: Image.Image, form: str, **options: int) -> bytes:
    out = BytesIO()
    image.save(out, form, **options)
    return out.getvalue()
