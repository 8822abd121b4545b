"""What networks run on: torch as it always was, OpenVINO with the same numbers whatever is asked together."""

from __future__ import annotations

import copy
import threading
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from amiss.config import Config
from amiss.engine.model import make_method
from amiss.errors import ConfigError, ExportError
from amiss.methods import Method
from amiss.nn import engines
from amiss.nn.convert import as_openvino
from amiss.nn.engines import Engine, OpenVinoRunner, TorchRunner, make_runner
from amiss.nn.portable import Portable


class Tiny(nn.Module):
    """A convolution and a normalisation, which may remember how many rows it was asked about."""

    def __init__(self, *, counts: bool = False) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.layers = nn.Sequential(nn.Conv2d(3, 8, 3), nn.BatchNorm2d(8), nn.ReLU())
        self.asked: list[int] = []
        self._counts = counts

    def forward(self, x: Tensor) -> tuple[Tensor, ...]:
        if self._counts:
            self.asked.append(len(x))
        found = self.layers(x)
        return found.mean((2, 3)), found.amax((1, 2, 3))


class Strange(nn.Module):
    """Something that OpenVINO has no word for."""

    def forward(self, x: Tensor) -> tuple[Tensor, ...]:
        return (torch.linalg.eigvalsh(x @ x.transpose(1, 2)),)


def drawn(count: int) -> tuple[Tensor, ...]:
    return (torch.rand(count, 3, 9, 9, generator=torch.Generator().manual_seed(count)),)


def network(module: nn.Module | None = None, **changes: Any) -> Portable:
    about = {"inputs": {"x": "pixels"}, "outputs": {"mean": "", "most": ""}}
    return Portable((module or Tiny()).eval(), **(about | {"example": drawn, "axes": (0,)} | changes))


@pytest.mark.parametrize("count", [0, 1, 2, 3, 5, 13, 16, 20, 37])
def test_both_engines_agree_for_any_number_of_rows(count: int) -> None:
    torch_found, found = (make_runner(network(), Engine(name))(*drawn(count)) for name in ("torch", "openvino"))
    for one, other in zip(torch_found, found, strict=True):
        assert one.shape == other.shape
        np.testing.assert_allclose(one.detach(), other, rtol=1e-5, atol=1e-6)


def test_openvino_gives_a_row_the_same_numbers_whatever_it_is_asked_with() -> None:
    runner = OpenVinoRunner(network(), "f32")
    rows = drawn(37)[0]
    whole = runner(rows)
    for size in (1, 3, 16):
        pieces = [runner(piece) for piece in torch.split(rows, size)]
        for one, other in zip(whole, zip(*pieces, strict=True), strict=True):
            np.testing.assert_allclose(one, torch.cat(other), rtol=0, atol=1e-7)


@pytest.mark.parametrize(("together", "asked"), [(0, [5]), (4, [4, 4])])
def test_torch_is_asked_about_as_many_as_a_network_wants(together: int, asked: list[int]) -> None:
    module = Tiny(counts=True)
    found = TorchRunner(network(module, together=together))(*drawn(5))
    assert module.asked == asked
    assert [len(tensor) for tensor in found] == [5, 5]


@pytest.mark.parametrize(
    ("count", "sizes"), [(0, [1]), (1, [1]), (2, [1, 1]), (3, [4]), (7, [4, 4]), (13, [16]), (21, [16, 4, 1])]
)
def test_batches_are_filled_up_where_little_lacks(count: int, sizes: list[int]) -> None:
    assert list(engines._sizes(count)) == sizes


def test_what_an_engine_runs_does_not_change_with_the_module() -> None:
    module = Tiny()
    runner = OpenVinoRunner(network(module), "f32")
    before = runner(*drawn(4))
    with torch.no_grad():
        module.layers[0].weight.zero_()  # type: ignore[operator]
    copied = copy.deepcopy(runner)
    for found in (runner(*drawn(4)), copied(*drawn(4)), runner(*drawn(16))[:0]):
        assert all(torch.equal(one, other) for one, other in zip(before, found, strict=False))


def test_several_threads_may_ask_at_once() -> None:
    runner, found = OpenVinoRunner(network(), "f32"), {}

    def ask(count: int) -> None:
        for _ in range(20):
            found[count] = runner(*drawn(count))

    threads = [threading.Thread(target=ask, args=(count,)) for count in (3, 4, 5, 6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for count, (mean, _) in found.items():
        np.testing.assert_allclose(mean, Tiny().eval()(*drawn(count))[0].detach(), rtol=1e-5, atol=1e-6)


def test_what_openvino_cannot_say_is_told_in_a_line() -> None:
    odd = network(Strange(), outputs={"values": ""}, example=lambda count: (drawn(count)[0][:, 0],))
    with pytest.raises(ExportError, match="eigvalsh"):
        as_openvino(odd)


def test_auto_takes_torch_where_openvino_is_not_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    assert Engine("auto").resolved() == "openvino"
    monkeypatch.setattr(engines, "find_spec", lambda _: None)
    assert Engine("auto").resolved() == "torch"
    with pytest.raises(ConfigError, match="pip install"):
        Engine("openvino").resolved()
    with pytest.raises(ConfigError, match="engine=openvino"):
        Engine("auto", "bf16").resolved()


def test_bf16_is_refused_where_the_processor_or_the_engine_has_none(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ConfigError, match="32 bits"):
        Engine("torch", "bf16").resolved()
    monkeypatch.setattr(engines, "_able", lambda: ["FP32"])
    with pytest.raises(ConfigError, match="engine_precision=f32"):
        Engine("openvino", "bf16").resolved()
    assert Engine("openvino").resolved() == "openvino"


@pytest.mark.skipif("BF16" not in engines._able(), reason="this processor does not compute in bf16")
def test_bf16_has_fewer_digits() -> None:
    exact, rough = (OpenVinoRunner(network(), precision)(*drawn(8))[0] for precision in ("f32", "bf16"))
    assert not torch.equal(exact, rough)
    np.testing.assert_allclose(exact, rough, rtol=0.05, atol=0.01)


def test_a_method_runs_what_it_learned_last() -> None:
    def made(seed: int) -> Method:
        torch.manual_seed(seed)
        return make_method("appearance-motion", Config(method={"width": 4, "memory": (4, 4, 4)}, engine="openvino"))

    first, second = made(0), made(1)
    inputs = first.networks()["cubes"].example(2)
    found = [method._run("cubes", *inputs)[0] for method in (first, second)]
    assert not torch.equal(*found)
    state = {name: tensor.numpy() for name, tensor in second._network.state_dict(prefix="network.").items()}  # type: ignore[attr-defined]
    usual = {f"usual.{name}": np.ones((1, 2)) for name in ("mean", "squares", "sample")} | {"usual.count": np.array(1)}
    pictures = {f"items.{level}": np.zeros((4, 32, 32, 3), np.uint8) for level in range(3)}
    first.restore(state | usual | pictures | {"shown": np.zeros((0, 0), np.float32)})
    np.testing.assert_allclose(first._run("cubes", *inputs)[0], found[1], rtol=1e-5)
