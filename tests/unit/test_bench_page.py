"""The page of a bench: alone, escaped, and its drawings right."""

from __future__ import annotations

import json
import re
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest
from bench_results import drawn, result, row, table

import amiss
import support_footage as support
from amiss import metrics
from amiss.datasets.folder import PlainFolder
from amiss.errors import ScoresError
from amiss.report import BenchFiles, charts, compared, read_drawn, write_bench_page
from amiss.report.charts import Drawn

HOSTILE = "</svg><script>alert(1)</script><img src=http://x.example/y>"


class Page(HTMLParser):
    """Tags and text of a page."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict]] = []
        self.words: list[str] = []
        self.source = path.read_text(encoding="utf-8")
        self.feed(self.source)
        self.text = re.sub(r"\s+", " ", " ".join(self.words))

    def handle_starttag(self, tag, attrs) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data) -> None:
        self.words.append(data)

    def find(self, tag: str, style: str = "") -> list[dict]:
        return [attrs for name, attrs in self.tags if name == tag and style in [*attrs.get("class", "").split(), ""]]


def places(points: str) -> np.ndarray:
    return np.array([[float(number) for number in pair.split(",")] for pair in points.split()])


@pytest.fixture
def written(tmp_path: Path):
    def write_page(found: dict, rows: list[Drawn]) -> Page:
        write_bench_page(tmp_path / "out" / "page.html", compared(found), rows)
        return Page(tmp_path / "out" / "page.html")

    return write_page


def two(name: str = "b", **more) -> dict:
    return table(row("a", result(auc_micro=[0.9, 0.91])), row(name, result(auc_micro=[0.5, 0.51]), **more))


def test_nothing_is_loaded_from_outside_and_nothing_runs(written) -> None:
    page = written(two(), [drawn(1, "a"), drawn(2, "b")])
    assert not page.find("script")
    assert not page.find("link")
    assert not page.find("img")
    assert not [attrs for _, attrs in page.tags if {"src", "href", "action"} & set(attrs)]
    assert "url(" not in page.source
    assert "@import" not in page.source
    policy = [
        attrs["content"] for attrs in page.find("meta") if "content" in attrs and "default-src" in attrs["content"]
    ]
    assert policy == ["default-src 'none'; style-src 'unsafe-inline'"]
    assert "prefers-color-scheme: dark" in page.source


def test_hostile_text_is_shown_and_never_run(written) -> None:
    found = two(HOSTILE) | {"title": HOSTILE}
    found["rows"][1]["result"] |= {"protocol": HOSTILE, "note": HOSTILE}
    found["rows"][0]["result"]["note"] = HOSTILE
    odd = drawn(2, HOSTILE)
    labels = {HOSTILE: odd.labels["clip0"]}
    rows = [Drawn(number, name, labels, {HOSTILE: odd.scores["clip0"]}) for number, name in ((1, "a"), (2, HOSTILE))]
    page = written(found, rows)
    assert not page.find("script")
    assert not page.find("img")
    assert page.text.count(HOSTILE) >= 8


def test_the_table_has_every_row_and_marks(written) -> None:
    page = written(two(), [drawn(1, "a"), drawn(2, "b")])
    assert "90.5 ± 0.7" in page.text
    assert "50.5 ± 0.7" in page.text
    assert page.text.count("≠ 2") == page.text.count("≠ 1") == 2
    assert len(page.find("td", "best")) == 2
    assert "99.1" in page.text
    assert "All tests between rows" in page.text
    assert "a − b" in page.text


def test_one_row_with_one_seed_has_no_tests_and_says_its_seed_and_filter(written) -> None:
    page = written(result(), [drawn()])
    assert "All tests" not in page.text
    assert (
        "smoothed scores (gaussian:3, as the column smoothing says) of the first of the seeds of each row, seed 0"
        in (page.text)
    )


def test_a_protocol_is_shown(written) -> None:
    assert not written(result(), [drawn()]).find("span", "badge")
    page = written(result() | {"protocol": "transductive"}, [drawn()])
    assert len(page.find("span", "badge")) == 1
    assert "attributes (transductive)" in page.text


def test_every_row_is_drawn_in_every_chart(written) -> None:
    page = written(two(), [drawn(1, "a", 3), drawn(2, "b", 3)])
    assert len(page.find("svg", "drawing")) == 1 + 2 + 3
    assert len(page.find("polyline", "area")) == 4
    assert len(page.find("rect", "shade")) == 3
    lines = page.find("polyline", "line")
    assert len([line for line in lines if "row-1" in line["class"]]) == 1 + 3 + 2  # ROC, clips, legends
    assert page.text.count("labelled abnormal") == 1


def test_more_clips_than_a_page_can_hold_are_left_out_and_counted(written, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("amiss.report.bench_page.POINTS_OF_ALL", 240)
    page = written(result(), [drawn(clips=6)])
    assert "The first 4 clips are drawn, 2 more are not." in page.text
    assert len(page.find("svg", "drawing")) == 2 + 4


def test_the_roc_is_that_of_the_metric() -> None:
    rows = [drawn(1, "a"), drawn(2, "b")]
    chart = charts.roc_chart(rows)
    left, above, right, below = chart.frame
    for one, shape in zip(rows, chart.shapes[1:], strict=True):
        points = places(shape.points)
        x, y = (points[:, 0] - left) / (right - left), (below - points[:, 1]) / (below - above)
        area = metrics.micro_auc(one.labels, one.scores)
        assert np.trapezoid(y, x) == pytest.approx(area, abs=0.01)
        assert (x[0], y[0], x[-1], y[-1]) == pytest.approx((0, 0, 1, 1), abs=1e-3)
        assert shape.title == f"{one.name}: AUC {100 * area:.1f}"
    assert chart.ticks[0][-1] == (right, "1")


def test_both_classes_of_a_histogram_add_up_and_nothing_is_left_out() -> None:
    one = drawn(length=4000)
    chart = charts.histogram(one)
    _, above, _, below = chart.frame
    top = max(float(text.rstrip(" %")) for _, text in chart.ticks[1]) / 100
    for shape in chart.shapes:
        heights = (below - places(shape.points)[1:-1:2, 1]) / (below - above) * top
        assert len(heights) == charts.BINS
        assert heights.sum() == pytest.approx(1, abs=0.05)
    assert [shape.title for shape in chart.shapes] == ["normal: 4,000 frames", "abnormal: 4,000 frames"]


def test_the_abnormal_frames_of_a_clip_are_shaded() -> None:
    labels = {"x": np.array([0, 0, 1, 1, 0, 0, 0, 0, 1, 0, 1], np.uint8)}
    one = Drawn(1, "a", labels, {"x": np.arange(11.0)})
    chart = charts.clip_chart("x", [one], 100)
    left, _, right, _ = chart.frame
    frame = (right - left) / 10
    edges = [((at - left) / frame, (at + width - left) / frame) for at, width in chart.spans]
    assert edges == [pytest.approx(edge, abs=0.01) for edge in ((1.5, 3.5), (7.5, 8.5), (9.5, 10))]
    points = places(chart.shapes[0].points)
    assert (points[0, 0], points[-1, 0]) == (left, right)
    assert (np.diff(points[:, 1]) <= 0).all()


def test_a_row_has_one_scale_in_all_clips() -> None:
    labels = {name: np.array([0, 1], np.uint8) for name in "xy"}
    one = Drawn(1, "a", labels, {"x": np.array([0.0, 1.0]), "y": np.array([0.0, 2.0])})
    low, high = (places(charts.clip_chart(name, [one], 9).shapes[0].points)[-1, 1] for name in "xy")
    assert low > high
    flat = Drawn(1, "a", labels, {"x": np.zeros(2), "y": np.zeros(2)})
    assert (flat.scaled(flat.values) == 0).all()
    assert charts.histogram(flat).shapes


def test_more_rows_than_colours_are_told_apart_by_their_dashes() -> None:
    assert len({charts.style(number) for number in range(1, 25)}) == 24
    assert charts.style(1) == "row-1"
    assert charts.style(9) == "row-1 dashed"
    assert charts.style(30) == "row-6 dotted"


def test_scores_are_read_from_the_folders_that_bench_keeps(place: Path, model: amiss.Model, tmp_path: Path) -> None:
    scores = [model.score(place / "testing" / f"wild{number}.mp4") for number in range(2)]
    amiss.engine.write_scores(tmp_path / "a" / "seed-0", scores, {})
    comparison = compared(result(dataset="folder"))
    one = read_drawn(comparison, PlainFolder(place), ["wild0", "wild1"], [tmp_path / "a" / "seed-0"], skipped=5)[0]
    assert (one.number, one.name, list(one.scores)) == (1, "attributes", ["wild0", "wild1"])
    np.testing.assert_array_equal(one.scores["wild1"], scores[1].frames.smoothed[5:])
    np.testing.assert_array_equal(one.labels["wild0"], support.labels()[5:])
    with pytest.raises(ScoresError, match="seed-1"):
        read_drawn(comparison, PlainFolder(place), ["wild0"], [tmp_path / "a" / "seed-1"])


def test_only_what_was_asked_for_is_written(place: Path, model: amiss.Model, tmp_path: Path) -> None:
    scores = [model.score(place / "testing" / "wild0.mp4")]
    amiss.engine.write_scores(tmp_path / "scores", scores, {})
    found = result(dataset="folder") | {"clips": ["wild0"]}
    BenchFiles(PlainFolder(place)).write(found, [tmp_path / "none"])
    BenchFiles(PlainFolder(place), json=tmp_path / "a.json").write(found, [tmp_path / "none"])
    BenchFiles(PlainFolder(place), html=tmp_path / "a.html", markdown=tmp_path / "a.md").write(
        found, [tmp_path / "scores"]
    )
    assert {path.name for path in tmp_path.iterdir()} == {"scores", "a.json", "a.html", "a.md"}
    assert json.loads((tmp_path / "a.json").read_text()) == found
