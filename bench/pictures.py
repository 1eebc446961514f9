"""What a picture costs: .venv/bin/python bench/pictures.py

Each line is a process of its own, so that its peak memory (the resident set, in MiB, less that of the same process
before its work) is its own. Prints the median of three runs in milliseconds, and how long the processors worked.

"one by one" decodes anew for each file, with Pillow's own settings, as the obvious loop does. The photographs are
noise with soft edges: times hold for photographs, sizes of files do not.
"""

from __future__ import annotations

import io
import os
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))
os.environ |= {"ENV_FILE": "", "DEBUG": "1", "DJANGO_SETTINGS_MODULE": "config.settings"}

from PIL import Image, ImageFilter  # noqa: E402

from images import cards  # noqa: E402
from images.processing import FORMATS, RENDITION_FORMATS, SHAPES, clean_picture, renditions  # noqa: E402

RUNS = 3
TITLE = "Back pain and needing to pee: 16 conditions that cause both, and when it cannot wait"


def photograph(width: int, height: int, format_: str, mode: str = "RGB", **options: bool) -> bytes:
    small = Image.effect_noise((width // 8, height // 8), 90).resize((width, height), Image.Resampling.BICUBIC)
    out = io.BytesIO()
    small.filter(ImageFilter.GaussianBlur(2)).convert(mode).save(out, format=format_, **options)
    return out.getvalue()


def one_by_one(content: bytes) -> None:
    """The same files as renditions() makes, each from the file, by Pillow's own settings."""
    for name, made in renditions(content):
        with Image.open(io.BytesIO(made)) as known:
            size = known.size
        with Image.open(io.BytesIO(content), formats=FORMATS) as source:
            shape = SHAPES.get(name.partition("-")[0])
            box = shape.box(*source.size, 500, 500) if shape else None
            resized = source.convert("RGB").resize(size, Image.Resampling.LANCZOS, box=box)
        resized.save(io.BytesIO(), format=RENDITION_FORMATS[name.rpartition(".")[2]])


JPEG, PNG = (4000, 3000, "JPEG"), (4000, 3000, "PNG")
LARGEST = (6000, 4000)
CASES: dict[str, tuple[tuple, Callable[[bytes], object]]] = {
    "renditions of a 12 megapixel JPEG": (JPEG, lambda data: list(renditions(data))),
    "  the crops alone": (JPEG, lambda data: list(renditions(data, whole=False))),
    "  the same files one by one": (JPEG, one_by_one),
    "renditions of a 12 megapixel PNG": (PNG, lambda data: list(renditions(data))),
    "upload, 24 megapixels, JPEG": ((*LARGEST, "JPEG"), lambda data: clean_picture(io.BytesIO(data))),
    "upload, 24 megapixels, WebP with transparency": (
        (*LARGEST, "WEBP", "RGBA"),
        lambda data: clean_picture(io.BytesIO(data)),
    ),
    "renditions of 24 megapixels, PNG with transparency": (
        (*LARGEST, "PNG", "RGBA"),
        lambda data: list(renditions(data)),
    ),
    "share card": ((64, 64, "JPEG"), lambda data: cards.share_card(TITLE, "Bedside")),
}


def peak() -> float:
    """The most memory that this process has had so far, in MiB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (1024 * 1024 if sys.platform == "darwin" else 1024)


def measure(name: str, file: Path) -> None:
    data = file.read_bytes()
    work = CASES[name][1]
    before = peak()
    work(data)
    memory = peak() - before
    times, busy = [], time.process_time()
    for _run in range(RUNS):
        start = time.perf_counter()
        work(data)
        times.append(time.perf_counter() - start)
    busy = (time.process_time() - busy) / RUNS
    print(f"{name:<52}{statistics.median(times) * 1000:>8.0f} ms {busy * 1000:>8.0f} ms CPU {memory:>6.0f} MiB")


def main() -> None:
    from tempfile import TemporaryDirectory

    with TemporaryDirectory() as folder:
        for name in CASES:
            for step in STEPS:  # this process stays small: a child begins with its parent's peak
                subprocess.run([sys.executable, __file__, step, name, f"{folder}/source"], check=True)


STEPS: dict[str, Callable[[str, Path], object]] = {
    "make": lambda name, file: file.write_bytes(photograph(*CASES[name][0])),
    "measure": measure,
}

if __name__ == "__main__":
    if len(sys.argv) > 3:
        STEPS[sys.argv[1]](sys.argv[2], Path(sys.argv[3]))
    else:
        main()
