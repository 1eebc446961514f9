"""Reads every file of a folder with little memory and time, and says what became of each: see test_hostile.py."""

import json
import resource
import sys
from pathlib import Path

from django.conf import settings

settings.configure(USE_I18N=False, USE_TZ=True, TIME_ZONE="UTC")

from blog.importing.blocks import Problem, UnreadableSource  # noqa: E402
from blog.importing.readers import read_path  # noqa: E402

MEMORY = 512 * 1024 * 1024
SECONDS = 30


def peak() -> int:
    """The most memory that this process has had, in bytes."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def main(folder: Path) -> None:
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS))
    before = peak()
    for path in sorted(folder.iterdir()):
        said: dict[str, object] = {"name": path.name, "articles": 0, "problems": []}
        try:
            problems = []
            articles = 0
            for item in read_path(path):
                if isinstance(item, Problem):
                    problems.append(item.message)
                else:
                    articles += 1
                    for block in item.blocks:
                        if block.picture:
                            item.open_file(block.picture.source)
            said |= {"articles": articles, "problems": problems}
        except UnreadableSource as error:
            said["problems"] = [str(error)]
        said["memory"] = peak() - before
        sys.stdout.write(json.dumps(said) + "\n")


main(Path(sys.argv[1]))
