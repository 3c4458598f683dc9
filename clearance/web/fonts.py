"""Build the web fonts at installation: `python -m clearance.web.fonts OUT_DIR`."""

from __future__ import annotations

import sys
from importlib.resources import as_file, files
from pathlib import Path

from fontTools import subset

PACKAGE = "fontpkg_ibm_plex_sans_arabic"
WEIGHTS = {400: "IBMPlexSansArabic-Regular.ttf", 700: "IBMPlexSansArabic-Bold.ttf"}

# Arabic and Persian letters, marks and digits; Latin with the accents used in passports; the
# punctuation and arrows of the portal's texts.
RANGES = (
    (0x0020, 0x007E),
    (0x00A0, 0x00FF),
    (0x060C, 0x060C),
    (0x061B, 0x061B),
    (0x061F, 0x061F),
    (0x0621, 0x0656),
    (0x0660, 0x066D),
    (0x0670, 0x0671),
    (0x2010, 0x2014),
    (0x2018, 0x201E),
)
SINGLES = (
    *(0x067E, 0x0686, 0x0698, 0x06A9, 0x06AF, 0x06CC),
    *(0x200C, 0x200D, 0x200E, 0x200F, 0x2022, 0x2026, 0x2066, 0x2067, 0x2068, 0x2069),
    *(0x2190, 0x2191, 0x2192, 0x2193, 0x2195),
)
FEATURES = ["ccmp", "init", "medi", "fina", "isol", "rlig", "liga", "calt", "kern", "mark", "mkmk"]


def make_web_fonts(out_dir: Path) -> list[Path]:
    """Write both weights as woff2, subset to the characters in use; return the paths.

    The names are stable (`plex-arabic-400.woff2`), because the stylesheet refers to them. The same
    package gives the same bytes, so running it again changes nothing.
    """
    out_dir.mkdir(parents=True, exist_ok=True)
    return [_make(weight, name, out_dir) for weight, name in WEIGHTS.items()]


def characters() -> list[int]:
    """Return the code points that the fonts keep."""
    ranged = [point for first, last in RANGES for point in range(first, last + 1)]
    return sorted({*ranged, *SINGLES})


def _make(weight: int, file_name: str, out_dir: Path) -> Path:
    options = subset.Options(
        flavor="woff2",
        layout_features=[*FEATURES, "tnum"],
        hinting=False,
        desubroutinize=True,
        name_IDs=[1, 2],
        notdef_outline=True,
        recalc_timestamp=False,
        drop_tables=[*subset.Options().drop_tables, "meta"],
    )
    target = out_dir / f"plex-arabic-{weight}.woff2"
    with as_file(files(PACKAGE).joinpath("files", file_name)) as source:
        font = subset.load_font(str(source), options)
        subsetter = subset.Subsetter(options)
        subsetter.populate(unicodes=characters())
        subsetter.subset(font)
        subset.save_font(font, str(target), options)
        font.close()
    return target


def main(arguments: list[str]) -> int:
    """Run the command; the only argument is the output folder."""
    if len(arguments) != 1:
        sys.stderr.write("usage: python -m clearance.web.fonts OUT_DIR\n")
        return 2
    for path in make_web_fonts(Path(arguments[0])):
        sys.stdout.write(f"{path} {path.stat().st_size} bytes\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
