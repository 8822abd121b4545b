"""Running the command inside the test's own process."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass

import pytest

from amiss import cli


@dataclass(frozen=True)
class Answer:
    """What the command said, and its exit status."""

    status: int
    out: str
    err: str


Run = Callable[..., Answer]


def runner(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Run:
    """Call it with arguments as on the command line."""

    def run(*arguments: object) -> Answer:
        monkeypatch.setattr(sys, "argv", ["amiss", *map(str, arguments)])
        capsys.readouterr()
        with pytest.raises(SystemExit) as ended:
            cli.main()
        said = capsys.readouterr()
        return Answer(int(ended.value.code or 0), said.out, said.err)

    return run


def problem(answer: Answer, status: int = 2) -> str:
    """The one line on standard error, after checking that there is nothing else."""
    assert answer.status == status, answer
    assert "Traceback" not in answer.err
    lines = [line for line in answer.err.splitlines() if line.startswith("amiss: ")]
    assert lines == answer.err.splitlines()[-1:], answer.err
    return lines[0]
