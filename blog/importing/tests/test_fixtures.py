"""The whole set of fixtures, scored: what was understood once is understood for good.

They are our own articles, each in one of the conventions of the field, a third of them no lists of conditions. What
they reach says little about articles from elsewhere; that an import never invents a condition is the point. 101 to 110
were written by somebody who knew none of the rules; docs/importing.md says what was understood of them the first time.
"""

from pathlib import Path

import pytest

from blog.importing.result import ArticleKind
from blog.importing.score import EXPECTED, Result, score_folder

pytestmark = pytest.mark.once

FOLDER = Path(__file__).parent / "fixtures/archive"


@pytest.fixture(scope="module")
def result() -> Result:
    return score_folder(FOLDER)


def test_every_article_is_scored(result: Result) -> None:
    assert result.problems == []
    assert len(result.scores) == len(list(FOLDER.glob(f"*{EXPECTED}"))) >= 60


def test_no_condition_is_invented(result: Result) -> None:
    assert {score.name: score.differences for score in result.scores if score.invented} == {}


def test_what_was_understood_stays_understood(result: Result) -> None:
    total = result.total
    assert total.conditions.f1 >= 0.97, [line for score in result.scores for line in score.differences]
    assert total.treatments.f1 >= 0.94
    assert total.tips.f1 >= 0.94
    for key, (right, scored) in total.exact.items():
        assert right >= 0.94 * scored, key


def test_a_third_are_no_lists_of_conditions(result: Result) -> None:
    plain = sum(1 for path in FOLDER.glob(f"*{EXPECTED}") if f'"kind": "{ArticleKind.PLAIN}"' in path.read_text())
    assert plain * 3 >= len(result.scores)
