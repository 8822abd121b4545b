"""The rows of a table: from methods, and from a file of ablations."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from amiss.config import Config, load_config
from amiss.engine import Sweep, read_sweep, rows_of_methods
from amiss.errors import ConfigError

ROOT = Path(__file__).parents[2]
SWEEPS = [*sorted((ROOT / "benchmarks" / "sweeps").glob("*.yaml")), ROOT / "docs" / "examples" / "sweep.yaml"]
WEIGHTS = ("continuity", "localization", "estimation")


@pytest.fixture
def read(tmp_path: Path):
    """Read a sweep from its text."""

    def read_text(text: str, sets: list[str] | None = None, base: Config | None = None, method: str = "") -> Sweep:
        file = tmp_path / "rows.yaml"
        file.write_text(text)
        return read_sweep(file, "avenue", base or Config(), load_config(sets=sets or []), method)

    return read_text


def test_a_row_has_its_name_method_settings_and_numbers(read) -> None:
    sweep = read(
        """
title: What helps
source: table 2
method: pose-flow
rows:
  - {name: "flow, all", paper: {auc_micro: 60.1, avenue: {auc_macro: 63.5}, ubnormal: {auc_micro: 71.8}}}
  - {name: speed, method: attributes, settings: ["method.parts=[velocity]", scoring.smoothing=none]}
