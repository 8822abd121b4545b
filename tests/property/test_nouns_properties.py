"""Cutting nouns and putting them together."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from amiss.types import Boxes, FrameScores, Poses, RegionScores, Table, Track, Tube, Windows

UNHURRIED = settings(deadline=None, max_examples=60)
NOUNS = [Boxes, Track, Tube, Poses, Windows, RegionScores, FrameScores]


def make(kind: type[Table], length: int, seed: int) -> Table:
    """A table with something else in every row."""
    generator = np.random.default_rng(seed)
    values: dict[str, object] = {}
    for item in dataclasses.fields(kind):
        if "fill" in item.metadata:
            shape = (length, *item.metadata["trailing"])
            values[item.name] = generator.integers(0, 50, shape) + np.arange(length).reshape(
                -1, *[1] * (len(shape) - 1)
            )
        elif item.metadata.get("mapping"):
            values[item.name] = {"a": generator.normal(size=length), "b": generator.normal(size=(length, 3))}
    if "maps" in values:
        values["maps"] = {"a": generator.normal(size=(length, 4, 4)).astype(np.float16)}
    for name in ("xyxy", "box"):
        if name in values:
            values[name] = np.sort(np.asarray(values[name]), axis=1)
    if "frame" in values:
        values["frame"] = np.arange(length) * 2
    return kind(**values)


def equal(left: Table, right: Table) -> bool:
    def columns(table: Table) -> dict[str, np.ndarray]:
        found = {}
        for item in dataclasses.fields(table):
            value = getattr(table, item.name)
            inner = value if isinstance(value, Mapping) else {"": value}
            found |= {f"{item.name}.{key}": np.asarray(array) for key, array in inner.items()}
        return found

    a, b = columns(left), columns(right)
    return a.keys() == b.keys() and all(np.array_equal(a[k], b[k]) and a[k].dtype == b[k].dtype for k in a)


@pytest.mark.parametrize("kind", NOUNS)
@UNHURRIED
@given(length=st.integers(0, 12), seed=st.integers(0, 99), data=st.data())
def test_merge_is_the_inverse_of_split(kind: type[Table], length: int, seed: int, data: st.DataObject) -> None:
    table = make(kind, length, seed)
    cuts = sorted(data.draw(st.lists(st.integers(0, length), max_size=4)))
    pieces = [table[a:b] for a, b in zip([0, *cuts], [*cuts, length], strict=True)]
    assert all(type(piece) is kind for piece in pieces)
    assert sum(map(len, pieces)) == length
    assert equal(kind.merge(pieces), table)


@pytest.mark.parametrize("kind", NOUNS)
@UNHURRIED
@given(length=st.integers(0, 12), seed=st.integers(0, 99), data=st.data())
def test_all_ways_to_choose_rows_agree(kind: type[Table], length: int, seed: int, data: st.DataObject) -> None:
    table = make(kind, length, seed)
    mask = np.array(data.draw(st.lists(st.booleans(), min_size=length, max_size=length)), np.bool_)
    rows = np.flatnonzero(mask)
    assert equal(table[mask], table[rows])
    assert equal(table[rows.tolist()], table[rows])
    assert len(table[rows]) == mask.sum()
    start, stop = sorted(data.draw(st.tuples(st.integers(0, length), st.integers(0, length))))
    assert equal(table[start:stop], table[np.arange(start, stop)])


@pytest.mark.parametrize("kind", NOUNS)
def test_rows_are_read_only_however_they_were_come_by(kind: type[Table]) -> None:
    table = make(kind, 4, 0)
    for other in (table, table[1:3], table[[0, 2]], kind.merge([table[:2], table[2:]])):
        for item in dataclasses.fields(other):
            value = getattr(other, item.name)
            arrays = value.values() if isinstance(value, Mapping) else [value]
            assert not any(array.flags.writeable for array in arrays if isinstance(array, np.ndarray))
