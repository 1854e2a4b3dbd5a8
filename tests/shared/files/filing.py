"""Files as people send them, and what the model is given of them."""

import random
from io import BytesIO
from pathlib import Path

from PIL import Image, ImageOps

from shared.files.blobs import Blobs
from shared.files.material import TEXT, Material, prepare
from shared.files.unfit import Reason, Unfit


async def given(folder: Path, data: bytes, name: str = "file", media_type: str = "", most: int = TEXT) -> Material:
    """What the model is given of a file with this content."""
    blobs = Blobs(folder)
    return await prepare(blobs, await blobs.put_bytes(data), name=name, media_type=media_type, most_characters=most)


async def refused(folder: Path, data: bytes, name: str = "file", media_type: str = "") -> Reason | None:
    """Why the model is given nothing of a file with this content; None if it is given something."""
    try:
        await given(folder, data, name, media_type)
    except Unfit as unfit:
        return unfit.reason
    return None


def shown(folder: Path, material: Material) -> Image.Image:
    """The picture that the model is given."""
    with Image.open(Blobs(folder).path(material.digest)) as image:
        image.load()
        return image


def encoded(image: Image.Image, form: str, **options: object) -> bytes:
    """A picture as a file."""
    out = BytesIO()
    image.save(out, form, **options)
    return out.getvalue()


def noise(mode: str, width: int, height: int, seed: int = 1) -> Image.Image:
    """A picture that cannot be compressed."""
    size = len(Image.new(mode, (width, height)).tobytes())
    return Image.frombytes(mode, (width, height), random.Random(seed).randbytes(size))


def photograph(mode: str = "RGB", sixteenths: tuple[int, int] = (94, 78)) -> Image.Image:
    """A picture with soft changes everywhere; 16 times as wide and high as given."""
    return ImageOps.scale(noise(mode, *sixteenths), 16, Image.Resampling.BICUBIC)


def halves(mode: str = "RGB", size: tuple[int, int] = (40, 20)) -> Image.Image:
    """Red on the left, blue on the right: which way is up can be seen."""
    image = Image.new("RGB", size, "blue")
    image.paste("red", (0, 0, size[0] // 2, size[1]))
    return image if mode == "RGB" else image.convert(mode)
