"""Cluster events (new Kubernetes versions, node images) for a storage queue. Made only when a queue consumes them."""

from __future__ import annotations

import pulumi
from pulumi_azure_native import eventgrid

from foundation.azure_types import Arguments, In
from foundation.diagnostic_settings import diagnostic_settings
from foundation.naming import Naming
from foundation.roles import Role, assign_role
from stamps.config import EventGridSettings


class ClusterEventsArgs(Arguments):
    """The cluster whose events go to the queue; the storage account is somebody else's."""

    naming: Naming
    location: str
    resource_group_name: In[str]
    cluster_id: In[str]
    settings: EventGridSettings
    workspace_id: In[str]
    tags: dict[str, str]


class ClusterEvents(pulumi.ComponentResource):
    """The cluster's system topic with one subscription. It delivers as an identity, so the account needs no key."""

    def __init__(self, name: str, args: ClusterEventsArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("aks-geode:stamps:ClusterEvents", name, None, opts)
        child = pulumi.ResourceOptions(parent=self)
        topic = eventgrid.SystemTopic(
            f"{name}-topic",
            system_topic_name=args.naming.name("evgt", limit=50),
            resource_group_name=args.resource_group_name,
            location=args.location,  # Azure takes a system topic in its source's region only
            source=args.cluster_id,
            topic_type="Microsoft.ContainerService.ManagedClusters",
            identity={"type": eventgrid.IdentityType.SYSTEM_ASSIGNED},
            tags=args.tags,
            opts=child,
        )
        sender = assign_role(
            f"{name}-queue-sender",
            Role.STORAGE_QUEUE_DATA_MESSAGE_SENDER,
            scope=args.settings.storage_account_id,
            principal_id=topic.identity.principal_id,
            naming=args.naming,
            parent=self,
        )
        eventgrid.SystemTopicEventSubscription(
            f"{name}-subscription",
            event_subscription_name="to-queue",
            system_topic_name=topic.name,
            resource_group_name=args.resource_group_name,
            event_delivery_schema=eventgrid.EventDeliverySchema.CLOUD_EVENT_SCHEMA_V1_0,
            # Args classes: the destinations are a union that the SDK cannot tell apart in a dict.
            delivery_with_resource_identity=eventgrid.DeliveryWithResourceIdentityArgs(
                identity=eventgrid.EventSubscriptionIdentityArgs(
                    type=eventgrid.EventSubscriptionIdentityType.SYSTEM_ASSIGNED
                ),
                destination=eventgrid.StorageQueueEventSubscriptionDestinationArgs(
                    endpoint_type="StorageQueue",
                    resource_id=args.settings.storage_account_id,
                    queue_name=args.settings.queue_name,
                ),
            ),
            retry_policy={"max_delivery_attempts": 30, "event_time_to_live_in_minutes": 1440},
            # Azure tries the delivery once while it creates the subscription.
            opts=pulumi.ResourceOptions(parent=self, depends_on=[sender]),
        )
        diagnostic_settings(
            f"{name}-diagnostics",
            target_id=topic.id,
            workspace_id=args.workspace_id,
            parent=self,
            logs=["DeliveryFailures"],
        )
        self.register_outputs({})
