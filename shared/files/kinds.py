"""What kind of file some bytes begin: the bytes decide, since names and declared types are only what a stranger says."""

from typing import Literal

Kind = Literal["image", "pdf", "audio", "video", "binary", "text"]
"""`text` says no more than that nothing else was recognised."""

HEAD = 4096
"""Bytes from the beginning of a file that are enough to tell its kind."""

_IMAGES: tuple[tuple[bytes, str], ...] = (
    (b"\xff\xd8\xff", "JPEG"),
    (b"\x89PNG\r\n\x1a\n", "PNG"),
    (b"GIF87a", "GIF"),
    (b"GIF89a", "GIF"),
    (b"II*\0", "TIFF"),
    (b"MM\0*", "TIFF"),
)
_AUDIO = (
    b"ID3\x02",
    b"ID3\x03",
    b"ID3\x04",
    b"fLaC",
    b"#!AMR\n",
    b"MThd\0\0\0\x06",
    b"\xff\xf1",
    b"\xff\xf9",
    b"\xff\xfb",
    b"\xff\xf3",
    b"\xff\xf2",
)
_VIDEO = (b"FLV\x01", b"\0\0\x01\xba", b"\0\0\x01\xb3", b"\x30\x26\xb2\x75\x8e\x66\xcf\x11")
_BINARY = (b"PK\x03\x04", b"PK\x05\x06", b"\x1f\x8b\x08", b"7z\xbc\xaf\x27\x1c", b"Rar!\x1a\x07", b"\x7fELF", b"\xd0\xcf\x11\xe0")
_MATROSKA = b"\x1a\x45\xdf\xa3"
_SOUND_BRANDS = (b"M4A ", b"M4B ", b"M4P ", b"F4A ")
_STILL_BRANDS = (b"avif", b"heic", b"heix", b"heim", b"heis", b"mif1", b"msf1", b"hevc", b"avis")


def kind(head: bytes, media_type: str = "") -> Kind:
    """The kind of a file that begins with `head` (its first `HEAD` bytes, or all).

    `media_type` is what was declared: it only settles whether a container that may hold either holds sound or pictures.
    """
    if image_format(head):
        return "image"
    if head.removeprefix(b"\xef\xbb\xbf").lstrip().startswith(b"%PDF-"):
        return "pdf"
    if media := _media(head, media_type):
        return media
    if head.startswith(_BINARY) or _still(head):
        return "binary"
    return "text"


def image_format(head: bytes) -> str | None:
    """Pillow's name for the image format that begins so, or None."""
    for magic, name in _IMAGES:
        if head.startswith(magic):
            return name
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return "WEBP"
    # Four bytes that are reserved tell a bitmap from a text that begins with "BM".
    if head[:2] == b"BM" and len(head) >= 18 and head[6:10] == bytes(4):
        return "BMP"
    return "AVIF" if _still(head) and b"avif" in _brands(head) else None


def _media(head: bytes, media_type: str) -> Literal["audio", "video"] | None:
    declared = "audio" if media_type.lower().startswith("audio/") else "video"
    if head.startswith(_AUDIO):
        return "audio"
    if head.startswith(_VIDEO):
        return "video"
    if head[:4] == b"RIFF":
        return "video" if head[8:12] == b"AVI " else "audio" if head[8:12] == b"WAVE" else None
    if head[:4] == b"FORM" and head[8:12] in (b"AIFF", b"AIFC"):
        return "audio"
    if head[:4] == b"OggS":
        return "video" if b"theora" in head[:128] else "audio"
    if head.startswith(_MATROSKA):
        return declared
    if head[4:8] == b"ftyp" and not _still(head):
        return "audio" if head[8:12] in _SOUND_BRANDS else declared
    return None


def _still(head: bytes) -> bool:
    """Whether this is a picture in the container that MP4 uses, too."""
    return head[4:8] == b"ftyp" and any(brand in _STILL_BRANDS for brand in _brands(head))


def _brands(head: bytes) -> list[bytes]:
    """The major brand and the compatible ones (ISO/IEC 14496-12, file type box)."""
    end = min(int.from_bytes(head[:4], "big"), len(head))
    return [head[8:12], *(head[at : at + 4] for at in range(16, end - 3, 4))]
