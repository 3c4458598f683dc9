"""Hostile and odd files by a seed: PDFs, PNGs, JPEGs and what only claims to be one.

`odd_file(seed)` is the same on every machine with the same libraries.
`python -m tests.support.odd_files 1000 [FIRST]` puts so many through the check and prints what
they cost.
"""

from __future__ import annotations

import io
import random
import struct
import sys
import zlib
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from resource import RUSAGE_CHILDREN, getrusage
from time import monotonic
from typing import NamedTuple

from flask import Flask
from flask_babel import Babel
from PIL import Image

from clearance.files import file_inspection
from clearance.files.validation import CRASHED, BadFile, CleanFile, clean_file
from tests.support import files

Chance = random.Random
KEEP = 10 * 1024 * 1024
RECTANGLE = b"0 0 612 792 re f\n"
LATE = 400


def odd_file(seed: int) -> tuple[str, bytes]:
    """(name, bytes) of one file; neighbouring seeds give files of different kinds."""
    ending, build = BUILDERS[seed % len(BUILDERS)]
    return f"{build.__name__}.{ending}", build(Chance(seed))


# PDF


def pdf_of(objects: list[bytes], trailer: bytes = b"") -> bytes:
    """A PDF of these objects, numbered from 1, the first of them its catalogue."""
    body, places = bytearray(b"%PDF-1.7\n"), []
    for number, content in enumerate(objects, 1):
        places.append(len(body))
        body += b"%d 0 obj\n%b\nendobj\n" % (number, content)
    table = b"".join(b"%010d 00000 n \n" % place for place in places)
    start, size = len(body), len(objects) + 1
    body += b"xref\n0 %d\n0000000000 65535 f \n%b" % (size, table)
    body += b"trailer\n<</Size %d/Root 1 0 R%b>>\nstartxref\n%d\n%%%%EOF\n" % (size, trailer, start)
    return bytes(body)


def stream(content: bytes, entries: bytes = b"", packings: int = 1) -> bytes:
    """A stream object, packed so many times."""
    for _each in range(packings):
        content = zlib.compress(content, 9)
    if packings:
        entries += b"/Filter[%b]" % (b"/FlateDecode" * packings)
    return b"<<%b/Length %d>>stream\n%b\nendstream" % (entries, len(content), content)


def pdf_page(
    *more: bytes, content: bytes = b"0 0 9 9 re f", page: bytes = b"", packings: int = 1
) -> bytes:
    """A PDF of one page. more: objects from number 5 on. page: entries of the page."""
    box = b"" if b"/MediaBox" in page else b"/MediaBox[0 0 612 792]"
    box += b"" if b"/Resources" in page else b"/Resources<<>>"
    return pdf_of(
        [
            b"<</Type/Catalog/Pages 2 0 R>>",
            b"<</Type/Pages/Kids[3 0 R]/Count 1>>",
            b"<</Type/Page/Parent 2 0 R/Contents 4 0 R%b%b>>" % (box, page),
            stream(content, packings=packings),
            *more,
        ]
    )


def slow_pages(pages: int, operators: int = 3_000_000) -> bytes:
    """A PDF of pages that share one content stream of full-page rectangles."""
    kids = b" ".join(b"%d 0 R" % (4 + number) for number in range(pages))
    page = b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 612 792]/Resources<<>>/Contents 3 0 R>>"
    return pdf_of(
        [
            b"<</Type/Catalog/Pages 2 0 R>>",
            b"<</Type/Pages/Kids[%b]/Count %d>>" % (kids, pages),
            stream(RECTANGLE * operators),
            *[page] * pages,
        ]
    )


def late_slow_pages(pages: int = 1, operators: int = 300_000) -> bytes:
    """A PDF whose first LATE pages are empty: what is tried of it is light, its end is not."""
    kids = b" ".join(b"%d 0 R" % (4 + number) for number in range(LATE + pages))
    box = b"/Type/Page/Parent 2 0 R/MediaBox[0 0 612 792]/Resources<<>>"
    return pdf_of(
        [
            b"<</Type/Catalog/Pages 2 0 R>>",
            b"<</Type/Pages/Kids[%b]/Count %d>>" % (kids, LATE + pages),
            stream(RECTANGLE * operators),
            *[b"<<%b>>" % box] * LATE,
            *[b"<<%b/Contents 3 0 R>>" % box] * pages,
        ]
    )


