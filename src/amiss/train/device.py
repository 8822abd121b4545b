"""Where and in which numbers networks are trained."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Literal

import torch

__all__ = ["cores", "native_bf16", "repeatable", "resolve_precision"]

Precision = Literal["32", "bf16"]


def native_bf16(device: torch.device) -> bool:
    """Whether the device computes in bf16 itself; elsewhere it is slower than 32 bits."""
    if device.type == "cuda":
        return bool(torch.cuda.is_bf16_supported(including_emulation=False))
    able = torch.cpu.get_capabilities()
    return device.type == "cpu" and bool(able.get("avx512_bf16") or able.get("amx_bf16"))


def resolve_precision(setting: Literal["auto", "32", "bf16"], device: torch.device) -> Precision:
    """The numbers that `train.precision` means on a device."""
    if setting == "auto":
        return "bf16" if native_bf16(device) else "32"
    return setting


def cores() -> int:
    """Cores that this process may use; fewer where `OMP_NUM_THREADS`, the common way to say so, asks for it."""
    asked = os.environ.get("OMP_NUM_THREADS", "")
    if asked.isdecimal() and int(asked):
        return min(int(asked), _allowed())
    return _allowed()


def _allowed() -> int:
    """Cores that the system gives to this process."""
    # Not every system can say which it gives to a process.
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


@contextmanager
def repeatable(threads: int) -> Iterator[None]:
    """While the block runs, torch uses so many threads and the same sums in the same order each time.

    Afterwards threads, and the state of torch's random numbers, are as before.
    """
    before = torch.get_num_threads(), torch.are_deterministic_algorithms_enabled()
    memory: Any = torch.utils.deterministic
    filling = memory.fill_uninitialized_memory
    warning = torch.is_deterministic_algorithms_warn_only_enabled()
    torch.set_num_threads(threads)
    torch.use_deterministic_algorithms(mode=True, warn_only=True)
    memory.fill_uninitialized_memory = False  # for hunting bugs; it costs a write of every array
    try:
        with torch.random.fork_rng(devices=[]):
            yield
    finally:
        torch.set_num_threads(before[0])
        torch.use_deterministic_algorithms(mode=before[1], warn_only=warning)
        memory.fill_uninitialized_memory = filling
