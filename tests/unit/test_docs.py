"""The documents speak of what there is."""

from __future__ import annotations

import os
import re
import runpy
import shlex
import tomllib
from pathlib import Path

import pytest
from typer.main import get_command

from amiss.cli import app
from amiss.config import load_config

ROOT = Path(__file__).parents[2]
PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), *ROOT.glob("papers/*.md")])
LINK = re.compile(r"\]\(([^)\s]+)\)")
BLOCK = re.compile(r"^```\w*\n(.*?)^```", re.MULTILINE | re.DOTALL)
WITH_COMMANDS = [
    "README.md",
    "CONTRIBUTING.md",
    "docs/fusion.md",
    *(f"papers/{path.name}" for path in (ROOT / "papers").glob("*.md")),
]


def name_of(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def commands_in(page: str) -> list[str]:
    """Every `amiss …` in code, in blocks and within lines, without comments."""
    text = (ROOT / page).read_text(encoding="utf-8")
    lines = [line for block in BLOCK.findall(text) for line in block.splitlines()]
    lines += re.findall(r"`([^`\n]+)`", BLOCK.sub("", text))
    return [line.split(" #")[0].strip() for line in lines if line.startswith("amiss ")]


def test_the_page_of_settings_is_up_to_date() -> None:
    written = runpy.run_path(str(ROOT / "scripts" / "settings_page.py"))["settings_page"]()
    page = (ROOT / "docs" / "configuration.md").read_text(encoding="utf-8")
    assert page == written, "run .venv/bin/python scripts/settings_page.py"


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_every_relative_link_leads_somewhere(page: Path) -> None:
    links = [link for link in LINK.findall(page.read_text(encoding="utf-8")) if "://" not in link]
    missing = [link for link in links if not (page.parent / link.split("#")[0]).exists()]
    assert not missing


@pytest.mark.parametrize("line", [line for page in WITH_COMMANDS for line in commands_in(page)])
def test_every_command_shown_is_understood(line: str) -> None:
    _, name, *words = shlex.split(line)
    context = get_command(app).commands[name].make_context(name, words)
    load_config(sets=context.params.get("sets") or [])


@pytest.mark.parametrize("name", sorted(get_command(app).commands))
def test_the_readme_shows_every_command(name: str) -> None:
    assert any(line.split()[1] == name for line in commands_in("README.md"))


def test_every_decision_is_listed() -> None:
    folder = ROOT / "docs" / "decisions"
    listed = set(LINK.findall((folder / "README.md").read_text(encoding="utf-8")))
    assert listed == {path.name for path in folder.glob("[0-9]*.md")}


@pytest.mark.parametrize("script", ["scripts/check", "scripts/test", "scripts/demo", ".ci/run"])
def test_scripts_can_be_started(script: str) -> None:
    assert os.access(ROOT / script, os.X_OK)


def test_every_dependency_is_pinned() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    extras = project["optional-dependencies"]
    wanted = project["dependencies"] + [text for extra in extras.values() for text in extra]
    names = {re.split(r"[^\w.-]", text)[0].lower().replace("_", "-") for text in wanted} - {"amiss"}
    lines = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    pins = dict(line.split("==") for line in lines if not line.startswith("#"))
    assert names <= pins.keys()
    assert all(re.fullmatch(r"\d[\w.]*", version) for version in pins.values())


@pytest.mark.parametrize("page", sorted(path.name for path in (ROOT / "papers").glob("[a-z]*.md")))
def test_the_page_of_a_paper_names_code_that_exists(page: str) -> None:
    text = (ROOT / "papers" / page).read_text(encoding="utf-8")
    cells = [line.split("|")[3] for line in text.splitlines() if line.count("|") == 4]
    source, checked = "", 0
    for span in [span for cell in cells for span in re.findall(r"`([^`]+)`", cell)]:
        if span.endswith(".py"):
            found = [path for path in (ROOT / "src" / "amiss").rglob("*.py") if path.as_posix().endswith(f"/{span}")]
            assert len(found) == 1, f"{span} is {len(found)} files"
            source = found[0].read_text(encoding="utf-8")
        else:
            unknown = [name for name in span.split(".") if not re.search(rf"\b(class|def) {name}\b", source)]
            assert not unknown, f"{span} is not there"
            checked += 1
    assert checked > 10
