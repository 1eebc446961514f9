import json
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from blog.importing.score import EXACT, Counts, Result, Score, score_folder

SHORT = {
    "title": "title",
    "kind": "kind",
    "warning_signs_count": "signs",
    "has_conclusion": "ends",
    "origin_name": "origin",
    "origin_url": "url",
}


class Command(BaseCommand):
    help = (
        "Scores what an import understands of FOLDER, which holds articles as NN-name.(txt|md|html|xml|docx), each "
        "with NN-name.expected.json. Reads only; needs no database. P, R and F are precision, recall and F1."
    )
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("folder", type=Path, metavar="FOLDER")
        parser.add_argument("--failures", action="store_true", help="Show what differs, file by file.")
        parser.add_argument("--json", action="store_true", help="Print the scores as JSON.")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            result = score_folder(options["folder"])
        except OSError as error:
            raise CommandError(f"{options['folder']} is no folder that can be read: {error.strerror}.") from None
        if options["json"]:
            scores = [*result.scores, result.total]
            rows = {score.name: score.as_json() for score in scores}
            self.stdout.write(json.dumps({"scores": rows, "problems": result.problems}, ensure_ascii=False, indent=1))
            return
        self._table(result, failures=options["failures"])

    def _table(self, result: Result, *, failures: bool) -> None:
        width = max([len(score.name) for score in result.scores] + [4])
        width = min(width, 34)
        self.stdout.write(
            f"{'':{width}}  conditions      treatments      tips            invented  "
            + " ".join(f"{SHORT[key]:>6}" for key in EXACT)
        )
        self.stdout.write(f"{'':{width}}  " + "P   R   F       " * 3)
        for score in result.scores:
            self.stdout.write(self._row(score, width))
            if failures:
                for difference in score.differences:
                    self.stdout.write(f"    {difference}")
        self.stdout.write(self._row(result.total, width))
        for problem in result.problems:
            self.stderr.write(f"Not scored: {problem}")
        self.stdout.write(f"{len(result.scores)} articles, {result.total.invented} invented conditions.")

    def _row(self, score: Score, width: int) -> str:
        rates = "  ".join(_rates(counts) for counts in (score.conditions, score.treatments, score.tips))
        exact = " ".join(f"{_exact(score, key):>6}" for key in EXACT)
        return f"{score.name[:width]:{width}}  {rates}  {score.invented:>8}  {exact}"


def _rates(counts: Counts) -> str:
    if not counts.right + counts.wrong + counts.missed:
        return f"{'-':14}"
    return f"{counts.precision:.2f} {counts.recall:.2f} {counts.f1:.2f}"


def _exact(score: Score, key: str) -> str:
    right, scored = score.exact.get(key, (0, 0))
    if not scored:
        return "-"
    return ("yes" if right else "no") if scored == 1 else f"{right}/{scored}"