"""
    )
    one, other = sweep.rows
    assert (sweep.title, sweep.source) == ("What helps", "table 2")
    assert (one.name, one.folder, one.method) == ("flow, all", "flow-all", "pose-flow")
    assert one.paper == {"auc_micro": 60.1, "auc_macro": 63.5}
    assert (other.method, other.paper) == ("attributes", {})
    assert other.config.method == {"parts": ["velocity"]}
    assert other.config.scoring.smoothing == "none"


def test_settings_may_be_texts_keys_with_dots_or_levels(read) -> None:
    forms = ["[method.neighbours=9, seed=3]", "{method.neighbours: 9, seed: 3}", "{method: {neighbours: 9}, seed: 3}"]
    found = [read(f"rows: [{{name: a, settings: {form}}}]").rows[0].config for form in forms]
    assert [config.model_dump(exclude_unset=True) for config in found] == [{"method": {"neighbours": 9}, "seed": 3}] * 3


def test_the_nearer_setting_wins_and_what_nobody_set_stays_unset(read) -> None:
    base = load_config(sets=["train.batch=1", "train.epochs=1", "method.neighbours=1", "method.crop=32"])
    text = "settings: {train.epochs: 2, method.neighbours: 2}\n"
    text += "rows: [{name: a}, {name: b, settings: [method.neighbours=4]}]"
    plain, own = (row.config for row in read(text, ["method.neighbours=3", "method.examples=3"], base).rows)
    assert plain.method == {"neighbours": 3, "crop": 32, "examples": 3}
    assert own.method == {"neighbours": 4, "crop": 32, "examples": 3}
    assert (own.train.batch, own.train.epochs) == (1, 2)
    assert "scoring" not in own.model_dump(exclude_unset=True)


def test_a_row_without_a_method_takes_that_of_the_file_then_the_one_given(read) -> None:
    assert read("rows: [{name: a}]").rows[0].method == "attributes"
    assert read("rows: [{name: a}]", method="mgenet").rows[0].method == "mgenet"
    assert read("method: pose-flow\nrows: [{name: a}]", method="mgenet").rows[0].method == "pose-flow"


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("rows: [{name: a, nope: 1}]", "row 'a': there is no setting 'nope'; the keys there are: method, name, paper"),
        ("nope: 1\nrows: [{name: a}]", "there is no setting 'nope'"),
        ("rows: [{name: a, settings: {method.nope: 1}}]", "row 'a': there is no setting 'method.nope'"),
        ("rows: [{name: a}, {name: b, settings: [scoring.nope=1]}]", "row 'b': there is no setting 'scoring.nope'"),
        ("settings: {nope: 1}\nrows: [{name: a}]", "there is no setting 'nope'"),
        ("rows: [{name: a, settings: [method.neighbours]}]", "row 'a': a setting is given as key=value"),
        ("rows: [{name: a, settings: 3}]", "row 'a': settings does not take 3"),
        ("rows: [{name: a, settings: {method.neighbours: lots}}]", "row 'a': method.neighbours"),
        ("rows: [{name: a, method: magic}]", "row 'a': there is no method 'magic'"),
        ("rows: [{name: a, paper: {avenu: {auc_micro: 1}}}]", "row 'a': there is no dataset 'avenu'"),
        ("rows: [{name: a, paper: {auc_micro: high}}]", "row 'a': paper.all.auc_micro does not take 'high'"),
        ("rows: [{name: a, paper: 3}]", "row 'a': paper does not take 3"),
        ("rows: [{method: mgenet}]", "row 1: name"),
        ("rows: [3]", "rows.0 does not take 3"),
        ("rows: []", "rows does not take []"),
        ("title: a", "rows"),
        ("rows: [{name: a b}, {name: A/b}]", "'a b' and 'A/b' would share a folder"),
        ("rows: [{name: '..'}]", "needs letters or digits"),
        ("- a", "is not a mapping"),
        ("rows: [", "is not YAML"),
        ("rows: !!python/object/apply:os.getcwd []", "is not YAML"),
    ],
)
def test_what_is_wrong_is_one_line_with_file_and_row(read, tmp_path: Path, text: str, told: str) -> None:
    with pytest.raises(ConfigError) as raised:
        read(text)
    assert str(raised.value).startswith(f"the sweep {tmp_path / 'rows.yaml'}")
    assert told in str(raised.value)
    assert "\n" not in str(raised.value)


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"none\.yaml cannot be read"):
        read_sweep(tmp_path / "none.yaml", "ped2", Config(), Config())


def test_methods_are_rows_and_all_of_them_take_the_settings() -> None:
    sweep = rows_of_methods(["attributes", "pose-flow"], load_config(sets=["seed=2"]), "ped2")
    assert [(row.name, row.method, row.config.seed, row.paper) for row in sweep.rows] == [
        ("attributes", "attributes", 2, None),
        ("pose-flow", "pose-flow", 2, None),
    ]
    with pytest.raises(ConfigError, match=r"method\.neighbours"):
        rows_of_methods(["attributes", "pose-flow"], load_config(sets=["method.neighbours=2"]), "ped2")
    with pytest.raises(ConfigError, match="'magic'"):
        rows_of_methods(["attributes", "magic"], Config(), "ped2")
    with pytest.raises(ConfigError, match="--method: the rows 'mgenet' and 'mgenet'"):
        rows_of_methods(["mgenet", "mgenet"], Config(), "ped2")


@pytest.mark.parametrize("file", SWEEPS, ids=lambda path: path.stem)
@pytest.mark.parametrize("dataset", ["avenue", "shanghaitech", "ped2"])
def test_every_sweep_here_can_be_run(file: Path, dataset: str) -> None:
    assert read_sweep(file, dataset, Config(), Config()).rows


def sweep_here(name: str, dataset: str = "avenue") -> dict[str, tuple[dict[str, Any], Any]]:
    rows = read_sweep(ROOT / "benchmarks" / "sweeps" / f"multi_grained_{name}.yaml", dataset, Config(), Config()).rows
    assert {row.method for row in rows} == {"multi-grained"}
    return {row.name: (row.config.method, row.paper) for row in rows}


def test_table_1_of_multi_grained_has_its_sixteen_rows() -> None:
    rows = sweep_here("table1")
    assert list(rows) == [f"ID {number}" for number in range(1, 17)]
    weights = [tuple(settings[task] for task in WEIGHTS) for settings, _ in rows.values()]
    assert len(set(weights)) == 16
    assert (weights[0], weights[9], weights[15]) == ((1, 0.1, 0.1), (0.1, 0.1, 1), (1, 1, 1))
    page = (ROOT / "papers" / "multi-grained.md").read_text()
    other = sweep_here("table1", "shanghaitech")
    for number, (name, (settings, paper)) in enumerate(rows.items(), 1):
        told = ", ".join(f"{settings[task]:g}" for task in WEIGHTS)
        assert f"| {number} | {told} | {paper['auc_micro']} | {other[name][1]['auc_micro']} |" in page


def test_table_2_of_multi_grained_has_the_backbones_that_are_built() -> None:
    rows = sweep_here("table2")
    assert len(rows) == 13
    assert rows["objects, all three"][0] == {"backbone": "objects", "windows": "cubes"} | dict.fromkeys(WEIGHTS, 1)
    assert rows["unet, none"] == (
        {"backbone": "unet", "windows": "clips"} | dict.fromkeys(WEIGHTS, 0),
        {"auc_micro": 85.1},
    )
    assert rows["memory, estimation"][1] == {"auc_micro": 86.1, "auc_macro": 86.8}
    assert sweep_here("table2", "shanghaitech")["convgru, all three"][1] == {"auc_micro": 79.2, "auc_macro": 80.1}


def test_each_task_stands_alone_against_all() -> None:
    weights = {name: tuple(settings[task] for task in WEIGHTS) for name, (settings, _) in sweep_here("alone").items()}
    assert weights == {
        "continuity": (1, 0, 0),
        "localization": (0, 1, 0),
        "estimation": (0, 0, 1),
        "all three": (1, 1, 1),
    }
