"""Results beside each other: what the table says, as text and as Markdown."""

from __future__ import annotations

import io
import re
from pathlib import Path

import pytest
from bench_results import result, row, table
from rich.console import Console

from amiss.console import comparison_table, differences_table
from amiss.engine import compare
from amiss.methods import METHODS
from amiss.report import compared, published, write_markdown
from amiss.report.published import Published, published_pairs
from amiss.report.wording import metric_title, ranges, shown


def texts(comparison, title: str) -> list[str]:
    """The cells under a title."""
    place = [column.title for column in comparison.columns].index(title)
    return [cells[place].text for cells in comparison.cells]


def test_one_result_is_a_table_of_one_row_with_what_is_published() -> None:
    found = compared(result(auc_micro=[0.9], auc_macro=[0.8], score_gap=[0.25]))
    assert found.title == "attributes on ped2"
    assert [column.title for column in found.columns] == [
        *("AUC micro, raw", "AUC micro, smoothed", "AUC micro, published"),
        *("AUC macro, raw", "AUC macro, smoothed", "AUC macro, published"),
        *("score gap, raw", "score gap, smoothed"),
    ]
    assert [cell.text for cell in found.cells[0]] == ["90.0", "91.0", "99.1", "80.0", "81.0", "99.9", "0.250", "0.260"]
    assert not any(cell.best or cell.differs for cell in found.cells[0])
    assert any("Reiss and Hoshen" in note for note in found.notes)
    assert any("gaussian:3" in note for note in found.notes)


def test_several_seeds_have_a_spread() -> None:
    found = compared(result(auc_micro=[0.9, 0.92], score_gap=[0.2, 0.3]))
    assert texts(found, "AUC micro, raw") == ["91.0 ± 1.4"]
    assert texts(found, "score gap, raw") == ["0.250 ± 0.071"]
    assert found.lines[0].seeds == "0, 1"


def test_the_best_is_marked_where_it_is_known_which_is_better() -> None:
    one = result(dataset="folder", auc_micro=[0.9], eer=[0.1], speed_of_light=[3.0])
    other = result(dataset="folder", auc_micro=[0.8], eer=[0.2], speed_of_light=[2.0])
    found = compared(table(row("a", one), row("b", other)))
    best = [[cell.best for cell in cells if "." in cell.text] for cells in found.cells]
    assert best == [[True, True, True, True, False, False], [False] * 6]
    assert texts(found, "speed of light, raw") == ["3.000", "2.000"]


def test_differences_beyond_chance_are_marked_with_the_rows_they_are_to() -> None:
    values = {"a": [0.9, 0.91, 0.92], "b": [0.5, 0.51, 0.52], "c": [0.9, 0.92, 0.91]}
    found = compared(table(*(row(name, result(auc_micro=given)) for name, given in values.items())))
    assert [cells[0].differs for cells in found.cells] == [(2,), (1, 3), (2,)]
    assert any("Holm" in note for note in found.notes)
    alone = compared(table(*(row(name, result(auc_micro=given[:1])) for name, given in values.items())))
    assert not any(cell.differs for cells in alone.cells for cell in cells)
    assert any("two seeds" in note for note in alone.notes)


def test_a_row_of_a_sweep_has_its_own_numbers_or_none() -> None:
    rows = (row("with", result(), paper={"auc_micro": 92.4, "rbdc": 10.0}), row("without", result(), paper={}))
    found = compared(table(*rows) | {"source": "table 2", "title": "Parts"})
    assert found.title == "Parts"
    assert texts(found, "AUC micro, published") == ["92.4", ""]
    assert "AUC macro, published" not in [column.title for column in found.columns]
    assert any("table 2" in note for note in found.notes)
    assert any(note == "Published but not measured here: rbdc." for note in found.notes)


def test_a_transfer_is_not_set_beside_what_is_published_without_one() -> None:
    found = compared(result() | {"transfer": {"learned": {}, "shots": 5}})
    assert found.lines[0].paper == Published()


def test_a_metric_that_some_rows_lack_leaves_a_gap() -> None:
    one, other = result(ap=[0.5]), result(ap=[0.6])
    one["metrics"]["vauc"] = {"raw": one["metrics"]["ap"]["raw"]}
    found = compared(table(row("a", one), row("b", other)))
    assert texts(found, "VAUC, raw") == ["50.0", ""]
    assert "VAUC, smoothed" not in [column.title for column in found.columns]


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"protocol": "transductive"}, "transductive"),
        ({"protocol": {"scaling": "legacy", "memory": None}}, "scaling: legacy, memory: "),
        ({"protocol": ["legacy", "transductive"]}, "legacy, transductive"),
        ({"protocol": None}, ""),
        ({"protocol": "standard"}, ""),
        ({"legacy": {"protocol": "legacy: per-video min-max"}}, "legacy: per-video min-max"),
    ],
)
def test_a_protocol_is_shown_wherever_the_key_is(change: dict, told: str, tmp_path: Path) -> None:
    found = compared(table(row("plain", result()), row("odd", result() | change)))
    assert [line.protocol for line in found.lines] == ["", told]
    write_markdown(tmp_path / "t.md", found)
    assert ("| protocol |" in (tmp_path / "t.md").read_text()) == bool(told)


