"""The rooms of the house and who may import whom: config → newsletter → blog → conditions → publishing → images."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.apps import apps
from django.conf import settings

ROOT = Path(settings.BASE_DIR)
ORDER = ["config", "newsletter", "blog", "conditions", "publishing", "images"]
ALLOWED = {room: set(ORDER[index:]) for index, room in enumerate(ORDER)} | {
    "config": {*ORDER, "operations"},
    "operations": {"operations"},
}
# The page cache reads the number that says whether anything public has changed.
EXCEPTIONS = {("operations", "publishing.models.Generation")}


def modules(room: str) -> Iterator[Path]:
    """The modules of a room, except its tests: those may use what any room makes."""
    return (path for path in sorted((ROOT / room).rglob("*.py")) if "tests" not in path.relative_to(ROOT).parts)


def imports(source: str, package: str) -> Iterator[tuple[int, str]]:
    """Yield (line, dotted name) for every import, inside functions too; what is imported from is part of the name."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                base = ".".join([*package.split(".")[: len(package.split(".")) - node.level + 1], base]).strip(".")
            yield from ((node.lineno, f"{base}.{alias.name}") for alias in node.names)


def test_every_room_is_known() -> None:
    """A new app has to take its place in the order."""
    ours = {Path(config.path) for config in apps.get_app_configs() if Path(config.path).is_relative_to(ROOT)}
    ours = {path for path in ours if ".venv" not in path.parts}
    assert {path.name for path in ours} <= set(ALLOWED)
    assert {path for path in ours if path.parent != ROOT} == set(), "an app is a folder at the top"


@pytest.mark.parametrize("room", [room for room in ALLOWED if (ROOT / room).is_dir()])
def test_rooms_import_downwards_only(room: str) -> None:
    wrong = []
    for path in modules(room):
        package = ".".join(path.relative_to(ROOT).parent.parts)
        for line, name in imports(path.read_text(), package):
            other = name.partition(".")[0]
            if other in ALLOWED and other not in ALLOWED[room] and (room, name) not in EXCEPTIONS:
                wrong.append(f"{path.relative_to(ROOT)}:{line} imports {name}")
    assert wrong == []


@pytest.mark.parametrize("room", [room for room in ALLOWED if room != "config" and (ROOT / room).is_dir()])
def test_nobody_imports_config(room: str) -> None:
    wrong = [
        f"{path.relative_to(ROOT)}:{line}"
        for path in modules(room)
        for line, name in imports(path.read_text(), room)
        if name.partition(".")[0] == "config"
    ]
    assert wrong == [], "use django.conf.settings"


def test_nothing_but_tests_imports_tests() -> None:
    wrong = [
        f"{path.relative_to(ROOT)}:{line} imports {name}"
        for room in ALLOWED
        for path in modules(room)
        for line, name in imports(path.read_text(), room)
        if "tests" in name.split(".") and name.partition(".")[0] in ALLOWED
    ]
    assert wrong == []


@pytest.mark.parametrize(
    ("source", "names"),
    [
        ("import blog.models", ["blog.models"]),
        ("from blog import models", ["blog.models"]),
        ("def f():\n    from config import settings", ["config.settings"]),
        ("from .models import A", ["conditions.admin.models.A"]),
        ("from ..models import A", ["conditions.models.A"]),
        ("from .. import models", ["conditions.models"]),
    ],
)
def test_imports_are_found_however_they_are_written(source: str, names: list[str]) -> None:
    assert [name for _line, name in imports(source, "conditions.admin")] == names
