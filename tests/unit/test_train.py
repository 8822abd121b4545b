"""The training loop, on a network of a few numbers."""

from __future__ import annotations

import json
import math
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from amiss.errors import FootageError, TrainingError
from amiss.types import Windows
from amiss.windows.store import WindowStore
from support_training import Leaving, Tiny, plainly, state_of, tiny_store, trainer_of


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> WindowStore:
    return tiny_store(tmp_path_factory.mktemp("windows"))


def history(folder: Path) -> list[dict[str, Any]]:
    lines = (folder / "tiny" / "history.jsonl").read_text(encoding="utf-8").splitlines()
    return [json.loads(line) for line in lines]


def trained(store: WindowStore, folder: Path, seed: int = 0, **settings: Any) -> Tiny:
    task = Tiny()
    trainer_of(folder, **settings)(task, store, seed)
    return task


class KilledError(Exception):
    """In place of a kill."""


def killer(step: int) -> Any:
    def progress(what: str, done: int, total: int) -> None:
        if done == step:
            raise KilledError

    return progress


class Broken(Tiny):
    """Its second term is not a number from some step on."""

    def __init__(self, step: int, value: float = math.nan) -> None:
        super().__init__()
        self.step, self.value = step, value

    def losses(self, batch: Mapping[str, Tensor]) -> Mapping[str, Tensor]:
        losses = dict(super().losses(batch))
        steps = sum(training for training, _ in self.training)
        return losses | {"bright": losses["bright"] * (self.value if steps >= self.step else 1.0)}


def test_the_loss_falls_and_the_module_is_left_ready_to_score(store: WindowStore, tmp_path: Path) -> None:
    task = trained(store, tmp_path, epochs=8)
    rows = history(tmp_path)
    assert [row["epoch"] for row in rows] == list(range(1, 9))
    assert rows[-1]["loss"] < rows[0]["loss"] / 3
    assert rows[-1]["held_out"] < rows[0]["held_out"] / 3
    assert all(row["losses"].keys() == {"picture", "bright"} and row["seconds"] > 0 for row in rows)
    assert not task.module.training
    assert all(value.device.type == "cpu" and value.is_contiguous() for value in task.module.state_dict().values())


def test_a_seed_reproduces_every_number(store: WindowStore, tmp_path: Path) -> None:
    first, again, other = (trained(store, tmp_path / str(n), seed) for n, seed in enumerate((1, 1, 2)))
    assert state_of(first) == state_of(again)
    assert state_of(first) != state_of(other)


def test_random_numbers_and_threads_of_the_caller_are_left_alone(store: WindowStore, tmp_path: Path) -> None:
    task = Tiny()
    torch.manual_seed(5)
    before = torch.random.get_rng_state(), torch.get_num_threads(), torch.are_deterministic_algorithms_enabled()
    trainer_of(tmp_path)(task, store, 0)
    assert torch.equal(before[0], torch.random.get_rng_state())
    assert before[1:] == (torch.get_num_threads(), torch.are_deterministic_algorithms_enabled())


@pytest.mark.parametrize("precision", ["32", "bf16"])
@pytest.mark.parametrize(("step", "every", "left"), [(5, 300, 24), (10, 300, 16), (13, 0, 11)])
def test_going_on_equals_going_through(
    store: WindowStore, tmp_path: Path, step: int, every: float, left: int, precision: str
) -> None:
    """A checkpoint is there from the end of each epoch of 8 steps, or from each step."""
    whole = trained(store, tmp_path / "whole", precision=precision)
    settings: dict[str, Any] = {"save_seconds": every, "precision": precision}
    with pytest.raises(KilledError):
        trainer_of(tmp_path / "parts", killer(step), **settings)(Tiny(), store, 0)
    task = Tiny()
    trainer_of(tmp_path / "parts", **settings)(task, store, 0)
    assert sum(training for training, _ in task.training) == left
    assert state_of(task) == state_of(whole)
    plain = [{key: value for key, value in row.items() if key != "seconds"} for row in history(tmp_path / "parts")]
    assert plain == [{k: v for k, v in row.items() if k != "seconds"} for row in history(tmp_path / "whole")]


