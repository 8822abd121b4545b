"""The memory's distances against brute force."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from amiss.methods.attributes.memory import Memory
from amiss.types import FloatArray

UNHURRIED = settings(deadline=None, max_examples=40)


def twin(samples: FloatArray, asked: FloatArray, k: int) -> FloatArray:
    """Distance to the k-th nearest of `samples`, or to the furthest of fewer."""
    gaps = np.sort(np.linalg.norm(asked[:, None].astype(float) - samples[None].astype(float), axis=2), axis=1)
    return gaps[:, min(k, len(samples)) - 1]


@UNHURRIED
@given(
    seed=st.integers(0, 999),
    number=st.integers(8, 60),
    dimension=st.sampled_from([1, 3, 12]),  # with a tree and without
    k=st.integers(1, 9),
    added=st.integers(0, 30),
)
def test_distances_are_those_of_brute_force(seed: int, number: int, dimension: int, k: int, added: int) -> None:
    generator = np.random.default_rng(seed)
    vectors = generator.normal(size=(number, dimension)).astype(np.float32)
    new, asked = (generator.normal(size=(n, dimension)).astype(np.float32) for n in (added, 5))
    groups = np.arange(number) % 3
    memory = Memory(dimension, 1000, k)
    memory.fill(vectors, groups)
    assert memory.distance(asked) == pytest.approx(twin(vectors, asked, k), abs=1e-4)
    for group in range(3):
        apart = Memory(dimension, 1000, k)
        apart.fill(vectors[groups != group], groups[groups != group])
        assert memory.distance_without(group, asked) == pytest.approx(apart.distance(asked), abs=1e-6)
    memory.add(new)
    assert memory.distance(asked) == pytest.approx(twin(np.concatenate([vectors, new]), asked, k), abs=1e-4)


@UNHURRIED
@given(seed=st.integers(0, 999), batches=st.lists(st.integers(0, 40), max_size=6), capacity=st.integers(1, 50))
def test_a_memory_holds_what_it_was_given_and_no_more_than_it_may(seed: int, batches: list[int], capacity: int) -> None:
    vectors = np.random.default_rng(seed).normal(size=(20 + sum(batches), 2)).astype(np.float32)
    memory, seen = Memory(2, capacity, 1, seed), 20
    memory.fill(vectors[:20], np.zeros(20, np.int64))
    for count in batches:
        new = vectors[seen : seen + count]
        seen += count
        memory.add(new)
        assert len(memory.samples) == min(capacity, seen)
        assert memory.seen == seen
        kept = np.concatenate([memory.samples, memory.recent]).tolist()
        assert all(row in kept for row in new.tolist())
        assert all(row in vectors[:seen].tolist() for row in kept)
