"""Pages and calls are declared with who may have them: there is no way to forget it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, TypeVar

from fastapi import Depends, FastAPI

__all__ = ["API", "Routes"]

API = "/api/v1"
Endpoint = TypeVar("Endpoint", bound=Callable[..., Any])
Gate = Callable[..., Any]


@dataclass(frozen=True)
class Routes:
    """Some pages or calls.

    Attributes:
        prefix: Of all paths; what is below that of the API is told in its description.
        added: How each is added to an app.
    """

    prefix: str = ""
    added: list[Callable[[FastAPI], None]] = field(default_factory=list)

    def get(self, path: str, gate: Gate, **options: Any) -> Callable[[Endpoint], Endpoint]:
        """Declare something to look at.

        Args:
            path: As FastAPI has it.
            gate: Dependency of `amiss.web.gates` that lets people in.
            options: Of FastAPI.
        """
        return self._declare("GET", path, gate, options)

    def post(self, path: str, gate: Gate, **options: Any) -> Callable[[Endpoint], Endpoint]:
        """Declare something that changes something.

        Args:
            path: As FastAPI has it.
            gate: Dependency of `amiss.web.gates` that lets people in.
            options: Of FastAPI.
        """
        return self._declare("POST", path, gate, options)

    def _declare(self, method: str, path: str, gate: Gate, options: dict[str, Any]) -> Callable[[Endpoint], Endpoint]:
        def declare(endpoint: Endpoint) -> Endpoint:
            told = {"response_model": None, "include_in_schema": self.prefix == API} | options
            self.added.append(
                lambda app: app.add_api_route(
                    self.prefix + path, endpoint, methods=[method], dependencies=[Depends(gate)], **told
                )
            )
            return endpoint

        return declare

    def add_to(self, app: FastAPI) -> None:
        """Put them into an app."""
        for add in self.added:
            add(app)