def test_a_plan_names_optimiser_and_clipping_which_the_settings_may_change(store: WindowStore, tmp_path: Path) -> None:
    def after(name: str, plan: dict[str, Any], **settings: Any) -> dict[str, list[Any]]:
        task = Tiny(**plan)
        trainer_of(tmp_path / name, **settings)(task, store, 0)
        return state_of(task)

    plain = after("plain", {})
    clipped = after("planned", {"clip": 0.01})
    assert after("adamax", {"optimiser": "adamax"}) != plain
    assert clipped != plain
    assert after("given", {}, clip=0.01) == clipped
    assert after("taken", {"clip": 0.01}, clip=0.0) == plain


def test_adamax_goes_on_as_if_it_had_gone_through(store: WindowStore, tmp_path: Path) -> None:
    whole, task = Tiny(optimiser="adamax"), Tiny(optimiser="adamax")
    trainer_of(tmp_path / "whole")(whole, store, 0)
    with pytest.raises(KilledError):
        trainer_of(tmp_path / "parts", killer(13))(Tiny(optimiser="adamax"), store, 0)
    trainer_of(tmp_path / "parts")(task, store, 0)
    assert sum(training for training, _ in task.training) == 16
    assert state_of(task) == state_of(whole)


def test_what_was_trained_before_is_only_loaded(store: WindowStore, tmp_path: Path) -> None:
    first, told = trained(store, tmp_path), list[Any]()
    again = Tiny()
    trainer = trainer_of(tmp_path, lambda *step: told.append(step))
    trainer(again, store, 0)
    assert not again.training
    assert state_of(again) == state_of(first)
    assert told == [("training tiny: was done before", 1, 1)]
    assert trainer.trained["tiny"]["epochs"] == 3


@pytest.mark.parametrize("change", ["seed", "settings", "plan", "windows", "beginning"])
def test_a_checkpoint_of_another_training_is_not_taken(store: WindowStore, tmp_path: Path, change: str) -> None:
    trained(store, tmp_path)
    task = Tiny(seed=1 if change == "beginning" else 0, rate=0.02 if change == "plan" else 0.01)
    other = WindowStore(store.parts[1:]) if change == "windows" else store
    clip = 1.0 if change == "settings" else None
    trainer_of(tmp_path, clip=clip)(task, other, 1 if change == "seed" else 0)
    assert task.training


@pytest.mark.parametrize("damage", ["cut", "flipped", "missing", "not json", "another shape", "list"])
def test_a_damaged_checkpoint_is_told_and_training_begins_anew(
    store: WindowStore, tmp_path: Path, damage: str, caplog: pytest.LogCaptureFixture
) -> None:
    first = trained(store, tmp_path)
    (tensors,) = (tmp_path / "tiny").glob("state-*.safetensors")
    index = tmp_path / "tiny" / "checkpoint.json"
    content = tensors.read_bytes()
    if damage == "missing":
        tensors.unlink()
    elif damage in ("cut", "flipped"):
        tensors.write_bytes(content[:100] if damage == "cut" else content[:-1] + bytes([content[-1] ^ 1]))
    elif damage == "another shape":
        values = json.loads(index.read_text(encoding="utf-8"))
        values.pop("history")
        index.write_text(json.dumps(values), encoding="utf-8")
    else:
        index.write_text("{" if damage == "not json" else "[]", encoding="utf-8")
    task = Tiny()
    trainer_of(tmp_path)(task, store, 0)
    assert task.training
    assert "damaged" in caplog.text
    assert state_of(task) == state_of(first)
    assert len(list((tmp_path / "tiny").iterdir())) == 3


@pytest.mark.parametrize("value", [math.nan, math.inf])
def test_a_loss_that_is_no_number_stops_with_its_name_and_place(
    store: WindowStore, tmp_path: Path, value: float
) -> None:
    with pytest.raises(TrainingError, match=r"'bright' is (nan|inf) at step 4 of epoch 2; .*tiny") as caught:
        trainer_of(tmp_path)(Broken(12, value), store, 0)
    assert str(tmp_path / "tiny") in str(caught.value)
    assert caught.value.exit_status == 1
    index = json.loads((tmp_path / "tiny" / "checkpoint.json").read_text(encoding="utf-8"))
    assert (index["epoch"], index["step"], len(index["history"])) == (1, 0, 1)