def inner_dictionaries(count: int) -> bytes:
    """A PDF with one list of so many empty dictionaries."""
    return pdf_page(b"[" + b"<<>>" * count + b"]")


def honest_pdf(chance: Chance) -> bytes:
    return files.pdf(chance.randint(1, 12), f"Page {chance.random()}")


def rectangles(chance: Chance) -> bytes:
    return slow_pages(chance.randint(1, 12), chance.choice([100, 20_000, 300_000, 2_000_000]))


def late_page(chance: Chance) -> bytes:
    return late_slow_pages(chance.randint(1, 12), chance.choice([20_000, 300_000, 900_000]))


def nested_lists(chance: Chance) -> bytes:
    depth = chance.choice([50, 490, 600, 30_000, 1_000_000])
    opened, closed = chance.choice([(b"[", b"]"), (b"<</A ", b">>")])
    return pdf_page(opened * depth + b"1" + closed * depth)


def long_lists(chance: Chance) -> bytes:
    item = chance.choice([b"<<>>", b"<</A 1>>", b"[]", b"(a)", b"/N ", b"1 ", b"3 0 R "])
    return pdf_page(b"[" + item * chance.choice([1000, 100_000, 300_000, 900_000]) + b"]")


def many_objects(chance: Chance) -> bytes:
    thing = chance.choice([b"<<>>", b"<</A<</B 1>>/C[1 2]>>", b"[[][][]]", b"null"])
    return pdf_page(*[thing] * chance.choice([1000, 30_000, 200_000]))


ODD_VALUES = [
    *(
        b"null",
        b"true",
        b"0",
        b"-1",
        b"+.5",
        b"1.",
        b"-.0",
        b"--5",
        b"00012",
        b"1e5",
        b"99999999999",
    ),
    *(
        b"()",
        b"(a)",
        b"(\\376\\377\\000a)",
        b"<ff00fe>",
        b"<>",
        b"/N",
        b"/#00",
        b"/",
        b"[]",
        b"<<>>",
    ),
    *(b"[null 1 (a)]", b"<</S 5>>", b"<</S(JavaScript)>>", b"2 0 R", b"3 0 R", b"4 0 R", b"99 0 R"),
    *(b"<</S/GoTo/D[3 0 R/Fit]>>", b"<</S/URI/URI 5>>", b"<</S/URI/URI<80>>>", b"<</S/Named>>"),
]
ODD_KEYS = [
    *(
        b"/OpenAction",
        b"/AA",
        b"/Annots",
        b"/Contents",
        b"/Names",
        b"/AcroForm",
        b"/Outlines",
        b"/S",
    ),
    *(
        b"/Type",
        b"/Subtype",
        b"/A",
        b"/Kids",
        b"/Parent",
        b"/Resources",
        b"/Rotate",
        b"/F",
        b"/Dests",
    ),
    *(
        b"/StructTreeRoot",
        b"/Metadata",
        b"/PageLabels",
        b"/Group",
        b"/Extra",
        b"/Count",
        b"/MediaBox",
    ),
]


def odd_values(chance: Chance) -> bytes:
    """A PDF whose catalogue, page tree, page and other objects hold values of the wrong types."""

    def entries(most: int) -> bytes:
        keys = chance.sample(ODD_KEYS, chance.randint(0, most))
        return b"".join(key + b" " + chance.choice(ODD_VALUES) for key in keys)

    parts = [entries(most) for most in (3, 1, 4, 2)]
    return pdf_with(*parts, [chance.choice(ODD_VALUES) for _each in range(chance.randint(0, 5))])


def pdf_with(
    catalogue: bytes, tree: bytes, page: bytes, content: bytes, others: Iterable[bytes]
) -> bytes:
    """A PDF of one page with these entries in its dictionaries, and `others` as further objects."""
    return pdf_of(
        [
            b"<<%b/Type/Catalog/Pages 2 0 R>>" % catalogue,
            b"<<%b/Type/Pages/Kids[3 0 R]/Count 1>>" % tree,
            b"<<%b/Type/Page/Parent 2 0 R/Contents 4 0 R/MediaBox[0 0 612 792]>>" % page,
            stream(b"0 0 9 9 re f", content),
            *others,
        ]
    )


def large_dictionary(chance: Chance) -> bytes:
    count = chance.choice([1000, 100_000, 400_000])
    return pdf_page(
        b"<<" + b"".join(b"/K%d %d" % (number, number) for number in range(count)) + b">>"
    )


