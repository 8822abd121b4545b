"""Writing the networks of a model for other programs."""

from __future__ import annotations

from typing import Annotated

import typer

from amiss.cli.common import Model, Out, console, require, tell
from amiss.console import ProgressDisplay

__all__ = ["export"]


def export(
    model: Model,
    out: Out,
    to: Annotated[str, typer.Option("--to", help="openvino or onnx.")] = "openvino",
) -> None:
    """Write the networks of a model as files for OpenVINO or ONNX."""
    from amiss import api, engine

    if to in ("openvino", "onnx"):
        require(f"export to {to}", "openvino" if to == "openvino" else "export")
    engine.check_export_target(out)
    known = api.load(model)
    with ProgressDisplay(console()) as progress:
        index = engine.export_model(known, out, to, progress)
    for name, entry in index["networks"].items():
        tell(f"{name}: {', '.join(entry['files'])}")
    tell(f"{len(index['networks'])} networks of {index['method']} are in {out}; export.json says what they take")