def test_without_a_checkpoint_none_is_named(store: WindowStore, tmp_path: Path) -> None:
    with pytest.raises(TrainingError, match="step 1 of epoch 1; no state was kept"):
        trainer_of(tmp_path)(Broken(1), store, 0)


def test_a_loss_on_held_out_windows_is_looked_at_too(store: WindowStore, tmp_path: Path) -> None:
    with pytest.raises(TrainingError, match="'bright' is nan on held-out windows at step 8 of epoch 1"):
        trainer_of(tmp_path)(HeldOutBroken(), store, 0)


class HeldOutBroken(Tiny):
    def losses(self, batch: Mapping[str, Tensor]) -> Mapping[str, Tensor]:
        losses = dict(super().losses(batch))
        return losses if self.module.training else losses | {"bright": losses["bright"] * math.nan}


class Steep(Tiny):
    """A loss of a finite value whose gradient is not."""

    def losses(self, batch: Mapping[str, Tensor]) -> Mapping[str, Tensor]:
        picture = super().losses(batch)["picture"]
        return {"picture": picture, "root": (picture - picture.detach()).sqrt()}


def test_a_gradient_that_is_no_number_stops_before_it_is_learned_from(store: WindowStore, tmp_path: Path) -> None:
    task = Steep()
    before = {name: value.clone() for name, value in task.module.named_parameters()}
    with pytest.raises(TrainingError, match=r"norm of the gradient is (nan|inf) at step 1 of epoch 1"):
        trainer_of(tmp_path)(task, store, 0)
    assert all(torch.equal(before[name], value) for name, value in task.module.named_parameters())


def test_the_best_epoch_or_the_last_is_kept(store: WindowStore, tmp_path: Path) -> None:
    best, last, first = Leaving(), Leaving(), Leaving()
    trainer_of(tmp_path / "best")(best, store, 0)
    trainer_of(tmp_path / "last", choose="last")(last, store, 0)
    trainer_of(tmp_path / "first", epochs=1)(first, store, 0)
    assert state_of(best) == state_of(first)
    assert state_of(best) != state_of(last)


def test_held_out_windows_are_never_learned_from(store: WindowStore, tmp_path: Path) -> None:
    task = trained(store, tmp_path, epochs=2, holdout=0.3)
    seen: dict[bool, set[bytes]] = {True: set(), False: set()}
    for training, images in task.training:
        seen[training] |= {image.numpy().tobytes() for image in images}
    assert len(seen[True]) > len(seen[False]) > 0
    assert sum(len(images) for _, images in task.training) == 2 * len(store)
    assert not seen[True] & seen[False]


def test_nothing_may_be_held_out(store: WindowStore, tmp_path: Path) -> None:
    trained(store, tmp_path, holdout=0)
    assert [row["held_out"] for row in history(tmp_path)] == [None] * 3


def test_fewer_windows_than_a_batch_are_one_step(store: WindowStore, tmp_path: Path) -> None:
    part = store.parts[0]
    task = Tiny(batch=64)
    trainer_of(tmp_path, holdout=0.2)(task, WindowStore([part]), 0)
    assert [len(images) for training, images in task.training if training] == [24] * 3


def test_no_windows_are_told(store: WindowStore, tmp_path: Path) -> None:
    with pytest.raises(FootageError, match="give more footage"):
        trainer_of(tmp_path)(Tiny(), WindowStore([]), 0)
    with pytest.raises(FootageError, match="give more footage"):
        trainer_of(tmp_path)(Tiny(), WindowStore([store.parts[0].between(-2, -1)]), 0)


class Unreadable(Tiny):
    def batch(self, windows: Windows) -> Mapping[str, Tensor]:  # noqa: ARG002
        raise OSError("the disk went away")