def unpacking(chance: Chance) -> bytes:
    return files.pdf_unpacking_to(chance.choice([1, 40, 80, 500, 1500]))


def packed_twice(chance: Chance) -> bytes:
    content = chance.choice([b" ", b"q ", b"0 g\n"]) * chance.choice([10_000, 20_000_000])
    return pdf_page(content=content, packings=chance.randint(2, 6))


def operators(chance: Chance) -> bytes:
    one = chance.choice(
        [
            *(b"q ", b"Q ", b"BT ET ", b"0 0 m 600 700 l S\n", b"/X gs ", b"W n ", b"sh "),
            *(b"1 0 0 1 0 0 cm ", b"BI /W 1 /H 1 /BPC 8 /CS /G ID a EI\n", b"(a) Tj ", b"0 0 m\n"),
            *(b"0 0 m 1 900 2 800 612 792 c S ", b"[0.001] 0 d 0 0 m 9000 9000 l S\n", b"\xff\0"),
        ]
    )
    return pdf_page(content=one * chance.choice([10, 1000, 50_000, 700_000]))


def long_path(chance: Chance) -> bytes:
    points = chance.choice([100, 20_000, 300_000])
    lines = b"".join(
        b"%d %d l\n" % (chance.randint(-900, 900), chance.randint(-900, 900))
        for _each in range(points)
    )
    return pdf_page(
        content=b"40 w 1 j 0 0 m\n" + lines + chance.choice([b"S", b"f*", b"W n", b"B"])
    )


def xref_loop(chance: Chance) -> bytes:
    body = pdf_page()
    place = int(body.rsplit(b"startxref\n", 1)[1].split()[0])
    prev = chance.choice([place, place - 1, 0, 2**31, 2**63, -1, len(body) + 9])
    key = chance.choice([b"/Prev", b"/XRefStm"])
    return body.replace(b"/Root 1 0 R", b"/Root 1 0 R%b %d" % (key, prev))


def page_loop(chance: Chance) -> bytes:
    kids = chance.choice([b"2 0 R", b"2 0 R 3 0 R", b"3 0 R " * 400, b"5 0 R", b"9 0 R", b"null"])
    tree = [
        b"<</Type/Catalog/Pages 2 0 R>>",
        b"<</Type/Pages/Kids[%b]/Count %d>>" % (kids, chance.choice([0, 1, -1, 2**31])),
        b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 9 9]/Resources<<>>>>",
        b"null",
        b"<</Type/Pages/Kids[2 0 R]/Count 1/Parent 2 0 R>>",
    ]
    return pdf_of(tree)


def deep_tree(chance: Chance) -> bytes:
    depth = chance.choice([20, 400, 5000, 60_000])
    nodes = [
        b"<</Type/Pages/Kids[%d 0 R]/Count 1/Parent %d 0 R>>" % (3 + number, 1 + number)
        for number in range(depth)
    ]
    leaf = b"<</Type/Page/Parent %d 0 R/MediaBox[0 0 9 9]/Resources<<>>>>" % (depth + 1)
    return pdf_of([b"<</Type/Catalog/Pages 2 0 R>>", *nodes, leaf])


def odd_box(chance: Chance) -> bytes:
    box = chance.choice(
        [
            *(b"0 0 1000000000 1000000000", b"0 0 1000000000 1", b"0 0 0 0", b"0 0 -612 -792"),
            *(b"612 792 0 0", b"0 0 1e9 1e9", b"a b c d", b"", b"0 0 3 14400", b"0 0 0.0001 792"),
            *(
                b"-1000000 -1000000 1000000 1000000",
                b"0 0 99999999999999999999 9",
                b"(x) [] <<>> 1",
            ),
        ]
    )
    unit = chance.choice(
        [b"", b"/UserUnit 1000000", b"/Rotate 45", b"/Rotate 90", b"/CropBox[9 9]"]
    )
    return pdf_page(page=b"/MediaBox[%b]%b" % (box, unit))


