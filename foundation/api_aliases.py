"""Old API versions as aliases: the SDK gives every resource one alias for each, and they take most of a preview's time.

A stack that was born on today's versions needs none of them; `keepApiAliases` keeps them for the day of an SDK upgrade.
"""

from __future__ import annotations

import pulumi


def _without_version_aliases(args: pulumi.ResourceTransformationArgs) -> pulumi.ResourceTransformationResult | None:
    if not args.type_.startswith("azure-native:") or not args.opts.aliases:
        return None
    kept = [
        alias
        for alias in args.opts.aliases
        if not (isinstance(alias, pulumi.Alias) and isinstance(alias.type_, str) and not isinstance(alias.name, str))
    ]
    args.opts.aliases = kept
    return pulumi.ResourceTransformationResult(args.props, args.opts)


def strip_version_aliases() -> None:
    """Drop the API-version aliases of every azure-native resource of this program. Call before the first resource."""
    pulumi.runtime.register_stack_transformation(_without_version_aliases)