def test_what_goes_wrong_while_reading_comes_out_and_the_thread_ends(store: WindowStore, tmp_path: Path) -> None:
    with pytest.raises(OSError, match="the disk went away"):
        trainer_of(tmp_path)(Unreadable(), store, 0)
    with pytest.raises(KilledError):
        trainer_of(tmp_path, killer(2))(Tiny(), store, 0)
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("amiss-feed")]


def test_progress_names_the_epoch_and_the_losses_and_ends_whole(store: WindowStore, tmp_path: Path) -> None:
    told: list[tuple[str, int, int]] = []
    trainer_of(tmp_path, lambda *step: told.append(step))(Tiny(), store, 0)
    assert told[0][1:] == (1, 24)
    assert told[-1][1:] == (24, 24)
    assert {done for _, done, _ in told} >= set(range(1, 21))
    assert [done for _, done, _ in told] == sorted(done for _, done, _ in told)
    assert all(text.startswith("training tiny: epoch ") for text, *_ in told)
    assert ", loss 0." in told[0][0]
    assert ", held out 0." in told[-1][0]


def test_a_summary_is_kept(store: WindowStore, tmp_path: Path) -> None:
    trainer = trainer_of(tmp_path, precision="bf16")
    trainer(Tiny(), store, 0)
    (kept,) = trainer.trained.values()
    assert kept["epochs"] == 3
    assert kept["losses"].keys() == {"picture", "bright"}
    assert (kept["precision"], kept["device"]) == ("bf16", "cpu")
    assert kept["held_out"] >= kept["best"] > 0
    json.dumps(kept)


def test_several_devices_see_every_window_once(store: WindowStore, tmp_path: Path) -> None:
    one, two = trained(store, tmp_path / "1", epochs=2), trained(store, tmp_path / "2", epochs=2, devices=2)
    alone, together = ([row["loss"] for row in history(tmp_path / name)] for name in ("1", "2"))
    assert np.allclose(alone, together, rtol=0.2)  # statistics of half a batch differ a little
    assert state_of(one) != state_of(two)
    assert not two.module.training


def test_several_devices_learn_the_weights_that_one_learns(store: WindowStore, tmp_path: Path) -> None:
    """Of a network whose windows do not see each other; the last batch of an epoch does not divide by the devices."""
    one, two = (
        plainly(trainer_of(tmp_path / str(count), epochs=2, batch=7, devices=count, holdout=0.2), store)
        for count in (1, 2)
    )
    for name, tensor in one.module.state_dict().items():
        assert torch.allclose(tensor, two.module.state_dict()[name], rtol=1e-4, atol=1e-6), name
    alone, together = (history(tmp_path / name) for name in ("1", "2"))
    for key in ("loss", "held_out"):
        assert np.allclose([row[key] for row in alone], [row[key] for row in together], rtol=1e-5), key


def test_tied_weights_and_counters_are_kept(store: WindowStore, tmp_path: Path) -> None:
    class Tied(Tiny):
        def __init__(self) -> None:
            super().__init__()
            shared = nn.Conv2d(3, 3, 1)
            self.module = nn.Sequential(shared, nn.BatchNorm2d(3), shared)

    first, again = Tied(), Tied()
    again.module.load_state_dict(first.module.state_dict())
    for task in (first, again):
        trainer_of(tmp_path)(task, store, 0)
    assert not again.training
    assert state_of(first) == state_of(again)
    assert int(first.module[1].num_batches_tracked) > 0  # type: ignore[index,arg-type]


def test_clips_are_learned_from_in_bf16(tmp_path: Path) -> None:
    """With convolutions in three dimensions, whose channels lie together in a way of their own."""

    class Clips(Tiny):
        def __init__(self) -> None:
            super().__init__()
            self.module = nn.Sequential(nn.Conv3d(3, 4, (1, 3, 3), padding=(0, 1, 1)), nn.Conv3d(4, 3, 1))

        def losses(self, batch: Mapping[str, Tensor]) -> Mapping[str, Tensor]:
            clip = batch["image"][:, :, None]
            return {"picture": (self.module(clip).float() - clip).square().mean()}

    task = Clips()
    trainer_of(tmp_path, precision="bf16")(task, tiny_store(tmp_path), 0)
    losses = [row["loss"] for row in history(tmp_path)]
    assert losses[-1] < losses[0]
