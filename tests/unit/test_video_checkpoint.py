"""Published weights: names and shapes must fit, and nothing in a file is ever run."""

from __future__ import annotations

import os
import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor, nn

from amiss.errors import WeightsError
from amiss.perception.video.c3d import C3D, C3D_NAMING
from amiss.perception.video.checkpoint import Naming, load_checkpoint
from amiss.perception.video.i3d import I3D, I3D_NAMING
from amiss.perception.video.swin import SWIN_NAMING, VideoSwin

Tensors = dict[str, Tensor]


def seeded(build: Callable[[], nn.Module], seed: int) -> nn.Module:
    torch.manual_seed(seed)
    return build().eval()


def swin_as_published() -> Tensors:
    """A whole network's names: two more stages, the norm, the classifier, and the index of places."""
    tensors = {f"backbone.{key}": value for key, value in seeded(VideoSwin, 1).state_dict().items()}
    more = [
        "layers.1.downsample.norm.weight",
        "layers.2.blocks.0.attn.qkv.weight",
        "layers.3.norm1.bias",
        "norm.weight",
    ]
    tensors |= {f"backbone.{key}": torch.ones(3) for key in more}
    index = torch.zeros(392, 392, dtype=torch.int64)
    return tensors | {"backbone.layers.0.blocks.0.attn.relative_position_index": index, "cls_head.fc_cls.bias": index}


def assert_equal(module: nn.Module, other: nn.Module) -> None:
    wanted = other.state_dict()
    for key, value in module.state_dict().items():
        assert torch.equal(value, wanted[key]), key


@pytest.mark.parametrize("nest", [lambda tensors: tensors, lambda tensors: {"state_dict": tensors, "epoch": 30}])
def test_swin_from_a_whole_network(nest: Callable[[Tensors], Any], tmp_path: Path) -> None:
    torch.save(nest(swin_as_published()), tmp_path / "swin.pth")
    network = seeded(VideoSwin, 2)
    load_checkpoint(network, tmp_path / "swin.pth", SWIN_NAMING)
    assert_equal(network, seeded(VideoSwin, 1))


def test_i3d_with_its_classifier_and_without_counts(tmp_path: Path) -> None:
    known = seeded(I3D, 1).state_dict()
    assert "Conv3d_1a_7x7.conv3d.weight" in known
    assert "Mixed_3b.b0.bn.running_var" in known
    tensors = {f"module.{key}": value for key, value in known.items() if not key.endswith("num_batches_tracked")}
    save_file(tensors | {"module.logits.conv3d.weight": torch.ones(4, 4)}, tmp_path / "rgb.safetensors")
    network = seeded(I3D, 2)
    load_checkpoint(network, tmp_path / "rgb.safetensors", I3D_NAMING)
    assert_equal(network, seeded(I3D, 1))


@pytest.mark.parametrize("ending", ["", "a"])
def test_c3d_goes_by_both_its_names(ending: str) -> None:
    names = [f"conv1{ending}", f"conv2{ending}", "conv3a", "conv3b", "conv4a", "conv4b", "conv5a", "conv5b"]
    names.append("fc6-1" if ending else "fc6")
    with torch.device("meta"):
        wanted = set(C3D().state_dict())
    assert {C3D_NAMING.rename(f"{name}.{kind}") for name in names for kind in ("weight", "bias")} == wanted
    assert C3D_NAMING.is_unused("fc8.weight")
    assert C3D_NAMING.is_unused("fc7-1.bias")
    assert not any(map(C3D_NAMING.is_unused, wanted))


class Pair(nn.Module):
    """Two small layers."""

    def __init__(self) -> None:
        super().__init__()
        self.first = nn.Linear(2, 3)
        self.second = nn.Linear(3, 1, bias=False)


def spoilt(**changes: Any) -> Tensors:
    tensors = dict(Pair().state_dict()) | {key.replace("__", "."): value for key, value in changes.items()}
    return {key: value for key, value in tensors.items() if value is not None}


