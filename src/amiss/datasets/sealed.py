"""Labels of test clips are out of reach while anything learns, calibrates or scores."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from amiss.errors import DatasetError

__all__ = ["check_open", "sealed"]

_SEALED: ContextVar[str] = ContextVar("sealed", default="")


@contextmanager
def sealed(doing: str) -> Iterator[None]:
    """No label, mask, box or track of a test clip can be read inside.

    Args:
        doing: What is going on, for the message, such as `learns`.
    """
    token = _SEALED.set(doing)
    try:
        yield
    finally:
        _SEALED.reset(token)


def check_open(clip: str) -> None:
    """Whether the truth about a test clip may be read.

    Args:
        clip: Its name, for the message.

    Raises:
        DatasetError: Something learns or scores at the moment.
    """
    if doing := _SEALED.get():
        raise DatasetError(f"the truth about test clip {clip} is sealed while a model {doing}; read it when it is done")
