"""amiss learns what is normal in front of a fixed camera and shows what is not: when, where and why."""

__version__ = "0.1.0"
