"""Attribute densities: the instant baseline, and the default."""

from amiss.methods.attributes.method import Attributes, AttributesSettings

__all__ = ["Attributes", "AttributesSettings"]
