"""The tags of every resource: the one place where they are put together."""

from __future__ import annotations

from collections.abc import Mapping


def resource_tags(workload: str, scope: str, extra: Mapping[str, str]) -> dict[str, str]:
    """Return the tags of one scope's resources: what the user gave, and what tells whose a resource is.

    Args:
        workload: business unit and application written together.
        scope: `shared` or the stamp's stack name.
        extra: the user's tags. They never displace `application`, `scope` or `managed-by`, which costs and clean-up
            scripts select by.
    """
    return {**extra, "application": workload, "scope": scope, "managed-by": "pulumi"}