@pytest.mark.parametrize(
    ("tensors", "message"),
    [
        (spoilt(second__weight=None), "has no second.weight; it is not a checkpoint of Pair"),
        (spoilt(third__weight=torch.ones(1)), "has third.weight, which Pair does not"),
        (
            spoilt(first__bias=torch.ones(4)),
            r"another network .* first.bias has the shape \(4,\), not \(3,\)",
        ),
        (spoilt(first__bias=torch.tensor([1, torch.nan, 2])), "first.bias holds values that are not finite"),
        (spoilt(first__bias=torch.ones(3, dtype=torch.int64)), "first.bias as something else than plain floating"),
        (spoilt(module__first__bias=torch.ones(3)), "has first.bias twice"),
        ([1, 2], "holds something else than tensors"),
        ({"state_dict": {"first.bias": "text"}}, "holds something else than tensors"),
    ],
)
def test_what_does_not_fit_is_named_and_nothing_is_loaded(tensors: Any, message: str, tmp_path: Path) -> None:
    path = tmp_path / "pair.pt"
    torch.save(tensors, path)
    network = Pair()
    before = {key: value.clone() for key, value in network.state_dict().items()}
    with pytest.raises(WeightsError, match=message) as raised:
        load_checkpoint(network, path, Naming())
    assert "\n" not in str(raised.value)
    assert str(path) in str(raised.value)
    assert all(torch.equal(value, before[key]) for key, value in network.state_dict().items())


def test_a_table_of_another_window_is_said_to_be_one(tmp_path: Path) -> None:
    tensors = swin_as_published()
    tensors["backbone.layers.1.blocks.0.attn.relative_position_bias_table"] = torch.zeros(15 * 15 * 15, 6)
    torch.save(tensors, tmp_path / "swin.pth")
    with pytest.raises(WeightsError, match=r"another size of window than this VideoSwin: layers\.1\.blocks\.0"):
        load_checkpoint(VideoSwin(), tmp_path / "swin.pth", SWIN_NAMING)


class Command:
    """Something that would run a command as it is unpickled."""

    def __init__(self, mark: Path) -> None:
        self._mark = mark

    def __reduce__(self) -> Any:
        return os.mkdir, (str(self._mark),)


@pytest.mark.parametrize("write", [torch.save, lambda value, path: path.write_bytes(pickle.dumps(value))])
def test_a_file_that_would_run_code_is_refused(write: Callable[[Any, Path], Any], tmp_path: Path) -> None:
    mark = tmp_path / "run"
    write({"state_dict": {"first.bias": Command(mark)}}, tmp_path / "pair.pt")
    with pytest.raises(WeightsError, match="would run code, which is never done") as raised:
        load_checkpoint(Pair(), tmp_path / "pair.pt", Naming())
    assert "\n" not in str(raised.value)
    assert not mark.exists()


@pytest.mark.parametrize("name", ["pair.safetensors", "pair.pt"])
@pytest.mark.parametrize("keep", [0.0, 0.02, 0.5, 0.97])
def test_a_file_that_was_cut_short_is_refused(name: str, keep: float, tmp_path: Path) -> None:
    path = tmp_path / name
    tensors = Pair().state_dict()
    save_file(tensors, path) if path.suffix == ".safetensors" else torch.save(tensors, path)
    whole = path.read_bytes()
    path.write_bytes(whole[: int(keep * len(whole))])
    with pytest.raises(WeightsError, match=r"get it again|is damaged"):
        load_checkpoint(Pair(), path, Naming())


@pytest.mark.parametrize("name", ["a.safetensors", "a.pth"])
@pytest.mark.parametrize("content", [b"{}", b"\x89PNG\r\n\x1a\n" * 9, b"PK\x03\x04" + bytes(80), bytes(64)])
def test_a_foreign_file_is_refused(name: str, content: bytes, tmp_path: Path) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(WeightsError, match=name):
        load_checkpoint(Pair(), tmp_path / name, Naming())


def test_no_file_and_other_formats_are_said(tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match="there is no checkpoint"):
        load_checkpoint(Pair(), tmp_path / "a.pt", Naming())
    (tmp_path / "a.pickle").write_bytes(b"")
    with pytest.raises(WeightsError, match=r"\.safetensors, \.pt or \.pth"):
        load_checkpoint(Pair(), tmp_path / "a.pickle", Naming())
