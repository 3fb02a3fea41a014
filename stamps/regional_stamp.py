"""One regional stamp: everything that a region needs to serve, built on the shared services.

Owns three resource groups (hub, spoke, cluster) and all in them; in the shared group it adds its origin, its pull right
on the registry, its endpoint's approval and, where there is a fleet manager, its cluster's membership. Traffic may come
last: the origin is the last to be made and, because Pulumi removes in the opposite order, the first to go.
"""

from __future__ import annotations

import pulumi
from pulumi_azure_native import resources

from foundation.azure_regions import AS_OF, ZONES
from foundation.azure_types import Arguments
from foundation.configuration import Problem, configuration_error
from foundation.naming import Naming
from foundation.tags import resource_tags
from shared.outputs import SharedOutputs
from stamps.config import StampConfig
from stamps.fleet import STAMP_KEY
from stamps.fleet_membership import FleetMembership, FleetMembershipArgs, membership_problems
from stamps.front_door_origin import FrontDoorOrigin, FrontDoorOriginArgs, PublicDnsRecord, PublicDnsRecordArgs
from stamps.regional_cluster import RegionalCluster, RegionalClusterArgs
from stamps.regional_entry import RegionalEntry, RegionalEntryArgs
from stamps.regional_network import RegionalNetwork, RegionalNetworkArgs
from stamps.stamp_secrets import StampCertificates


class RegionalStampArgs(Arguments):
    """`stamp` is the stamp's name (its stack's), `shared` the contract of its shared stack.

    `protect` guards what holds data or addresses against removal.
    """

    stamp: str
    config: StampConfig
    shared: SharedOutputs
    certificates: StampCertificates
    protect: bool = True

    @property
    def naming(self) -> Naming:
        """The stamp's names."""
        return Naming(
            subscription_id=self.shared.subscription_id,
            workload=self.shared.workload,
            scope=self.stamp,
            generation=self.config.generation,
        )


