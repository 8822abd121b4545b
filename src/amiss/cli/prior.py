"""What models of several cameras know, for a camera that has seen little."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from amiss.cli.common import make, tell

__all__ = ["prior"]


def prior(
    models: Annotated[list[Path], typer.Argument(help="Models of other cameras, or priors made before.")],
    out: Annotated[Path, typer.Option("--out", help="File to write to.")],
) -> None:
    """Make a prior of models of other cameras, for --set method.prior=[FILE]."""
    from amiss.methods.attributes.prior import read_prior
    from amiss.storage import whole_file

    made = read_prior(models)
    make(out.absolute().parent, "--out")
    with whole_file(out) as partial:
        partial.write_bytes(made.to_bytes())
    count = "1 camera" if len(made.cameras) == 1 else f"{len(made.cameras)} cameras"
    tell(f"the prior of {count} is {out}; learn with --set method.prior=[{out}]")
