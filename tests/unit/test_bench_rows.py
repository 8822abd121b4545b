"""Row after row: what is told, what stays when one fails, and which differences count."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from bench_results import result, row, table

from amiss.config import Config
from amiss.datasets.folder import PlainFolder
from amiss.engine import Row, Sweep, bench_rows, changed_settings, compare_rows, table_of
from amiss.engine.compare import holm
from amiss.errors import ScoresError, TrainingError

ROWS = [Row("a", "attributes", Config()), Row("b, c", "mgenet", Config(), {"auc_micro": 9.0})]


@pytest.fixture
def benched(monkeypatch: pytest.MonkeyPatch) -> list[tuple[Any, ...]]:
    """What bench is called with; it gives a small result."""
    calls: list[tuple[Any, ...]] = []

    def bench(dataset: Any, method: str, config: Config, seeds: Any, out: Path, progress: Any) -> dict[str, Any]:
        calls.append((method, seeds, out))
        return result(method)

    monkeypatch.setattr("amiss.engine.rows.bench", bench)
    return calls


def test_each_row_has_a_folder_and_is_told_when_it_is_done(place: Path, tmp_path: Path, benched: list) -> None:
    told: list[tuple[str, int, int]] = []
    rows = bench_rows(PlainFolder(place), ROWS, [0, 1], tmp_path, lambda *step: told.append(step))
    first = next(rows)
    assert benched == [("attributes", [0, 1], tmp_path / "a")]
    assert first == {"name": "a", "method": "attributes", "result": result()}
    assert list(rows) == [{"name": "b, c", "method": "mgenet", "paper": {"auc_micro": 9.0}, "result": result("mgenet")}]
    assert benched[1][2] == tmp_path / "b-c"
    assert told == [("rows: a", 0, 2), ("rows: b, c", 1, 2), ("rows", 2, 2)]


def test_a_row_that_fails_is_named_and_the_rows_before_it_stay(
    place: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def bench(dataset: Any, method: str, *more: Any) -> dict[str, Any]:
        if method == "mgenet":
            raise ScoresError("clip x has no scores")
        return result(method)

    monkeypatch.setattr("amiss.engine.rows.bench", bench)
    rows = bench_rows(PlainFolder(place), ROWS, [0], tmp_path)
    assert next(rows)["name"] == "a"
    with pytest.raises(ScoresError, match=r"^the row 'b, c': clip x has no scores$"):
        next(rows)


def test_a_failure_of_ours_is_not_called_one_of_the_row(
    place: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def bench(*given: Any) -> dict[str, Any]:
        raise TrainingError("no number")

    monkeypatch.setattr("amiss.engine.rows.bench", bench)
    with pytest.raises(TrainingError, match=r"^no number$"):
        next(bench_rows(PlainFolder(place), ROWS, [0], tmp_path))


def test_a_table_says_title_and_source_where_there_are_any() -> None:
    assert list(table(row("a", result()))) == ["dataset", "rows", "tests"]
    told = table_of("ped2", [row("a", result())], Sweep(ROWS, "T", "S"))
    assert (told["title"], told["source"], told["tests"]) == ("T", "S", [])


def test_p_values_are_stepped_down() -> None:
    assert holm([0.01, 0.04, 0.03]) == pytest.approx([0.03, 0.06, 0.06])
    assert holm([0.2, 0.9, 0.6]) == pytest.approx([0.6, 1.0, 1.0])
    assert holm([0.02]) == [0.02]
    assert holm([]) == []


def test_holm_rejects_what_the_step_down_procedure_rejects() -> None:
    random = np.random.default_rng(0)
    for _ in range(50):
        p = random.uniform(0, 0.1, 6)
        rejected = np.zeros(6, bool)
        for step, place in enumerate(np.argsort(p)):
            if p[place] > 0.05 / (6 - step):
                break
            rejected[place] = True
        np.testing.assert_array_equal(np.array(holm(list(p))) <= 0.05, rejected)


def test_every_pair_is_tested_for_every_metric_and_corrected_within_it() -> None:
    rows = [
        row(name, result(auc_micro=values, ap=[0.5, 0.5, 0.6]))
        for name, values in {"a": [0.9, 0.91, 0.92], "b": [0.8, 0.82, 0.81], "c": [0.9, 0.92, 0.91]}.items()
    ]
    rows[0]["result"]["metrics"]["vauc"] = {"raw": rows[0]["result"]["metrics"]["ap"]["raw"]}
    tests = compare_rows(rows)
    assert [test["rows"] for test in tests] == [["a", "b"], ["a", "c"], ["b", "c"]]
    micro = [test["metrics"]["auc_micro"]["raw"] for test in tests]
    assert [one["difference"] for one in micro] == pytest.approx([0.1, 0.0, -0.1])
    assert [one["p_holm"] for one in micro] == pytest.approx(holm([one["p"] for one in micro]))
    assert micro[0]["p"] < micro[0]["p_holm"] == pytest.approx(3 * micro[0]["p"])
    assert set(tests[0]["metrics"]) == {"auc_micro", "ap"}
    assert tests[0]["metrics"]["ap"]["smoothed"]["p_holm"] == 1.0


def test_one_seed_of_any_row_tests_nothing() -> None:
    assert compare_rows([row("a", result(ap=[0.1, 0.2])), row("b", result(ap=[0.1]))]) == []


def test_equal_values_are_no_loss_of_precision() -> None:
    one, other = result(ap=[0.1 + 0.2] * 3), result(ap=[0.7] * 3)
    test = compare_rows([row("a", one), row("b", other)])[0]["metrics"]["ap"]["raw"]
    assert test["p"] == 0.0


def test_only_settings_that_are_not_the_default_are_told() -> None:
    sets = {"method": {"parts": ["velocity"], "neighbours": 5}, "scoring": {"smoothing": "none"}, "cache": "/x"}
    found = changed_settings("attributes", result(sets=sets)["config"])
    assert found == {"method.parts": ["velocity"], "scoring.smoothing": "none"}
    assert changed_settings("mgenet", result(sets={"method": {"guide": {"length": 16}}})["config"]) == {
        "method.guide.length": 16
    }
    assert changed_settings("unknown", result(sets={"method": {"x": 5}})["config"]) == {"method.x": 5}
