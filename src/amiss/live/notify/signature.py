"""How a receiver knows that a webhook's body comes from here, whole and lately. Needs the standard library only."""

from __future__ import annotations

import hashlib
import hmac
import time

__all__ = ["sign", "verify"]

SCHEME = "sha256="
TOLERANCE = 300.0
"""Seconds by which a time stamp may be off."""


def sign(secret: str, timestamp: str, body: bytes) -> str:
    """What `X-Amiss-Signature` says: HMAC-SHA256 over the time stamp, a full stop and the body.

    Args:
        secret: The key that sender and receiver share.
        timestamp: What `X-Amiss-Timestamp` says: seconds since 1970.
        body: The body as it was sent.
    """
    return SCHEME + hmac.new(secret.encode(), timestamp.encode() + b"." + body, hashlib.sha256).hexdigest()


def verify(secret: str, timestamp: str, body: bytes, signature: str, now: float | None = None) -> bool:
    """Whether a body is what was signed with the secret, within five minutes.

    Args:
        secret: The key that sender and receiver share.
        timestamp: The header `X-Amiss-Timestamp`, empty where there was none.
        body: The body as it was received, before anything parses it.
        signature: The header `X-Amiss-Signature`, likewise.
        now: Seconds since 1970; by default the time of this machine.
    """
    now = time.time() if now is None else now
    if not timestamp.isascii() or not timestamp.isdigit() or abs(now - int(timestamp)) > TOLERANCE:
        return False
    return hmac.compare_digest(sign(secret, timestamp, body).encode(), signature.encode())
