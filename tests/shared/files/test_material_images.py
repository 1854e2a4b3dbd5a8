"""Pictures, made by Pillow, damaged by hand, and looked at again."""

import asyncio
import struct
import tempfile
import time
import warnings
import zlib
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image, ImageStat

from shared.files.blobs import Blobs
from shared.files.images import BYTES, EDGE, PIXELS, fit
from shared.files.unfit import Unfit
from tests.shared.files import filing
from tests.shared.files.filing import encoded, halves, noise, photograph, refused, shown

FORMS = ("JPEG", "PNG", "GIF", "WEBP", "BMP", "TIFF", "AVIF")
BASE64_MOST = 5_000_000
RED, BLUE = (255, 0, 0), (0, 0, 255)


def close(colour: float | tuple[int, ...] | None, expected: tuple[int, ...]) -> bool:
    return isinstance(colour, tuple) and all(abs(one - other) < 40 for one, other in zip(colour, expected, strict=True))


def chunk(name: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


def png(width: int, height: int, bits: int = 8, colour: int = 2, rows: bytes = b"", *more: bytes) -> bytes:
    """A PNG by hand, whose header may promise what it likes."""
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, bits, colour, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + header + b"".join(more) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


@pytest.mark.parametrize("form", FORMS)
async def test_every_format_becomes_one_that_the_model_takes(tmp_path: Path, form: str) -> None:
    material = await filing.given(tmp_path, encoded(halves(), form))
    assert material.kind == "image"
    assert (material.width, material.height, material.cut) == (40, 20, False)
    image = shown(tmp_path, material)
    assert Image.MIME[str(image.format)] == material.media_type
    assert image.size == (40, 20)
    assert material.size == Blobs(tmp_path).path(material.digest).stat().st_size
    assert close(image.convert("RGB").getpixel((5, 10)), RED)
    assert close(image.convert("RGB").getpixel((35, 10)), BLUE)


@pytest.mark.parametrize(("width", "height"), [(4000, 3000), (3000, 4000), (1569, 10), (9000, 1), (1568, 1568), (1, 1)])
async def test_a_large_picture_is_scaled_down_to_the_longest_edge(tmp_path: Path, width: int, height: int) -> None:
    material = await filing.given(tmp_path, encoded(Image.new("RGB", (width, height)), "PNG"))
    factor = min(1.0, EDGE / max(width, height))
    assert (material.width, material.height) == (max(1, round(width * factor)), max(1, round(height * factor)))
    assert shown(tmp_path, material).size == (material.width, material.height)


@pytest.mark.parametrize("mode", ["RGB", "RGBA", "L"])
async def test_even_what_cannot_be_compressed_fits_into_a_request(tmp_path: Path, mode: str) -> None:
    material = await filing.given(tmp_path, encoded(noise(mode, 1800, 1700), "PNG"))
    assert material.size <= BYTES
    assert 4 * -(-material.size // 3) <= BASE64_MOST


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("form", ["JPEG", "PNG", "WEBP"])
async def test_a_picture_is_shown_upright(tmp_path: Path, orientation: int, form: str) -> None:
    undo = {2: 0, 3: 3, 4: 1, 5: 5, 6: 2, 7: 6, 8: 4}
    stored = halves()
    if orientation in undo:
        stored = stored.transpose(Image.Transpose(undo[orientation]))
    exif = Image.Exif()
    exif[274] = orientation
    material = await filing.given(tmp_path, encoded(stored, form, exif=exif))
    image = shown(tmp_path, material).convert("RGB")
    assert image.size == (40, 20)
    assert close(image.getpixel((5, 10)), RED)
    assert close(image.getpixel((35, 10)), BLUE)


@pytest.mark.parametrize("form", ["JPEG", "PNG", "WEBP", "TIFF", "AVIF"])
async def test_nothing_that_the_camera_wrote_down_is_passed_on(tmp_path: Path, form: str) -> None:
    exif = Image.Exif()
    exif[271] = "SECRETMAKER"
    exif.get_ifd(0x8825)[29] = "SECRETPLACE"
    source = halves()
    source.info["comment"] = b"SECRETCOMMENT"
    data = encoded(source, form, exif=exif, icc_profile=b"SECRETPROFILE" * 20, xmp=b"<x>SECRETXMP</x>")
    assert b"SECRET" in data
    material = await filing.given(tmp_path, data)
    assert b"SECRET" not in Blobs(tmp_path).path(material.digest).read_bytes()
    assert dict(shown(tmp_path, material).getexif()) == {}


async def test_nothing_that_is_hidden_behind_a_picture_is_passed_on(tmp_path: Path) -> None:
    material = await filing.given(tmp_path, encoded(halves(), "PNG") + b"PK\x03\x04SECRET")
    assert b"SECRET" not in Blobs(tmp_path).path(material.digest).read_bytes()


@pytest.mark.parametrize("form", ["GIF", "PNG", "WEBP", "AVIF", "TIFF"])
async def test_the_first_frame_stands_for_an_animation_and_this_is_told(tmp_path: Path, form: str) -> None:
    frames = [Image.new("RGB", (30, 30), colour) for colour in ("red", "blue", "green")]
    material = await filing.given(tmp_path, encoded(frames[0], form, save_all=True, append_images=frames[1:]))
    assert material.cut
    assert close(shown(tmp_path, material).convert("RGB").getpixel((15, 15)), RED)


@pytest.mark.parametrize(
    ("mode", "form"),
    [
        *(
            ("1", "PNG"),
            ("L", "PNG"),
            ("LA", "PNG"),
            ("P", "PNG"),
            ("P", "GIF"),
            ("RGBA", "PNG"),
            ("RGBA", "WEBP"),
            ("1", "TIFF"),
        ),
        *(("CMYK", "JPEG"), ("CMYK", "TIFF"), ("L", "JPEG"), ("YCbCr", "TIFF"), ("LAB", "TIFF"), ("I;16", "PNG"), ("I", "TIFF")),
        *(("F", "TIFF"), ("I;16", "TIFF")),
    ],
)
async def test_every_way_to_write_down_colours_is_understood(tmp_path: Path, mode: str, form: str) -> None:
    grey = Image.linear_gradient("L")
    if mode == "I":
        source = grey.convert("I")
    elif mode == "I;16":
        source = Image.frombytes("I;16", (256, 256), b"".join(struct.pack("<H", each * 257) for each in grey.tobytes()))
    elif mode == "LAB":
        source = Image.merge("LAB", (grey, Image.new("L", grey.size, 128), Image.new("L", grey.size, 128)))
    else:
        source = grey.convert(mode)
    image = shown(tmp_path, await filing.given(tmp_path, encoded(source, form))).convert("L")
    top, bottom = image.getpixel((128, 10)), image.getpixel((128, 245))
    assert isinstance(top, int | float)
    assert isinstance(bottom, int | float)
    if mode != "1":
        assert top < 30
        assert bottom > 200
    assert 90 < ImageStat.Stat(image).mean[0] < 165


async def test_a_colour_picture_of_16_bits_is_understood(tmp_path: Path) -> None:
    row = b"\0" + struct.pack(">HHH", 0xFFFF, 0, 0) * 4
    material = await filing.given(tmp_path, png(4, 4, bits=16, rows=row * 4))
    assert shown(tmp_path, material).convert("RGB").getpixel((2, 2)) == RED


async def test_what_is_transparent_stays_so(tmp_path: Path) -> None:
    logo = Image.new("RGBA", (50, 50), (255, 255, 255, 0))
    logo.paste((0, 0, 0, 255), (10, 10, 20, 20))
    palette = halves().quantize(4)
    for data in (encoded(logo, "PNG"), encoded(logo, "WEBP"), encoded(palette, "PNG", transparency=0), encoded(logo, "GIF")):
        image = shown(tmp_path, await filing.given(tmp_path, data))
        assert image.mode == "RGBA"
        assert image.getchannel("A").getextrema()[0] == 0


async def test_a_picture_that_is_opaque_anyway_is_small_on_the_wire(tmp_path: Path) -> None:
    material = await filing.given(tmp_path, encoded(photograph().convert("RGBA"), "PNG"))
    assert material.media_type == "image/jpeg"
    drawing = await filing.given(tmp_path, encoded(halves("RGBA"), "PNG"))
    assert drawing.media_type == "image/png"
    assert shown(tmp_path, drawing).mode == "RGB"


@pytest.mark.parametrize(
    "bomb",
    [
        png(60_000, 60_000),
        png(8000, 8000),
        png(PIXELS + 1, 1),
        b"GIF89a" + struct.pack("<HH", 65_535, 65_535) + b"\x80\0\0" + bytes(6) + b",\0\0\0\0\1\0\1\0\0\2\2\x44\1\0;",
        b"GIF89a" + struct.pack("<HH", 1, 1) + b"\x80\0\0" + bytes(6) + b",\0\0\0\0" + b"\xff\xff\xff\xff\0\2\2\x44\1\0;",
        b"BM" + struct.pack("<IIIIiiHHIIIIII", 58, 0, 54, 40, 30_000, 30_000, 1, 24, 0, 0, 0, 0, 0, 0) + bytes(4),
        b"RIFF" + struct.pack("<I", 22) + b"WEBPVP8X" + struct.pack("<I", 10) + bytes(4) + b"\xff\x3f\0" * 2,
    ],
)
async def test_a_bomb_of_pixels_is_refused_before_it_goes_off(tmp_path: Path, bomb: bytes) -> None:
    assert await refused(tmp_path, bomb) == "pixels"


@pytest.mark.parametrize(
    ("form", "size", "reason"),
    [
        *(("PNG", (5000, 5000), None), ("PNG", (5001, 5000), "pixels"), ("WEBP", (5001, 5000), "pixels")),
        *(("JPEG", (8160, 6120), None), ("JPEG", (8160, 6200), "pixels")),
    ],
)
async def test_the_photographs_of_telephones_are_taken_and_larger_pictures_refused(
    tmp_path: Path, form: str, size: tuple[int, int], reason: str | None
) -> None:
    assert await refused(tmp_path, encoded(Image.new("L", size), form)) == reason


def test_a_bomb_is_refused_also_where_warnings_are_not_heard(tmp_path: Path) -> None:
    path = tmp_path / "bomb.png"
    path.write_bytes(png(8000, 8000))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with pytest.raises(Unfit) as refusal:
            fit(path, "PNG")
    assert refusal.value.reason == "pixels"


async def test_metadata_that_unpacks_without_end_is_refused(tmp_path: Path) -> None:
    text = chunk(b"zTXt", b"Comment\0\0" + zlib.compress(bytes(100_000_000), 9))
    assert await refused(tmp_path, png(1, 1, 8, 2, bytes(4), text)) == "broken"


async def test_a_jpeg_of_countless_passes_is_refused(tmp_path: Path) -> None:
    data = encoded(halves(), "JPEG", progressive=True)
    scan = data[data.index(b"\xff\xda") : -2]
    assert await refused(tmp_path, data[:-2] + scan * 300 + data[-2:]) == "broken"
    assert await refused(tmp_path, data) is None


@pytest.mark.parametrize("form", FORMS)
async def test_half_a_picture_is_refused_as_broken(tmp_path: Path, form: str) -> None:
    data = encoded(noise("RGB", 200, 200), form)
    assert await refused(tmp_path, data[: len(data) // 2]) == "broken"


async def test_damaged_metadata_does_not_spoil_a_picture(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[274] = 6
    data = encoded(halves(), "JPEG", exif=exif)
    at = data.index(b"Exif\0\0") + 6
    assert await refused(tmp_path, data[:at] + bytes(8) + data[at + 8 :]) is None


WHOLE = {form: encoded(noise("RGB", 24, 16), form) for form in FORMS}


@settings(max_examples=250, suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(data=st.data(), form=st.sampled_from(FORMS))
def test_a_damaged_picture_is_made_fit_or_refused_and_nothing_else_happens(data: st.DataObject, form: str) -> None:
    damaged = bytearray(WHOLE[form])
    for at in data.draw(st.lists(st.integers(0, min(len(damaged) - 1, 400)), max_size=4)):
        damaged[at] ^= 1 << data.draw(st.integers(0, 7))
    del damaged[data.draw(st.integers(0, len(damaged))) :]
    with tempfile.NamedTemporaryFile() as file:
        file.write(damaged)
        file.flush()
        try:
            picture = fit(Path(file.name), form)
        except Unfit:
            return
        assert max(picture.width, picture.height) <= EDGE
        assert len(picture.data) <= BYTES


def test_a_photograph_of_twelve_million_pixels_takes_less_than_0_3_seconds_of_a_processor(tmp_path: Path) -> None:
    path = tmp_path / "photo.jpg"
    path.write_bytes(encoded(photograph("RGB", (250, 188)), "JPEG", quality=92))
    began = time.thread_time()
    picture = fit(path, "JPEG")
    assert time.thread_time() - began < 0.3
    assert (picture.width, picture.height) == (1568, 1179)


async def test_the_loop_goes_on_while_a_picture_is_worked_on(tmp_path: Path) -> None:
    data = encoded(noise("RGB", 1500, 1500), "PNG")
    working = asyncio.create_task(filing.given(tmp_path, data))
    turns = 0
    while not working.done():
        turns += 1
        await asyncio.sleep(0)
    assert (await working).kind == "image"
    assert turns > 100
