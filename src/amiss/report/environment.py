"""How all pages are made from their templates."""

from __future__ import annotations

from jinja2 import Environment, PackageLoader, StrictUndefined

from amiss.report.content import clock, rarity

__all__ = ["environment"]


def environment() -> Environment:
    """Templates of this package; all text is escaped, and a name that is not there is an error."""
    made = Environment(
        loader=PackageLoader("amiss.report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters.update(clock=clock, rarity=rarity)
    return made
