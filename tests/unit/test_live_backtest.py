"""The curve of a camera is kept, and another budget is tried on it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import amiss
import support_footage as footage
from amiss.engine import Stream
from amiss.errors import StorageError
from amiss.live.backtest import backtest
from amiss.live.curves import CurveWriter, read_curve
from amiss.live.settings import ScheduleSettings
from amiss.types import Frame
from support_live import AT

Kept = list[tuple[Path, float, float, int]]


def written(folder: Path, times: np.ndarray, values: np.ndarray) -> Kept:
    kept: Kept = []
    writer = CurveWriter(folder, lambda *told: kept.append(told))
    for at, value in zip(times, values, strict=True):
        writer.add(float(at), float(value))
    writer.flush()
    writer.flush()
    return kept


def test_a_curve_is_written_in_pieces_and_read_as_a_whole(tmp_path: Path) -> None:
    times = AT + np.arange(0, 1500, 0.5)
    values = np.random.default_rng(0).normal(size=len(times))
    kept = written(tmp_path, times, values)
    assert [frames for *_, frames in kept] == [1200, 1200, 600]
    assert [(start - AT, end - AT) for _, start, end, _ in kept] == [(0, 599.5), (600, 1199.5), (1200, 1499.5)]
    at, calibrated = read_curve([path for path, *_ in reversed(kept)])
    np.testing.assert_array_equal(at, times)
    np.testing.assert_array_equal(calibrated, values)
    assert len(read_curve([])[0]) == 0


def test_a_clock_that_was_set_back_begins_another_piece(tmp_path: Path) -> None:
    kept = written(tmp_path, np.array([AT, AT + 1, AT - 50, AT - 49]), np.arange(4.0))
    assert len({path for path, *_ in kept}) == 2
    assert read_curve([path for path, *_ in kept])[1].tolist() == [2, 3, 0, 1]


def test_a_damaged_piece_is_named(tmp_path: Path) -> None:
    ((path, *_),) = written(tmp_path, np.array([AT]), np.zeros(1))
    path.write_bytes(path.read_bytes()[:40])
    with pytest.raises(StorageError, match=path.name):
        read_curve([path])
    with pytest.raises(StorageError, match="missing or damaged"):
        read_curve([tmp_path / "none.parquet"])


def test_what_cannot_be_written_is_said_and_dropped(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    writer = CurveWriter(tmp_path / "file", lambda *_: pytest.fail("nothing was kept"))
    writer.add(AT, 1.0)
    with pytest.raises(StorageError):
        writer.flush()
    writer.flush()


def test_it_raises_what_a_stream_raised_on_the_same_frames(model: amiss.Model, tmp_path: Path) -> None:
    pictures = [image for seed in (100, 101, 102) for image in footage.pictures(seed, wild=True)]
    times = np.arange(len(pictures)) / footage.RATE + 30.0 * (np.arange(len(pictures)) >= 120)
    eager = model.with_settings(
        model.config.model_copy(update={"scoring": model.config.scoring.model_copy(update={"budget": "60/hour"})}),
        ("scoring.budget",),
    )
    for used in (model, eager):
        stream = Stream(used, "gate")
        frames = [Frame(image, number, times[number]) for number, image in enumerate(pictures)]
        seen = [stream.update(frame) for frame in frames]
        curve = np.array([update.calibrated for update in seen])
        raised = [event for event in [*(update.event for update in seen), stream.finish()] if event]
        kept = written(tmp_path / used.config.scoring.budget.replace("/", "-"), times + AT, curve)
        found = backtest(used, *read_curve([path for path, *_ in kept]), ScheduleSettings())
        assert len(raised) >= 2
        spans = [(span.start - AT, span.end - AT) for span in found.spans]
        np.testing.assert_allclose(spans, [(event.start, event.end) for event in raised], atol=1e-5)
        assert [span.height for span in found.spans] == [event.severity for event in raised]
        assert found.level == used.calibrations["causal"].level
        assert found.hours == pytest.approx((len(pictures) - 2) / footage.RATE / 3600)
    assert eager.calibrations["causal"].level < model.calibrations["causal"].level


def test_events_outside_the_schedule_are_left_out(model: amiss.Model) -> None:
    times = AT + np.arange(0, 600, 0.1)  # from 02:40:00 on
    values = np.where((times - AT) % 200 < 5, 1e3, 0.0)  # at 0, 200 and 400 s

    def raised(start: str, end: str) -> list[float]:
        hours = ScheduleSettings.build({"hours": [{"start": start, "end": end}]})
        return [span.start - AT for span in backtest(model, times, values, hours).spans]

    assert raised("00:00", "00:00") == pytest.approx([0, 200, 400], abs=0.11)
    assert raised("02:43", "02:45") == pytest.approx([200], abs=0.11)
    assert raised("02:43:22", "02:45") == pytest.approx([200], abs=0.11), "it goes on into the hours of alarms"
    assert raised("03:00", "04:00") == []
    assert replace(backtest(model, times[:0], values[:0], ScheduleSettings()), level=0).spans == ()
