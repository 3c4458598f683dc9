"""Builders of real files, good and bad, for tests of uploads."""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Callable

import pikepdf
import pillow_heif
from PIL import Image, ImageDraw

BIDI_NAME = "passport\u202egpj.exe"


def photo(
    width: int = 320, height: int = 400, colour: tuple[int, int, int] = (20, 90, 140)
) -> Image.Image:
    """A small picture with something to see."""
    image = Image.new("RGB", (width, height), colour)
    draw = ImageDraw.Draw(image)
    draw.ellipse((width // 4, height // 6, width * 3 // 4, height // 2), fill=(240, 220, 190))
    draw.rectangle((width // 5, height // 2, width * 4 // 5, height), fill=(240, 240, 240))
    return image


def jpeg(width: int = 320, height: int = 400) -> bytes:
    """A photo as JPEG."""
    return _saved(photo(width, height), "JPEG")


def png(width: int = 320, height: int = 400) -> bytes:
    """A photo as PNG."""
    return _saved(photo(width, height), "PNG")


def jpeg_with_place() -> bytes:
    """A JPEG turned by its EXIF orientation, that tells camera and place (29.37 N, 47.97 E)."""
    image = photo(400, 200)
    exif = Image.Exif()
    exif[0x0112] = 6
    exif[0x010F] = "CameraOfTheTest"
    exif.get_ifd(0x8825).update({1: "N", 2: (29.0, 22.0, 12.0), 3: "E", 4: (47.0, 58.0, 12.0)})
    return _saved(image, "JPEG", exif=exif.tobytes(), comment=b"written-by-a-test")


def png_with_text() -> bytes:
    """A PNG that carries a text chunk."""
    return _with_chunk(png(), b"tEXt", b"Comment\x00secret-in-a-chunk")


def pixel_bomb(width: int = 6400, height: int = 6407) -> bytes:
    """A PNG of some kilobytes that unpacks to more than 41 million pixels."""
    return _saved(Image.new("1", (width, height)), "PNG")


def png_claiming(width: int, height: int) -> bytes:
    """A PNG whose header claims a size that its few bytes do not hold."""
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    small = png()
    chunk = b"IHDR" + header
    return (
        small[:8]
        + struct.pack(">I", 13)
        + chunk
        + struct.pack(">I", zlib.crc32(chunk))
        + small[33:]
    )


def truncated(data: bytes, part: float = 0.6) -> bytes:
    """The first part of a file."""
    return data[: int(len(data) * part)]


def jpeg_with_html() -> bytes:
    """A JPEG that is also something else: markup and an archive's beginning after its end."""
    return jpeg() + b"<script>alert('from-a-polyglot')</script>PK\x03\x04"


def pdf(pages: int = 1, text: str = "Certificate") -> bytes:
    """A real PDF of A4 pages with a line of text on each."""
    return _pdf(lambda _: None, pages, text)


def pdf_with_javascript() -> bytes:
    """A PDF whose opening action is a script."""

    def make(document: pikepdf.Pdf) -> None:
        document.Root.OpenAction = pikepdf.Dictionary(
            S=pikepdf.Name.JavaScript, JS=pikepdf.String("app.alert('hello')")
        )

    return _pdf(make)


def pdf_with_named_script() -> bytes:
    """A PDF with a script in its name tree, packed into an object stream."""

    def make(document: pikepdf.Pdf) -> None:
        action = pikepdf.Dictionary(S=pikepdf.Name.JavaScript, JS=pikepdf.String("app.beep()"))
        tree = pikepdf.Dictionary(Names=pikepdf.Array([pikepdf.String("a"), action]))
        document.Root.Names = pikepdf.Dictionary(JavaScript=tree)

    return _pdf(make)


def pdf_with_launch() -> bytes:
    """A PDF with a link on its page that starts a program."""

    def make(document: pikepdf.Pdf) -> None:
        action = pikepdf.Dictionary(S=pikepdf.Name.Launch, F=pikepdf.String("calc.exe"))
        link = pikepdf.Dictionary(
            Type=pikepdf.Name.Annot,
            Subtype=pikepdf.Name.Link,
            Rect=pikepdf.Array([0, 0, 100, 100]),
            A=action,
        )
        document.pages[0].Annots = pikepdf.Array([link])

    return _pdf(make)


def pdf_with_attachment() -> bytes:
    """A PDF that carries another file."""

    def make(document: pikepdf.Pdf) -> None:
        document.attachments["tool.exe"] = b"MZ" + b"\x00" * 64

    return _pdf(make)


def pdf_with_page_action() -> bytes:
    """A PDF whose page does something when it is opened."""

    def make(document: pikepdf.Pdf) -> None:
        action = pikepdf.Dictionary(S=pikepdf.Name.URI, URI=pikepdf.String("http://x.example"))
        document.pages[0].AA = pikepdf.Dictionary(O=action)

    return _pdf(make)


def pdf_with_hidden_name() -> bytes:
    """A PDF with a script whose key is written in hexadecimal (/#4a#53 is /JS)."""
    body = b"%PDF-1.4\n"
    places = []
    objects = (
        b"<</Type/Catalog/Pages 2 0 R/OpenAction 4 0 R>>",
        b"<</Type/Pages/Kids[3 0 R]/Count 1>>",
        b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 100 100]>>",
        b"<</S/J#61vaScript/#4a#53(app.alert\\(1\\))>>",
    )
    for number, content in enumerate(objects, 1):
        places.append(len(body))
        body += b"%d 0 obj\n%b\nendobj\n" % (number, content)
    table = b"".join(b"%010d 00000 n \n" % place for place in places)
    return body + (
        b"xref\n0 5\n0000000000 65535 f \n%b"
        b"trailer\n<</Size 5/Root 1 0 R>>\nstartxref\n%d\n%%%%EOF\n" % (table, len(body))
    )


def pdf_strip() -> bytes:
    """A PDF whose only page is one unit wide and 14,400 high."""
    document = pikepdf.new()
    document.add_blank_page(page_size=(3, 14_400))
    result = io.BytesIO()
    document.save(result)
    return result.getvalue()


def pdf_without_pages() -> bytes:
    """A PDF with nothing in it."""
    result = io.BytesIO()
    pikepdf.new().save(result)
    return result.getvalue()


def pdf_with_bookmark_opening() -> bytes:
    """A harmless PDF that opens at its first page, as word processors make them."""

    def make(document: pikepdf.Pdf) -> None:
        document.Root.OpenAction = pikepdf.Array(
            [document.pages[0].obj, pikepdf.Name.XYZ, None, None, 1]
        )

    return _pdf(make)


def pdf_for_fast_web_view() -> bytes:
    """A PDF saved "linearized", as many programs and scanners do."""
    return _resaved(linearize=True)


def pdf_with_comment_after_end() -> bytes:
    """A PDF with a line after its end, as some print servers add."""
    return pdf() + b"% printed by a server\n"


def pdf_after_other_bytes() -> bytes:
    """A PDF whose header follows the remains of a mail or web answer."""
    return b"Content-Type: application/pdf\r\n\r\n" + pdf()


def pdf_with_wrong_places() -> bytes:
    """A PDF whose table of objects points elsewhere: an editor changed its line ends."""
    return pdf_strip().replace(b"%PDF-", b"%PDF-", 1).replace(b"endobj", b"endobj\r\n\r\n")


def pdf_opening_with(**action: object) -> bytes:
    """A PDF that does `action` when it is opened."""

    def make(document: pikepdf.Pdf) -> None:
        document.Root.OpenAction = document.make_indirect(_action(action))

    return _pdf(make)


def pdf_with_link(**action: object) -> bytes:
    """A PDF with a link on its page that does `action`."""

    def make(document: pikepdf.Pdf) -> None:
        link = pikepdf.Dictionary(
            Type=pikepdf.Name.Annot,
            Subtype=pikepdf.Name.Link,
            Rect=pikepdf.Array([0, 0, 100, 100]),
            A=_action(action),
        )
        document.pages[0].Annots = pikepdf.Array([link])

    return _pdf(make)


def pdf_of_an_outside_stream() -> bytes:
    """A PDF whose page content is in another file, named by a network path."""

    def make(document: pikepdf.Pdf) -> None:
        document.pages[0].Contents.F = pikepdf.String("\\\\server\\share\\page.txt")

    return _pdf(make)


def pdf_encrypted(password: str = "") -> bytes:
    """A PDF locked for changes ("": opens without a password) or for reading."""
    result = io.BytesIO()
    with pikepdf.open(io.BytesIO(pdf())) as document:
        document.save(result, encryption=pikepdf.Encryption(owner="owner", user=password))
    return result.getvalue()


def pdf_with_archive() -> bytes:
    """A PDF that is also an archive: another file's bytes follow its end."""
    return pdf() + b"PK\x03\x04" + b"\x00" * 200


def pdf_unpacking_to(mebibytes: int) -> bytes:
    """A small PDF with an object stream that unpacks to so many MiB."""
    packed = _packed_spaces(b"1 0 ", mebibytes)
    objects = [
        b"<</Type/Catalog/Pages 2 0 R>>",
        b"<</Type/Pages/Kids[3 0 R]/Count 1>>",
        b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 100 100]/Extra 5 0 R>>",
        b"<</Type/ObjStm/N 1/First 4/Filter/FlateDecode/Length %d>>stream\n%b\nendstream"
        % (len(packed), packed),
    ]
    body = b"%PDF-1.5\n"
    entries = [struct.pack(">BIH", 0, 0, 65535)]
    for number, content in enumerate(objects, 1):
        entries.append(struct.pack(">BIH", 1, len(body), 0))
        body += b"%d 0 obj\n%b\nendobj\n" % (number, content)
    start = len(body)
    entries.append(struct.pack(">BIH", 2, 4, 0))
    entries.append(struct.pack(">BIH", 1, start, 0))
    table = zlib.compress(b"".join(entries))
    return body + (
        b"6 0 obj\n<</Type/XRef/Size 7/W[1 4 2]/Root 1 0 R/Filter/FlateDecode/Length %d>>stream\n"
        b"%b\nendstream\nendobj\nstartxref\n%d\n%%%%EOF\n" % (len(table), table, start)
    )


def _packed_spaces(head: bytes, mebibytes: int) -> bytes:
    """`head` and so many MiB of spaces, packed: after a full flush one block can be repeated."""
    packer = zlib.compressobj(9)
    block = b" " * 2**20
    begun = packer.compress(head) + packer.flush(zlib.Z_FULL_FLUSH)
    repeated = packer.compress(block) + packer.flush(zlib.Z_FULL_FLUSH)
    checksum = zlib.adler32(head)
    for _each in range(mebibytes):
        checksum = zlib.adler32(block, checksum)
    return begun + repeated * mebibytes + b"\x03\x00" + struct.pack(">I", checksum)


HTML = b"<!doctype html><html><body><script>alert(1)</script></body></html>"


def _pdf(make: Callable[[pikepdf.Pdf], None], pages: int = 1, text: str = "Certificate") -> bytes:
    document = pikepdf.new()
    font = pikepdf.Dictionary(
        Type=pikepdf.Name.Font, Subtype=pikepdf.Name.Type1, BaseFont=pikepdf.Name.Helvetica
    )
    for number in range(1, pages + 1):
        page = document.add_blank_page(page_size=(595, 842))
        page.Resources = pikepdf.Dictionary(Font=pikepdf.Dictionary(F1=font))
        line = f"BT /F1 36 Tf 72 700 Td ({text} {number}) Tj ET"
        page.Contents = document.make_stream(line.encode("latin-1"))
    make(document)
    result = io.BytesIO()
    document.save(
        result,
        object_stream_mode=pikepdf.ObjectStreamMode.generate,
        deterministic_id=True,
    )
    return result.getvalue()


def _action(entries: dict[str, object]) -> pikepdf.Dictionary:
    kind = pikepdf.Name(f"/{entries['S']}")
    return pikepdf.Dictionary(
        S=kind, **{key: pikepdf.String(str(held)) for key, held in entries.items() if key != "S"}
    )


def _resaved(**options: object) -> bytes:
    result = io.BytesIO()
    with pikepdf.open(io.BytesIO(pdf())) as document:
        document.save(result, **options)
    return result.getvalue()


def webp(mode: str = "RGB") -> bytes:
    """A photo as WebP, with a see-through corner if `mode` is RGBA."""
    picture = photo().convert(mode)
    if mode == "RGBA":
        picture.paste((0, 0, 0, 0), (0, 0, 60, 60))
    return _saved(picture, "WEBP")


def heic(width: int = 320, height: int = 400) -> bytes:
    """A photo as an iPhone keeps it."""
    result = io.BytesIO()
    pillow_heif.from_pillow(photo(width, height)).save(result, quality=60)
    return result.getvalue()


def heic_of_10_bits(width: int, height: int) -> bytes:
    """A photo whose colours have 10 bits each, twice the memory of others."""
    result = io.BytesIO()
    black = bytes(width * height * 3 * 2)
    pillow_heif.encode(mode="RGB;16", size=(width, height), data=black, fp=result)
    return result.getvalue()


def _saved(image: Image.Image, form: str, **options: object) -> bytes:
    result = io.BytesIO()
    image.save(result, form, **options)
    return result.getvalue()


def _with_chunk(data: bytes, kind: bytes, content: bytes) -> bytes:
    """`data` (a PNG) with one more chunk after its header."""
    chunk = struct.pack(">I", len(content)) + kind + content
    chunk += struct.pack(">I", zlib.crc32(kind + content))
    return data[:33] + chunk + data[33:]
