"""What training decides before its first step, and how it reads ahead."""

from __future__ import annotations

import threading
import time
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest
import torch

from amiss.config import TrainConfig
from amiss.methods.task import Plan
from amiss.train import device as devices
from amiss.train.device import cores, native_bf16, repeatable, resolve_precision
from amiss.train.feed import prefetch
from amiss.train.plan import batches_of, rate_at, settle
from amiss.windows.store import WindowStore
from support_training import tiny_store

PLAN = Plan(epochs=4, batch=8, rate=0.1, decay=0.5, decay_every=2, weight_decay=0.01)


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> WindowStore:
    return tiny_store(tmp_path_factory.mktemp("windows"))


@pytest.mark.parametrize(
    ("schedule", "rates"),
    [
        ("step", [0.1, 0.1, 0.05, 0.05]),
        ("constant", [0.1, 0.1, 0.1, 0.1]),
        ("cosine", [0.1, 0.0853553, 0.05, 0.0146447]),
    ],
)
def test_rates_of_each_schedule(schedule: str, rates: list[float]) -> None:
    plan = settle(PLAN, TrainConfig.build({"schedule": schedule}))
    assert [rate_at(plan, schedule, epoch) for epoch in range(4)] == pytest.approx(rates, rel=1e-5)


def test_settings_win_over_the_plan() -> None:
    assert settle(PLAN, TrainConfig()) == PLAN
    plan = settle(PLAN, TrainConfig(epochs=9, batch=3, rate=0.2))
    assert (plan.epochs, plan.batch, plan.rate, plan.weight_decay) == (9, 3, 0.2, 0.01)


def test_batches_hold_every_row_once_in_another_order_each_epoch() -> None:
    first, again, later = (batches_of(50, 16, 3, epoch) for epoch in (0, 0, 1))
    assert [len(rows) for rows in first] == [13, 13, 12, 12]
    assert sorted(np.concatenate(first)) == list(range(50))
    assert np.array_equal(np.concatenate(first), np.concatenate(again))
    assert not np.array_equal(np.concatenate(first), np.concatenate(later))


@pytest.mark.parametrize("share", [0.01, 0.3, 0.99])
def test_whole_clips_are_held_out(store: WindowStore, share: float) -> None:
    kept, held = store.split(share, 0)
    assert {part.name for part in kept.parts}.isdisjoint(part.name for part in held.parts)
    assert len(kept) + len(held) == len(store)
    assert len(held.parts) == {0.01: 1, 0.3: 2, 0.99: 4}[share]


@pytest.mark.parametrize("share", [0.01, 0.3, 0.99])
def test_of_few_clips_the_end_is_held_out(store: WindowStore, share: float) -> None:
    few = WindowStore([*store.parts[:2], store.parts[2].between(-2, -1)])
    kept, held = few.split(share, 0)
    assert len(kept) + len(held) == len(few)
    for before, after in zip(kept.parts, held.parts, strict=True):
        assert len(before) > 0
        assert before.name == after.name
        assert before[:].seconds.max() < after[:].seconds.min()


def test_nothing_is_held_out_where_nothing_is_asked(store: WindowStore) -> None:
    kept, held = store.split(0, 0)
    assert (len(kept), len(held)) == (len(store), 0)


def test_reading_ahead_keeps_the_order_and_its_bounds() -> None:
    made: list[int] = []

    def make(item: int) -> int:
        made.append(item)
        return item * 2

    with closing(prefetch(make, range(100), ahead=2)) as feed:
        assert [next(feed) for _ in range(3)] == [0, 2, 4]
        time.sleep(0.05)
        assert len(made) <= 5
        assert list(feed) == list(range(6, 200, 2))
    assert made == list(range(100))
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("amiss-feed")]


def test_reading_ahead_takes_one_core_and_leaves_the_others() -> None:
    with repeatable(2), closing(prefetch(lambda _: torch.get_num_threads(), range(3))) as feed:
        assert list(feed) == [1, 1, 1]
        assert torch.get_num_threads() == 2


def test_what_is_raised_while_reading_ahead_comes_in_its_place() -> None:
    def make(item: int) -> float:
        return 1 / (3 - item)

    with closing(prefetch(make, range(9))) as feed:
        assert len([next(feed) for _ in range(3)]) == 3
        with pytest.raises(ZeroDivisionError):
            next(feed)


@pytest.mark.parametrize(
    ("able", "precision"), [({"avx512_bf16": True}, "bf16"), ({"amx_bf16": True}, "bf16"), ({}, "32")]
)
def test_precision_is_what_the_processor_can(
    able: dict[str, bool], precision: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(devices.torch.cpu, "get_capabilities", lambda: able)
    assert resolve_precision("auto", torch.device("cpu")) == precision
    assert resolve_precision("32", torch.device("cpu")) == "32"
    assert not native_bf16(torch.device("mps"))


def test_threads_are_lent() -> None:
    before = torch.get_num_threads()
    with repeatable(cores()):
        assert torch.get_num_threads() == cores() >= 1
        assert torch.are_deterministic_algorithms_enabled()
    assert torch.get_num_threads() == before
    assert not torch.are_deterministic_algorithms_enabled()


def test_rows_are_taken_in_the_order_asked_for(store: WindowStore) -> None:
    rows = np.random.default_rng(0).integers(0, len(store), 40)
    whole = [window for part in store.parts for window in part[:]]
    taken = store.take(rows)
    assert len(taken) == 40
    for row, window in zip(rows, taken, strict=True):
        assert window.frame == whole[row].frame
        assert window.track == whole[row].track
        assert np.array_equal(window.data["image"], whole[row].data["image"])


def test_no_rows_give_no_windows_and_wrong_ones_are_refused(store: WindowStore) -> None:
    assert len(store.take(np.array([], np.int64))) == 0
    assert store.take(np.array([], np.int64)).data.keys() == store.parts[0][:1].data.keys()
    for row in (-1, len(store)):
        with pytest.raises(IndexError, match=f"store of {len(store)} windows"):
            store.take(np.array([0, row]))


def test_a_store_has_a_key_of_its_windows(store: WindowStore, tmp_path: Path) -> None:
    same = tiny_store(tmp_path)
    assert store.fingerprint() == same.fingerprint()
    assert store.fingerprint() != WindowStore(store.parts[1:]).fingerprint()
    assert store.fingerprint() != WindowStore([store.parts[0].between(0, 0.1), *store.parts[1:]]).fingerprint()
