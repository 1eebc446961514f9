"""Which Chromium the browser tests and screenshots drive. `python -m script.chromium` prints its path."""

import os
import shutil
import sys
from pathlib import Path

NAMES = ("chromium", "chromium-browser", "google-chrome-stable", "google-chrome")
NO_CHROMIUM = "No Chromium found: install the system's package chromium, or set CHROMIUM to a browser's path."

# Root, as whom containers run, is refused Chromium's sandbox; the rest keeps it from phoning home meanwhile.
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


def find_chromium() -> str | None:
    """Return the path that CHROMIUM names, else that of the system's Chromium; None where there is none."""
    if path := os.environ.get("CHROMIUM"):
        return path if Path(path).is_file() else None
    return next((path for name in NAMES if (path := shutil.which(name))), None)


if __name__ == "__main__":
    print(find_chromium() or sys.exit(NO_CHROMIUM))