def test_a_protocol_of_one_metric_is_shown_and_its_own_kinds_too() -> None:
    odd = result()
    odd["metrics"]["auc_macro"] |= {"protocol": "legacy", "scaled": odd["metrics"]["auc_macro"]["raw"]}
    found = compared(odd)
    assert found.lines[0].protocol == "legacy"
    assert texts(found, "AUC macro, scaled") == ["80.0"]


def test_smoothing_of_every_row_and_settings_that_are_not_usual_are_told() -> None:
    one = result(sets={"scoring": {"smoothing": "median:17", "causal": True}, "method": {"parts": ["velocity"]}})
    found = compared(table(row("a", one), row("b", result())))
    assert [line.smoothing for line in found.lines] == ["median:17, of the past only", "gaussian:3"]
    assert found.lines[0].settings == ('method.parts=["velocity"]', "scoring.causal=true")
    assert any("median:17, of the past only or gaussian:3" in note for note in found.notes)


def test_a_part_of_a_data_set_is_told() -> None:
    assert any("6 of 12" in note for note in compared(result() | {"note": "6 of 12 test clips present"}).notes)


def test_markdown_has_a_row_for_each_and_nothing_breaks_out_of_it(tmp_path: Path) -> None:
    odd = "a|b <script>\nc"
    found = compared(table(row(odd, result()), row("plain", result(auc_micro=[0.8], auc_macro=[0.7]))))
    write_markdown(tmp_path / "deep" / "t.md", found)
    text = (tmp_path / "deep" / "t.md").read_text()
    lines = [line for line in text.splitlines() if line.startswith("|")]
    assert len(lines) == 4
    assert {len(re.findall(r"(?<!\\)\|", line)) for line in lines} == {len(re.findall(r"\|", lines[0]))}
    assert "a\\|b &lt;script> c" in lines[2]
    assert "**90.0**" in lines[2]
    assert "gaussian:3" in lines[3]


def test_the_terminal_shows_what_papers_compare_by() -> None:
    found = compared(table(row("[a]", result(auc_micro=[0.9], ap=[0.1])), row("b", result(auc_micro=[0.8], ap=[0.2]))))
    text = io.StringIO()
    Console(file=text, width=120).print(comparison_table(found))
    assert "[a]" in text.getvalue()
    assert "*90.0*" in text.getvalue()
    assert "99.1" in text.getvalue()
    assert "AP" not in text.getvalue()


def test_a_metric_without_smoothed_values_is_compared_and_shown() -> None:
    one, other = result(ap=[0.5, 0.6]), result(ap=[0.6, 0.7])
    for found in (one, other):
        found["metrics"]["vauc"] = {"raw": found["metrics"]["ap"]["raw"]}
    text = io.StringIO()
    Console(file=text, width=120).print(differences_table(compare(one, other), "x"))
    assert re.search(r"vauc\s+│ -0\.1000", text.getvalue())


def test_what_papers_print_in_per_cent_is_shown_so() -> None:
    told = {"mean": 0.5, "std": 0.0, "values": [0.5]}
    assert [shown(name, told) for name in ("auc_macro_padded", "iou@0.1", "score_gap", "delay")] == [
        *("50.0", "50.0"),
        *("0.500", "0.500"),
    ]
    assert (metric_title("pixel_auc"), metric_title("some_thing")) == ("pixel AUC", "some thing")


@pytest.mark.parametrize(
    ("numbers", "told"),
    [((), ""), ((2,), "2"), ((1, 2), "1–2"), ((1, 3, 4, 5, 9), "1, 3–5, 9"), ((7, 8, 10), "7–8, 10")],
)
def test_numbers_that_follow_each_other_are_told_in_one(numbers: tuple[int, ...], told: str) -> None:
    assert ranges(numbers) == told


def test_the_packaged_numbers_are_of_methods_there_are_and_have_a_source() -> None:
    for method, dataset in published_pairs():
        known = published(method, dataset)
        assert method in list(METHODS)
        assert known.source
        assert known.numbers.keys() <= {"auc_micro", "auc_macro"}
        assert all(50 < number < 100 for number in known.numbers.values())
    assert published("attributes", "ped2").numbers == {"auc_micro": 99.1, "auc_macro": 99.9}
    assert published("attributes", "world") == published("none", "ped2") == published("mgenet", "source") == Published()
