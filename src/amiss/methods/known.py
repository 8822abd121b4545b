"""The registry of methods, empty: the package fills it, and methods that are made of others look into it."""

from __future__ import annotations

from amiss.methods.base import Method
from amiss.registry import Registry

__all__ = ["METHODS"]

METHODS: Registry[type[Method]] = Registry("method", group="amiss.methods")
