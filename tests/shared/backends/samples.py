"""Small files as people send them, made fit as the server does it."""

from io import BytesIO

from PIL import Image

from shared.files.blobs import Blobs
from shared.files.material import Material, prepare


async def image(blobs: Blobs, name: str, *, width: int = 8, height: int = 8, shade: int = 30) -> Material:
    """A picture of one shade."""
    data = BytesIO()
    Image.new("RGB", (width, height), (shade, shade, shade)).save(data, "PNG")
    return await prepare(blobs, await blobs.put_bytes(data.getvalue()), name=name, media_type="image/png")


async def pdf(blobs: Blobs, name: str, *, pages: int = 1, filler: int = 0) -> Material:
    """A document of empty pages, with so many bytes that nobody sees."""
    return await prepare(blobs, await blobs.put_bytes(document(pages, filler)), name=name, media_type="application/pdf")


def text_file(name: str, text: str) -> Material:
    """A text."""
    return Material("text", name, "text/plain", len(text.encode("utf-8", "replace")), text=text)


def document(pages: int, filler: int = 0) -> bytes:
    """The bytes of a PDF."""
    kids = " ".join(f"{number + 3} 0 R" for number in range(pages))
    objects = ["<< /Type /Catalog /Pages 2 0 R >>", f"<< /Type /Pages /Kids [{kids}] /Count {pages} >>"]
    objects += ["<< /Type /Page /Parent 2 0 R /MediaBox [0 0 9 9] >>"] * pages
    made, places = b"%PDF-1.4\n", list[int]()
    for number, content in enumerate(objects):
        places.append(len(made))
        made += f"{number + 1} 0 obj\n{content}\nendobj\n".encode()
    made += b"%" + b"x" * filler + b"\n" if filler else b""
    table = "".join(f"{place:010} 00000 n \n" for place in places)
    return (
        made
        + (
            f"xref\n0 {len(objects) + 1}\n0000000000 65535 f \n{table}trailer\n"
            f"<< /Size {len(objects) + 1} /Root 1 0 R >>\nstartxref\n{len(made)}\n%%EOF\n"
        ).encode()
    )