class RegionalStamp(pulumi.ComponentResource):
    """A region that serves: network, entry (vault, gateway), cluster, and the origin that brings it traffic."""

    outputs: pulumi.Output[dict[str, object]]
    summary: pulumi.Output[dict[str, str]]

    def __init__(self, name: str, args: RegionalStampArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        _check_region(args)
        _check_membership(args)
        super().__init__("aks-geode:stamps:RegionalStamp", name, None, opts)
        child = pulumi.ResourceOptions(parent=self)
        config, shared, naming = args.config, args.shared, args.naming
        if config.region not in ZONES:
            pulumi.log.warn(
                f"{config.region} is not in the region table of {AS_OF}: check its name, and set zones if it has any."
            )
        if not config.availability_zones:
            pulumi.log.warn(f"{config.region} gives no availability zones here: zonal SLAs do not hold.")
        tags = resource_tags(shared.workload, args.stamp, {**shared.tags, **config.tags})
        common = {"naming": naming, "config": config, "shared": shared, "protect": args.protect, "tags": tags}
        network = RegionalNetwork(f"{name}-network", RegionalNetworkArgs.model_validate(common), child)
        group = resources.ResourceGroup(
            f"{name}-cluster-group",
            resource_group_name=naming.resource_group("cluster"),
            location=config.region,
            tags=tags,
            opts=pulumi.ResourceOptions(parent=self, protect=args.protect),
        )
        cluster_group = {"resource_group_name": group.name, "resource_group_id": group.id}
        entry = RegionalEntry(
            f"{name}-entry",
            RegionalEntryArgs.model_validate(
                {**common, "resource_group_name": group.name, "spoke": network.spoke, "certificates": args.certificates}
            ),
            child,
        )
        cluster = RegionalCluster(
            f"{name}-cluster",
            RegionalClusterArgs.model_validate(
                {
                    **common,
                    **cluster_group,
                    "stamp": args.stamp,
                    "spoke": network.spoke,
                    "vault_name": entry.vault_name,
                    "identities": entry.identities,
                }
            ),
            child,
            after=[*network.egress_ready, *entry.cluster_needs],
        )
        self._enrol(name, args, network, after=[entry, cluster])
        self._join_fleet(name, args, cluster)
        self.outputs = pulumi.Output.from_input(
            {
                "stamp": args.stamp,
                "region": config.region,
                "gatewayHostName": config.gateway.host_name,
                "gatewayAddress": network.spoke.gateway_public_ip_address,
                "clusterName": cluster.cluster_name,
                "clusterId": cluster.id,
                "keyVaultName": entry.vault_name,
                "ingressAddress": config.ingress_address,
                "egressAddresses": network.egress_addresses,
                "substitutions": cluster.substitutions,
            }
        )
        self.summary = pulumi.Output.all(
            **{
                "Gateway": pulumi.Output.concat(
                    config.gateway.host_name, " (", network.spoke.gateway_public_ip_address, ")"
                ),
                "Cluster": cluster.cluster_name,
                "Key vault": entry.vault_name,
                "Hub network": str(config.network.hub),
                "Spoke network": str(config.network.spoke),
                "Pods, services": f"{config.network.pods}, {config.network.services}",
            }
        )
        self.register_outputs({"outputs": self.outputs, "summary": self.summary})

    def _enrol(
        self, name: str, args: RegionalStampArgs, network: RegionalNetwork, after: list[pulumi.Resource]
    ) -> None:
        """Bring the stamp into rotation: its name in the public zone, then its origin."""
        child = pulumi.ResourceOptions(parent=self)
        host_name = args.config.gateway.host_name
        if args.shared.public_dns_zone is not None:
            record = PublicDnsRecord(
                f"{name}-public-name",
                PublicDnsRecordArgs(
                    contract=args.shared.public_dns_zone,
                    host_name=host_name,
                    address=network.spoke.gateway_public_ip_address,
                ),
                child,
            )
            after = [*after, record]
        FrontDoorOrigin(
            f"{name}-front-door",
            FrontDoorOriginArgs(
                contract=args.shared.front_door,
                shared_resource_group=args.shared.resource_group_name,
                stamp=args.stamp,
                host_name=host_name,
                enabled=args.config.front_door_origin.enabled,
                weight=args.config.front_door_origin.weight,
            ),
            child,
            after=after,
        )

    def _join_fleet(self, name: str, args: RegionalStampArgs, cluster: RegionalCluster) -> None:
        """Enrol the cluster in the fleet manager, if there is one. The origin does not wait for it."""
        fleet_manager = args.shared.fleet_manager
        if fleet_manager is None:
            return
        FleetMembership(
            f"{name}-fleet-membership",
            FleetMembershipArgs(
                fleet_manager=fleet_manager,
                shared_resource_group=args.shared.resource_group_name,
                stamp=args.stamp,
                cluster_id=cluster.id,
                wave=args.config.gitops.wave,
            ),
            pulumi.ResourceOptions(parent=self),
            after=[cluster],
        )


def _check_membership(args: RegionalStampArgs) -> None:
    problems = membership_problems(args.config, args.shared.fleet_manager)
    if problems:
        raise configuration_error(f"Pulumi.{args.stamp}.yaml", problems)


def _check_region(args: RegionalStampArgs) -> None:
    if args.config.region in args.shared.regions:
        return
    shared_file = f"Pulumi.{args.config.shared_stack}.yaml"
    listed = ", ".join(args.shared.regions)
    problem = Problem(
        f"{STAMP_KEY}.region",
        args.config.region,
        f"one of the regions that {shared_file} lists ({listed}); add it there under aks-geode:shared.regions and "
        f"deploy it: pulumi up --stack {args.config.shared_stack}",
        f"- {args.config.region}",
    )
    raise configuration_error(f"Pulumi.{args.stamp}.yaml", [problem])
