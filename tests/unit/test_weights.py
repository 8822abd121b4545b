"""Networks are found in their order of places, and taken only as published."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from amiss.errors import WeightsError
from amiss.perception import weights
from amiss.perception.weights import WEIGHTS, Weights, WeightsFile, find_weights, get_weights
from support_cli import Run

BODIES = {"net.xml": b"<net/>", "net.bin": b"numbers"}
NOWHERE = "http://127.0.0.1:9/net"


@pytest.fixture
def known(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A table with one small network, an empty cache, and a folder that AMISS_WEIGHTS names."""
    files = tuple(
        WeightsFile(name, f"{NOWHERE}/{name}", len(body), hashlib.sha256(body).hexdigest())
        for name, body in BODIES.items()
    )
    monkeypatch.setattr(weights, "WEIGHTS", {"net": Weights("a task", files, "Apache-2.0", "us")})
    monkeypatch.setenv("AMISS_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("AMISS_WEIGHTS", str(tmp_path / "given"))
    (tmp_path / "given").mkdir()
    return tmp_path / "given"


def put(folder: Path, **changed: bytes) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    for name, body in BODIES.items():
        (folder / name).write_bytes(changed.get(name.replace(".", "_"), body))
    return folder / "net.xml"


def test_the_table_is_complete() -> None:
    for name, item in WEIGHTS.items():
        assert item.files, name
        assert item.licence == "Apache-2.0"
        assert all(file.url.startswith("https://") and len(file.sha256) == 64 and file.size > 0 for file in item.files)
        assert len({file.name for file in item.files}) == len(item.files)


def test_the_given_folder_comes_before_the_cache(known: Path, tmp_path: Path) -> None:
    assert find_weights("net") is None
    cached = put(tmp_path / "cache" / "weights")
    assert find_weights("net") == get_weights("net") == cached
    assert put(known) == find_weights("net")


def test_a_network_that_is_whole_in_the_cache_is_found_beside_half_of_it(known: Path, tmp_path: Path) -> None:
    put(known)
    (known / "net.bin").unlink()
    assert put(tmp_path / "cache" / "weights") == find_weights("net")


def test_a_network_of_which_a_file_is_absent_is_absent(known: Path) -> None:
    put(known)
    (known / "net.bin").unlink()
    assert find_weights("net") is None


@pytest.mark.parametrize("body", [b"number", b"Numbers", b""])
def test_what_was_cut_short_or_altered_is_refused(known: Path, body: bytes) -> None:
    put(known, net_bin=body)
    with pytest.raises(WeightsError, match=r"net\.bin is not the published net\.bin .* from http"):
        find_weights("net")


def test_what_was_mended_is_taken(known: Path) -> None:
    put(known, net_bin=b"Numbers")
    with pytest.raises(WeightsError):
        find_weights("net")
    assert put(known) == find_weights("net")


def test_absent_and_offline_is_one_line_with_file_address_and_variable(known: Path) -> None:
    with pytest.raises(
        WeightsError, match=r"^net\.xml is not here and .*http://127\.0\.0\.1:9/net/net\.xml.*AMISS_WEIGHTS$"
    ):
        get_weights("net")


def test_an_unknown_name_lists_the_known(known: Path) -> None:
    with pytest.raises(WeightsError, match="no network 'nett'; choose one of: net"):
        find_weights("nett")


def test_the_commands_list_get_and_verify(known: Path, run: Run) -> None:
    assert "net: a task" in run("weights", "list").out
    assert "absent" in run("weights", "verify").out
    failed = run("weights", "get", "net")
    assert failed.status == 2
    assert "AMISS_WEIGHTS" in failed.err
    path = put(known)
    assert str(path) in run("weights", "get", "net").out.replace("\n", "")
    assert "net.bin: as published" in run("weights", "verify").out
    put(known, net_xml=b"<nett>", net_bin=b"Numbers")
    wrong = run("weights", "verify")
    assert wrong.status == 2
    assert wrong.err.count("cut short or altered") == 2
    (known / "net.bin").unlink()
    assert run("weights", "list").out.split()[-1] == "absent"


def test_the_files_at_hand_are_the_published_ones(shared_data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AMISS_WEIGHTS", str(shared_data / "weights"))
    for name, item in WEIGHTS.items():
        found = find_weights(name)
        assert found is not None
        assert found.name == item.files[0].name
