"""Checkers from npm that only the long tests use: installed on first use, one exact version each, into var/tools."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

from config.tests.site import ROOT

TOOLS = ROOT / "var" / "tools"


class Missing(Exception):
    """The tool cannot be had on this machine; the text says why."""


def npm_package(name: str, version: str, *needs: str) -> Path:
    """The folder of a package of npm, with what it depends on. Raises Missing, also where a needed program is."""
    for program in ("npm", *needs):
        if shutil.which(program) is None:
            raise Missing(f"{name} needs {program}, which is not installed.")
    home = TOOLS / f"{name}-{version}"
    package = home / "node_modules" / name
    if not (home / "complete").exists():
        home.mkdir(parents=True, exist_ok=True)
        command = ["npm", "install", "--prefix", str(home), "--no-audit", "--no-fund", "--ignore-scripts"]
        done = subprocess.run([*command, f"{name}@{version}"], capture_output=True, text=True, timeout=600)
        if done.returncode:
            raise Missing(f"{name} {version} could not be installed: {done.stderr.strip()[-300:]}")
        (home / "complete").touch()
    return package
