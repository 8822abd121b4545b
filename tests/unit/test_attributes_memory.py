"""The bounded memory of normal vectors."""

from __future__ import annotations

import numpy as np
import pytest

from amiss.methods.attributes.memory import RECENT, Memory, _Index


def filled(number: int, capacity: int = 100, neighbours: int = 1, dimension: int = 2) -> Memory:
    memory = Memory(dimension, capacity, neighbours)
    vectors = np.random.default_rng(0).normal(size=(number, dimension)).astype(np.float32)
    memory.fill(vectors, np.arange(number) % 5)
    return memory


def test_a_memory_is_bounded() -> None:
    memory = filled(1000)
    assert (len(memory.samples), len(memory.groups), memory.seen) == (100, 100, 1000)
    for _ in range(3):
        memory.add(np.random.default_rng(1).normal(size=(RECENT, 2)))
    assert (len(memory.samples), len(memory.recent), memory.seen) == (100, RECENT, 1000 + 3 * RECENT)


def test_one_that_is_not_full_keeps_all() -> None:
    memory = filled(10)
    memory.add(np.full((5, 2), 9.0))
    assert (len(memory.samples), len(memory.recent), memory.seen) == (15, 0, 15)


@pytest.mark.parametrize(("held", "capacity"), [(5, 8), (1000, 100), (1000, 1000)])
def test_what_is_taken_in_counts_at_once(held: int, capacity: int) -> None:
    memory = filled(held, capacity)
    new = np.random.default_rng(2).uniform(50, 90, (RECENT, 2)).astype(np.float32)
    assert memory.distance(new).min() > 10
    memory.add(new)
    assert memory.distance(new).max() < 1e-5


def test_distance_is_to_the_kth_or_to_the_furthest_of_fewer() -> None:
    memory = Memory(1, 10, 3)
    memory.fill(np.array([[0.0], [1.0], [5.0], [9.0]]), np.zeros(4, np.int64))
    assert memory.distance(np.array([[0.0]])) == pytest.approx([5])
    memory.neighbours = 20
    assert memory.distance(np.array([[0.0]])) == pytest.approx([9])


def test_what_was_asked_before_is_not_measured_again_until_the_memory_changes(monkeypatch: pytest.MonkeyPatch) -> None:
    random = np.random.default_rng(3)
    memory = Memory(16, 500, 2)
    memory.fill(random.normal(size=(300, 16)), np.zeros(300, np.int64))
    old, new = random.normal(size=(2, 3, 16)).astype(np.float32)
    first = memory.distance(old)
    measured: list[int] = []
    plain = _Index._measured
    monkeypatch.setattr(_Index, "_measured", lambda *given: (measured.append(len(given[1])), plain(*given))[1])
    mixed = memory.distance(np.concatenate([new[:1], old[1:]]))
    assert measured == [1]
    np.testing.assert_array_equal(mixed[1:], first[1:])
    memory.neighbours = 5
    assert (memory.distance(old[1:]) > first[1:]).all()
    memory.neighbours = 2
    memory.add(np.repeat(old[1:], 2, axis=0))
    assert memory.distance(old[1:]).max() < 1e-5


def test_nothing_asked_gives_nothing() -> None:
    assert filled(20).distance(np.zeros((0, 2))).shape == (0,)


def test_a_choice_is_the_same_for_the_same_seed_only() -> None:
    vectors, groups = np.arange(50.0)[:, None], np.zeros(50, np.int64)
    chosen = []
    for seed in (0, 0, 1):
        memory = Memory(1, 10, 1, seed)
        memory.fill(vectors, groups)
        memory.add(vectors + 100)
        chosen.append(sorted(memory.samples[:, 0].tolist()))
    assert chosen[0] == chosen[1] != chosen[2]


def test_the_reservoir_is_a_uniform_sample_of_all_that_was_seen() -> None:
    held = np.zeros(200)
    for seed in range(400):
        memory = Memory(1, 20, 1, seed)
        memory.fill(np.arange(80.0)[:, None], np.zeros(80, np.int64))
        for start in (80, 140):
            memory.add(np.arange(start, start + 60.0)[:, None])
        held[memory.samples[:, 0].astype(int)] += 1
    expected = 400 * 20 / 200
    assert held.sum() == 400 * 20
    chi2 = ((held - expected) ** 2 / (expected * (1 - 20 / 200))).sum()
    assert chi2 < 200 + 5 * np.sqrt(400)  # 199 degrees of freedom, five standard deviations
    assert held[:80].mean() == pytest.approx(expected, rel=0.1)
    assert held[140:].mean() == pytest.approx(expected, rel=0.1)
