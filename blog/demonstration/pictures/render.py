#!/usr/bin/env python3
"""Draw each SVG of this folder as a PNG of 1600 by 900 pixels with a small palette.

Run it by hand after changing a drawing: ``python blog/demonstration/pictures/render.py [name ...]``.
It needs Pillow and a Chromium; CHROMIUM names one that is not in the PATH.
"""

import os
import shutil
import subprocess
import sys
import tempfile
from collections import Counter
from pathlib import Path

from PIL import Image

FOLDER = Path(__file__).resolve().parent
WIDTH, HEIGHT = 1600, 900
FLAT_COLOURS = 24
EDGE_COLOURS = 72
LARGEST = 60 * 1024


def chromium() -> str:
    """Return the path of a Chromium; raise SystemExit where there is none."""
    names = [os.environ.get("CHROMIUM", ""), "chromium", "chromium-browser", "google-chrome"]
    for name in names:
        found = shutil.which(name) if name else None
        if found:
            return found
    raise SystemExit("No Chromium found: install one or name it in CHROMIUM.")


def in_few_colours(exact: Image.Image) -> Image.Image:
    """Return a palette image of a flat drawing.

    The most frequent colours, the flat ones, are kept exactly: a median cut alone would mix the small
    red point with what surrounds it. The median cut adds the shades in between, which keep edges smooth.
    """
    raw = exact.tobytes()
    pixels = [raw[i : i + 3] for i in range(0, len(raw), 3)]
    counts = Counter(pixels)
    kept = [colour for colour, _count in counts.most_common(FLAT_COLOURS)]
    edges = bytes(exact.quantize(EDGE_COLOURS, method=Image.Quantize.MEDIANCUT).getpalette() or [])
    kept += [edges[i : i + 3] for i in range(0, 3 * EDGE_COLOURS, 3)]

    def nearest(colour: bytes) -> int:
        distances = [sum((a - b) ** 2 for a, b in zip(colour, one, strict=True)) for one in kept]
        return distances.index(min(distances))

    index = {colour: nearest(colour) for colour in counts}
    small = Image.frombytes("P", exact.size, bytes(index[colour] for colour in pixels))
    small.putpalette(b"".join(kept))
    return small


def render(drawing: Path, browser: str) -> int:
    """Write the PNG beside an SVG and return its size in bytes; raise SystemExit if it is too large."""
    target = drawing.with_suffix(".png")
    with tempfile.TemporaryDirectory() as scratch:
        shot = Path(scratch) / "shot.png"
        page = Path(scratch) / "page.html"
        # An <img> in a page of its own gives exact pixels, whatever the window's own margins are.
        page.write_text(
            f'<body style="margin:0"><img src="{drawing.as_uri()}" width="{WIDTH}" height="{HEIGHT}"'
            ' style="display:block">',
            encoding="utf-8",
        )
        command = [
            browser,
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            "--disable-quic",
            "--no-first-run",
            "--disable-background-networking",
            "--disable-component-update",
            "--disable-sync",
            "--hide-scrollbars",
            "--force-device-scale-factor=1",
            "--force-color-profile=srgb",
            f"--user-data-dir={scratch}/profile",
            f"--window-size={WIDTH},{HEIGHT + 200}",
            f"--screenshot={shot}",
            page.as_uri(),
        ]
        subprocess.run(command, check=True, capture_output=True, timeout=120)
        with Image.open(shot) as image:
            exact = image.convert("RGB").crop((0, 0, WIDTH, HEIGHT))
    in_few_colours(exact).save(target, optimize=True)
    size = target.stat().st_size
    if size > LARGEST:
        raise SystemExit(f"{target.name} has {size} bytes, more than {LARGEST}: simplify the drawing.")
    return size


def main(names: list[str]) -> None:
    """Render the named drawings, or all of them."""
    browser = chromium()
    drawings = [FOLDER / f"{name}.svg" for name in names] or sorted(FOLDER.glob("*.svg"))
    for drawing in drawings:
        sys.stdout.write(f"{drawing.stem}: {render(drawing, browser)} bytes\n")


if __name__ == "__main__":
    main(sys.argv[1:])
