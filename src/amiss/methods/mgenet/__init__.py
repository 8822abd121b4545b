"""Multilevel guidance and exploration, and behaviour-scene matching."""
