"""Write `docs/configuration.md` from the fields of the settings.

Run it after a setting has changed: `.venv/bin/python scripts/settings_page.py`. A test fails while the page is old.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from amiss.config import Config, Settings, setting_rows
from amiss.engine.model import LEVEL_KEYS, OPEN_KEYS
from amiss.methods import METHODS

__all__ = ["settings_page"]

PAGE = Path(__file__).resolve().parents[1] / "docs" / "configuration.md"

HEAD = """# Configuration

Every setting, its type and its default. This page is written by `scripts/settings_page.py` from the fields in
`src/amiss/config` and in the methods; change it there.

A setting is given as `--set KEY=VALUE`, which may come several times, or in a YAML file with `--config FILE`; `--set`
wins over the file. In a file the dots are levels:

```yaml
perception:
  boxes:
    source: motion
scoring:
  budget: 2/day
```

In the library they are `amiss.learn(..., settings=["scoring.budget=2/day"])`, or a whole `amiss.config.Config`.
`amiss settings` and `amiss methods` show the same tables. A key that does not exist, or a value that does not fit, is
refused with one line that names it.

A model keeps the settings that it was learned with. When scoring, only those that take no part in what was learned can
be changed: {open}.
For another {levels} the level is set anew,
from what was held back.

`perception.scenes.*` decides when `amiss watch` takes a view for another one: the background and health of a view
(`amiss.perception.scenes`). `perception.clips.*` is for the methods that learn from labels of videos.

Environment: `AMISS_WEIGHTS` is a folder of pretrained networks.
`AMISS_CACHE` is the folder of what perception found (by default `amiss` in the user's cache folder); it
can be removed at any time.
"""


def settings_page() -> str:
    """The whole page, as Markdown."""
    keys = [f"{key}*" if key.endswith(".") else key for key in OPEN_KEYS]
    head = HEAD.replace("{open}", _listed([key.replace("engine", "engine*") for key in keys], "and"))
    parts = [head.replace("{levels}", _listed(LEVEL_KEYS, "or")), "## Settings of a run\n", _table(Config, "")]
    for name in METHODS:
        parts += [f"## Settings of the method `{name}`\n", _table(METHODS[name].settings_type, "method.")]
    return "\n".join(parts)


def _listed(keys: Sequence[str], last: str) -> str:
    return ", ".join(f"`{key}`" for key in keys[:-1]) + f" {last} `{keys[-1]}`"


def _table(model: type[Settings], prefix: str) -> str:
    rows = [
        f"| `{key}` | {_code(kind)} | {_code(value)} | {text} |"
        for key, kind, value, text in setting_rows(model, prefix)
    ]
    return "\n".join(["| key | type | default | what it does |", "|---|---|---|---|", *rows, ""])


def _code(value: Any) -> str:
    """In code font; a bar would end the cell of the table."""
    text = ", ".join(map(str, value)) if isinstance(value, tuple) else str(value)
    return "—" if value is None else "`" + text.replace("|", "\\|") + "`"


if __name__ == "__main__":
    PAGE.write_text(settings_page(), encoding="utf-8")