def image_inside(chance: Chance) -> bytes:
    wide, high = chance.choice([(60_000, 60_000), (20_000, 9000), (3000, 2000), (0, 5), (-5, 9)])
    bits = chance.choice([1, 8, 16])
    space = chance.choice(
        [b"/DeviceGray", b"/DeviceRGB", b"/DeviceCMYK", b"[/Indexed/DeviceRGB 1(a)]"]
    )
    packing = chance.choice(
        [b"", b"/JBIG2Decode", b"/CCITTFaxDecode", b"/DCTDecode", b"/JPXDecode"]
    )
    entries = b"/Subtype/Image/Width %d/Height %d/BitsPerComponent %d/ColorSpace%b" % (
        *(wide, high, bits),
        space,
    )
    raw = bytes(min(8_000_000, max(1, wide * high // 8)))
    held = stream(raw if not packing else chance.randbytes(9000), entries, 0 if packing else 1)
    if packing:
        held = held.replace(b"/Length", b"/Filter%b/Length" % packing)
    return pdf_page(
        held, content=b"612 0 0 792 0 0 cm /I Do " * 3, page=b"/Resources<</XObject<</I 5 0 R>>>>"
    )


def photo_inside(chance: Chance) -> bytes:
    wide, high = chance.choice([(2480, 3508), (1240, 1754), (600, 800)])
    photo = files.jpeg(wide, high)
    if chance.random() < 0.5:
        photo = flipped(photo, chance, 20)
    entries = b"/Subtype/Image/Width %d/Height %d/BitsPerComponent 8/ColorSpace/DeviceRGB" % (
        *(wide, high),
    )
    held = stream(photo, entries + b"/Filter/DCTDecode", 0)
    return pdf_page(
        held, content=b"612 0 0 792 0 0 cm /I Do", page=b"/Resources<</XObject<</I 5 0 R>>>>"
    )


def forms_in_forms(chance: Chance) -> bytes:
    depth, calls = chance.choice([(1, 2), (30, 2), (12, 3), (200, 1), (3, 90)])
    forms = []
    for number in range(depth):
        after = 5 + (number + 1 if number + 1 < depth or chance.random() < 0.5 else 0)
        head = b"/Type/XObject/Subtype/Form/BBox[0 0 612 792]/Group<</S/Transparency>>"
        head += b"/Resources<</XObject<</X %d 0 R>>>>" % after
        forms.append(stream(b"0 0 612 792 re f /X Do " * calls, head))
    return pdf_page(*forms, content=b"/X Do", page=b"/Resources<</XObject<</X 5 0 R>>>>")


def font_of_pages(chance: Chance) -> bytes:
    glyph = stream(b"1000 0 d0 /F 9 Tf (a) Tj " + RECTANGLE * chance.choice([1, 10_000]))
    font = (
        b"<</Type/Font/Subtype/Type3/FontBBox[0 0 9 9]/FontMatrix[1 0 0 1 0 0]/CharProcs<</a 6 0 R"
        b">>/Encoding<</Differences[97/a]>>/FirstChar 97/LastChar 97/Widths[9]"
        b"/Resources<</Font<</F 5 0 R>>>>>>"
    )
    text = b"BT /F 99 Tf (" + b"a" * chance.choice([1, 300, 100_000]) + b") Tj ET"
    return pdf_page(font, glyph, content=text, page=b"/Resources<</Font<</F 5 0 R>>>>")


def pattern(chance: Chance) -> bytes:
    step = chance.choice([b"0.001", b"1", b"0", b"-1", b"1e9"])
    head = (
        b"/PatternType 1/PaintType 1/TilingType 1/BBox[0 0 9 9]/XStep %b/YStep %b"
        b"/Resources<</Pattern<</P 5 0 R>>>>" % (step, step)
    )
    tile = stream(b"/Pattern cs /P scn 0 0 9 9 re f " + RECTANGLE * chance.choice([1, 5000]), head)
    return pdf_page(
        tile,
        content=b"/Pattern cs /P scn 0 0 612 792 re f",
        page=b"/Resources<</Pattern<</P 5 0 R>>>>",
    )


def shading(chance: Chance) -> bytes:
    kind = chance.randint(1, 7)
    program = b"{" + b"dup mul sin " * chance.choice([1, 1000, 60_000]) + b"}"
    function = stream(program, b"/FunctionType 4/Domain[0 1 0 1]/Range[0 1 0 1 0 1]")
    entries = (
        b"/ShadingType %d/ColorSpace/DeviceRGB/Function 6 0 R/Domain[0 1 0 1]/Coords[0 0 9 9 9 9]"
        b"/BitsPerCoordinate 8/BitsPerComponent 8/BitsPerFlag 8/Decode[0 1 0 1 0 1]"
        b"/VerticesPerRow 2/Extend[true true]" % kind
    )
    held = stream(chance.randbytes(chance.choice([9, 90_000])), entries)
    return pdf_page(
        held,
        function,
        content=b"/S sh " * chance.choice([1, 500]),
        page=b"/Resources<</Shading<</S 5 0 R>>>>",
    )


def soft_masks(chance: Chance) -> bytes:
    state = b"<</SMask<</S/Luminosity/G 6 0 R>>/BM/Luminosity/ca 0.5>>"
    head = (
        b"/Subtype/Form/BBox[0 0 612 792]/Group<</S/Transparency/CS/DeviceRGB>>"
        b"/Resources<</ExtGState<</X 5 0 R>>>>"
    )
    form = stream(b"/X gs 0 0 612 792 re f " * chance.choice([1, 300]), head)
    content = b"/X gs 0 0 612 792 re f\n" * chance.choice([1, 400])
    return pdf_page(state, form, content=content, page=b"/Resources<</ExtGState<</X 5 0 R>>>>")


def active_pdf(chance: Chance) -> bytes:
    return chance.choice(
        [
            *(files.pdf_with_javascript, files.pdf_with_launch, files.pdf_with_attachment),
            *(files.pdf_with_page_action, files.pdf_with_hidden_name, files.pdf_with_named_script),
            *(files.pdf_encrypted, files.pdf_with_archive, files.pdf_without_pages),
        ]
    )()


def updates(chance: Chance) -> bytes:
    body = pdf_page()
    for _each in range(chance.choice([2, 50, 900])):
        start = len(body)
        prev = int(body.rsplit(b"startxref\n", 1)[1].split()[0])
        body += b"4 0 obj\n<<>>\nendobj\nxref\n4 1\n%010d 00000 n \n" % start
        table = len(body) - 25 - len(b"4 1\n") + 1
        body += b"trailer\n<</Size 5/Root 1 0 R/Prev %d>>\nstartxref\n%d\n%%%%EOF\n" % (prev, table)
    return body


def hurt_pdf(chance: Chance) -> bytes:
    whole = chance.choice([files.pdf(3), pdf_page(), photo_inside(chance), shading(chance)])
    return hurt(whole, chance) + chance.choice([b"", b"\n%%EOF\n"])


# PNG


def png_of(
    size: tuple[int, int],
    depth: int = 8,
    colour: int = 2,
    rows: bytes = b"",
    before: tuple[tuple[bytes, bytes], ...] = (),
    interlaced: bool = False,
) -> bytes:
    """A PNG put together by hand. rows: packed pixels. before: (kind, content) of more chunks."""
    head = struct.pack(">IIBBBBB", *size, depth, colour, 0, 0, int(interlaced))
    chunks = [(b"IHDR", head), *before, (b"IDAT", rows), (b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(_chunk(kind, content) for kind, content in chunks)


def packed_zeros(count: int) -> bytes:
    """So many zero bytes, packed without having them all at once."""
    packer = zlib.compressobj(9)
    block = bytes(2**20)
    parts = [packer.compress(block) for _each in range(count // len(block))]
    return b"".join([*parts, packer.compress(bytes(count % len(block))), packer.flush()])


def plain_png(size: tuple[int, int], depth: int = 8, colour: int = 2) -> bytes:
    """A black PNG of this size. depth: bits a colour. colour: 0 grey, 2 RGB, 4 LA, 6 RGBA."""
    channels = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}[colour]
    row = 1 + (size[0] * channels * depth + 7) // 8
    return png_of(size, depth, colour, packed_zeros(row * size[1]))


def _chunk(kind: bytes, content: bytes) -> bytes:
    checksum = zlib.crc32(kind + content)
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", checksum)


def honest_png(chance: Chance) -> bytes:
    return files.png(chance.randint(1, 900), chance.randint(1, 900))


def large_png(chance: Chance) -> bytes:
    size = chance.choice([(8000, 4999), (6000, 4000), (40_000, 999), (1, 200_000), (9000, 9000)])
    depth, colour = chance.choice(
        [(8, 0), (8, 2), (8, 6), (16, 6), (16, 0), (16, 2), (8, 4), (1, 0)]
    )
    return plain_png(size, depth, colour)


def interlaced_png(chance: Chance) -> bytes:
    size = chance.choice([(9, 9), (3000, 3000), (6000, 6000)])
    return png_of(size, 8, 2, packed_zeros(size[0] * size[1] * 4), interlaced=True)


def claiming_png(chance: Chance) -> bytes:
    sizes = [(2**31 - 1, 2**31 - 1), (60_000, 60_000), (0, 0), (0, 9), (40_000_000, 1), (2**31, 2)]
    depth, colour = chance.choice([(8, 2), (3, 2), (16, 3), (8, 9), (1, 6)])
    return png_of(chance.choice(sizes), depth, colour, zlib.compress(b"\0" * 99))


def too_much_png(chance: Chance) -> bytes:
    return png_of((20, 20), 8, 2, packed_zeros(chance.choice([10_000, 300_000_000, 900_000_000])))


def chatty_png(chance: Chance) -> bytes:
    packed = packed_zeros(chance.choice([1000, 2_000_000, 400_000_000]))
    kind, content = chance.choice(
        [
            (b"zTXt", b"Comment\0\0" + packed),
            (b"iTXt", b"Comment\0\1\0\0\0" + packed),
            (b"iCCP", b"icc\0\0" + packed),
            (b"tEXt", b"Comment\0" + chance.randbytes(50_000)),
            (b"eXIf", chance.randbytes(5000)),
            (b"eXIf", b"MM\0*\0\0\0\x08\xff\xff" + bytes(60_000)),
            (b"tRNS", bytes(3000)),
            (b"PLTE", bytes(3 * 900)),
        ]
    )
    chunks = ((kind, content),) * chance.choice(
        [1, 3, min(2000, 20_000_000 // (len(content) + 12))]
    )
    return png_of((8, 8), 8, 2, zlib.compress(bytes(25 * 8)), chunks)


def moving_png(chance: Chance) -> bytes:
    frames = [files.photo(60 + chance.randint(0, 9), 60).resize((64, 64)) for _each in range(3)]
    out = io.BytesIO()
    frames[0].save(out, "PNG", save_all=True, append_images=frames[1:])
    data = out.getvalue()
    many = struct.pack(">II", chance.choice([3, 0, 2**31]), 0)
    place = data.index(b"acTL")
    return data[: place - 4] + _chunk(b"acTL", many) + data[place + 16 :]


def crumbs_png(chance: Chance) -> bytes:
    whole = plain_png((900, 900))
    packed = whole[whole.index(b"IDAT") + 4 : -16]
    crumbs = b"".join(_chunk(b"IDAT", bytes([each])) for each in packed)
    empty = _chunk(b"IDAT", b"") * chance.choice([0, 100_000])
    return whole[: whole.index(b"IDAT") - 4] + empty + crumbs + _chunk(b"IEND", b"")


def hurt_png(chance: Chance) -> bytes:
    return hurt(
        chance.choice([files.png(), plain_png((3000, 2000)), files.png_with_text()]), chance
    )


# JPEG


def honest_jpeg(chance: Chance) -> bytes:
    return files.jpeg(chance.randint(1, 2000), chance.randint(1, 2000))


def large_jpeg(chance: Chance) -> bytes:
    size = chance.choice([(9248, 6936), (8000, 5000), (12_000, 9000), (65_500, 1000), (1, 65_500)])
    out = io.BytesIO()
    image = Image.new(chance.choice(["L", "RGB", "CMYK"]), size, 90)
    exif = Image.Exif()
    exif[0x0112] = chance.randint(0, 9)
    image.save(out, "JPEG", quality=60, progressive=chance.random() < 0.5, exif=exif.tobytes())
    return out.getvalue()


def scans_jpeg(chance: Chance) -> bytes:
    """A progressive JPEG whose scans are said again and again."""
    out = io.BytesIO()
    side = chance.choice([64, 1000, 4000])
    Image.new("RGB", (side, side), (90, 20, 200)).save(out, "JPEG", progressive=True)
    data = out.getvalue()
    first, last = data.index(b"\xff\xda"), data.rindex(b"\xff\xda")
    end = data[last:-2]
    return data[:first] + data[first:last] + end * chance.choice([10, 1000, 9000]) + b"\xff\xd9"


def jpeg_claiming(width: int, height: int, depth: int = 8) -> bytes:
    """A JPEG whose header claims a size, and bits a colour, that its few bytes do not hold."""
    data = bytearray(files.jpeg(64, 64))
    place = data.index(b"\xff\xc0") + 4
    data[place : place + 5] = struct.pack(">BHH", depth, height, width)
    return bytes(data)


def claiming_jpeg(chance: Chance) -> bytes:
    sizes = [(65_535, 65_535), (0, 64), (64, 0), (8000, 8000), (65_500, 8)]
    return jpeg_claiming(*chance.choice(sizes), chance.choice([8, 8, 12]))


def other_colours(chance: Chance) -> bytes:
    out = io.BytesIO()
    image = files.photo(chance.randint(8, 1500), 800).convert(chance.choice(["L", "CMYK", "RGB"]))
    image.save(
        out, "JPEG", subsampling=chance.choice([0, 1, 2]), icc_profile=chance.randbytes(9000)
    )
    return out.getvalue()


def exif_jpeg(chance: Chance) -> bytes:
    count = chance.choice([1, 500, 0xFFFF])
    entry = struct.pack(
        ">HHII", chance.choice([0x0112, 0x8769, 0x8825, 0x927C]), chance.randint(0, 20), 2**30, 8
    )
    exif = b"Exif\0\0MM\0*\0\0\0\x08" + struct.pack(">H", count) + entry * min(count, 4000)
    return with_segment(files.jpeg(), b"\xe1", exif[:65_000])


def segments_jpeg(chance: Chance) -> bytes:
    kind = chance.choice([b"\xe0", b"\xe1", b"\xe2", b"\xed", b"\xee", b"\xfe", b"\xdb", b"\xc4"])
    data = files.jpeg()
    content = chance.choice([b"MPF\0", b"ICC_PROFILE\0\1\xff", b"Photoshop 3.0\0", b"Adobe\0", b""])
    content += chance.randbytes(chance.choice([0, 20, 60_000]))
    for _each in range(chance.choice([1, 60])):
        data = with_segment(data, kind, content)
    return data


def several_pictures(chance: Chance) -> bytes:
    out = io.BytesIO()
    more = [files.photo(200, 100) for _each in range(chance.choice([1, 30]))]
    files.photo(300, 300).save(out, "MPO", save_all=True, append_images=more)
    return hurt(out.getvalue(), chance) if chance.random() < 0.4 else out.getvalue()


def hurt_jpeg(chance: Chance) -> bytes:
    out = io.BytesIO()
    files.photo(1500, 1000).save(out, "JPEG", progressive=chance.random() < 0.5)
    return hurt(chance.choice([files.jpeg(), out.getvalue(), files.jpeg_with_place()]), chance)


def with_segment(data: bytes, kind: bytes, content: bytes) -> bytes:
    """A JPEG with one more segment after its beginning."""
    return data[:2] + b"\xff" + kind + struct.pack(">H", len(content) + 2) + content + data[2:]


# Anything


def flipped(data: bytes, chance: Chance, most: int) -> bytes:
    """Some bytes are others."""
    result = bytearray(data)
    for _each in range(chance.randint(1, most)):
        result[chance.randrange(len(result))] = chance.randrange(256)
    return bytes(result)


def hurt(data: bytes, chance: Chance) -> bytes:
    """The file cut, flipped, with a part gone, twice or foreign; its first bytes stay."""
    start, end = sorted(chance.sample(range(8, len(data)), 2))
    return chance.choice(
        [
            lambda: data[:end],
            lambda: data[:8] + flipped(data[8:], chance, 3),
            lambda: data[:8] + flipped(data[8:], chance, 300),
            lambda: data[:start] + data[end:],
            lambda: data[:end] + data[start:],
            lambda: data[:start] + chance.randbytes(end - start) + data[end:],
            lambda: data[:start] + bytes(end - start) + data[end:],
            lambda: data.replace(b"/Length ", b"/Length %d" % chance.randint(0, 9)),
        ]
    )()


def nothing(chance: Chance) -> bytes:
    return chance.choice(
        [b"", b"\0", b"%PDF-", b"%PDF-1.7\n%%EOF", b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff"]
    )


def noise(chance: Chance) -> bytes:
    head = chance.choice([b"", b"%PDF-1.7\n", b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff\xe0"])
    return (
        head + chance.randbytes(chance.choice([9, 900, 900_000])) + chance.choice([b"", b"%%EOF"])
    )


def gif() -> bytes:
    """A picture of a kind that is not taken."""
    out = io.BytesIO()
    files.photo(90, 90).save(out, "GIF")
    return out.getvalue()


def other_kind(chance: Chance) -> bytes:
    out = io.BytesIO()
    form = chance.choice(["GIF", "BMP", "TIFF", "WEBP", "JPEG2000", "PNG", "JPEG", "PDF", "ICO"])
    files.photo(90, 90).save(out, form)
    return chance.choice([out.getvalue(), files.HTML, out.getvalue() + files.pdf(), b"PK\x03\x04"])


_PDFS: list[Callable[[Chance], bytes]] = [
    *(honest_pdf, rectangles, late_page, nested_lists, long_lists, many_objects, large_dictionary),
    *(unpacking, packed_twice, operators, long_path, xref_loop, page_loop, deep_tree, odd_box),
    *(image_inside, photo_inside, forms_in_forms, font_of_pages, pattern, shading, soft_masks),
    *(active_pdf, odd_values, updates, hurt_pdf, hurt_pdf, nothing, noise, other_kind),
]
_PNGS: list[Callable[[Chance], bytes]] = [
    *(honest_png, large_png, large_png, interlaced_png, claiming_png, too_much_png, chatty_png),
    *(moving_png, crumbs_png, hurt_png, hurt_png, nothing, noise, other_kind),
]
_JPEGS: list[Callable[[Chance], bytes]] = [
    *(honest_jpeg, large_jpeg, large_jpeg, scans_jpeg, claiming_jpeg, other_colours, exif_jpeg),
    *(segments_jpeg, several_pictures, hurt_jpeg, hurt_jpeg, nothing, noise, other_kind),
]
BUILDERS: list[tuple[str, Callable[[Chance], bytes]]] = [
    *(("pdf", build) for build in _PDFS),
    *(("png", build) for build in _PNGS),
    *(("jpg", build) for build in _JPEGS),
]


class Judged(NamedTuple):
    """One file and what it cost. verdict: "clean" or the sentence that refuses it. processor and
    wall: seconds. resident: the most MiB that any of the processes so far has held."""

    seed: int
    name: str
    verdict: str
    processor: float
    wall: float
    resident: int


def judge(first: int, count: int) -> Iterator[Judged]:
    """Put files through the check, one after the other; whatever else than BadFile is raised comes
    out. They are built in a process of their own: one that was started by a large process would be
    counted as large itself. Callers raise `file_inspection.WALL_SECONDS` where the machine is busy.
    """
    with ProcessPoolExecutor(1, get_context("spawn")) as builder:
        for seed in range(first, first + count):
            name, data = builder.submit(odd_file, seed).result()
            before, start = getrusage(RUSAGE_CHILDREN), monotonic()
            verdict = verdict_on(name, data)
            wall, used = monotonic() - start, getrusage(RUSAGE_CHILDREN)
            processor = used.ru_utime + used.ru_stime - before.ru_utime - before.ru_stime
            yield Judged(seed, name, verdict, processor, wall, used.ru_maxrss // 1024)


def judge_apart(first: int, count: int) -> list[Judged]:
    """Judge in a separate process, so that other children, such as a browser, are not measured."""
    with ProcessPoolExecutor(1, get_context("spawn")) as apart:
        return apart.submit(_judged, first, count).result()


def _judged(first: int, count: int) -> list[Judged]:
    app = Flask(__name__)
    Babel(app)
    file_inspection.WALL_SECONDS = 60
    with app.app_context():
        return list(judge(first, count))


def verdict_on(name: str, data: bytes) -> str:
    """ "clean", or the sentence that refuses the file."""
    try:
        clean = clean_file(name, data, KEEP)
    except BadFile as refused:
        if refused.message == CRASHED:
            raise
        return str(refused.message)
    assert isinstance(clean, CleanFile) and 0 < len(clean.data) <= KEEP
    return "clean"


def main(count: int, first: int = 0) -> None:
    """Judge files and print what they cost."""
    done = _judged(first, count)
    for verdict, times in Counter(each.verdict for each in done).most_common():
        print(f"{times:6} {verdict}")
    for each in sorted(done, key=lambda each: -each.processor)[:8]:
        cost = f"{each.processor:6.2f} s of the processor, {each.wall:.2f} s of wall"
        print(f"{cost}: {each.name}, seed {each.seed}")
    total = sum(each.processor for each in done)
    print(f"{total:.0f} s of the processor in all; at most {done[-1].resident} MiB resident")


if __name__ == "__main__":
    main(*(int(argument) for argument in sys.argv[1:]))
