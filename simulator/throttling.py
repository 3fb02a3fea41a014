"""Resource Manager's limits on requests: one token bucket for writes and one for deletes, by subscription.

Source: https://learn.microsoft.com/azure/azure-resource-manager/management/request-limits-and-throttling
(a bucket of 200, refilled with 10 a second, for a subscription and region of Resource Manager).
"""

from __future__ import annotations

from typing import Final

_BUCKET_SIZE: Final = 200
_REFILL_PER_SECOND: Final = 10
_RETRY_AFTER: Final = 5
"""Seconds. Resource Manager tells a time of its own making; no document gives the figure, this one is ours."""
TRIES: Final = 4
"""A request and the three repetitions that azure-native makes on its own (azcore's default)."""


class TokenBucket:
    """Requests that are free at a moment."""

    def __init__(self, size: float = _BUCKET_SIZE, refill: float = _REFILL_PER_SECOND) -> None:
        self._size = size
        self._refill = refill
        self._tokens = size
        self._filled = 0.0

    def take(self, now: float) -> float:
        """Take one request; return 0, or the seconds of ``Retry-After`` when none is free."""
        self._tokens = min(self._size, self._tokens + max(0.0, now - self._filled) * self._refill)
        self._filled = now
        if self._tokens >= 1:
            self._tokens -= 1
            return 0
        return max(_RETRY_AFTER, (1 - self._tokens) / self._refill)
