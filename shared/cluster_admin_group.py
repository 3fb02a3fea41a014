"""The Entra group whose members administer every cluster of the fleet (access scheme `globalGroup`).

The stamps grant it rights on their clusters; this gives it none.
"""

from __future__ import annotations

import pulumi
import pulumi_azuread as azuread

from foundation.azure_types import Arguments


class ClusterAdminGroupArgs(Arguments):
    """`owners` and `members` are object ids."""

    display_name: str
    owners: tuple[str, ...]
    members: tuple[str, ...]


class ClusterAdminGroup(pulumi.ComponentResource):
    """One security group."""

    object_id: pulumi.Output[str]

    def __init__(self, name: str, args: ClusterAdminGroupArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("aks-geode:shared:ClusterAdminGroup", name, None, opts)
        group = azuread.Group(
            f"{name}-group",
            display_name=args.display_name,
            description="Administrators of every AKS cluster of this application",
            security_enabled=True,
            mail_enabled=False,
            assignable_to_role=False,
            # Entra lets two groups share a name; a second "cluster admins" is how the wrong people get in.
            prevent_duplicate_names=True,
            # Without owners Entra makes the caller the owner. Naming the caller here as the only one is refused as a
            # duplicate (https://github.com/pulumi/pulumi-azuread/issues/289).
            owners=_distinct(args.owners),
            # Without members in the configuration the membership belongs to whoever owns the group.
            members=_distinct(args.members),
            opts=pulumi.ResourceOptions(parent=self),
        )
        self.object_id = group.object_id
        self.register_outputs({"objectId": self.object_id})


def _distinct(object_ids: tuple[str, ...]) -> list[str] | None:
    return sorted({each.lower() for each in object_ids}) or None
