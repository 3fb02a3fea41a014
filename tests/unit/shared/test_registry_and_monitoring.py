"""Registry, workspace, alerts and the group of administrators."""

from __future__ import annotations

import pytest

from tests.unit.pulumi_mocks import SUBSCRIPTION_ID, RecordingMocks
from tests.unit.shared.shared_deployment import OWNER, azure, deploy_shared


class TestContainerRegistry:
    """Registry and replicas."""

    def test_registry_is_closed(self, plain: RecordingMocks) -> None:
        """No public access, no admin, no anonymous pull, no export."""
        inputs = plain.one(azure("containerregistry:Registry")).inputs
        assert inputs["sku"] == {"name": "Premium"}
        assert inputs["publicNetworkAccess"] == "Disabled"
        assert inputs["networkRuleSet"]["defaultAction"] == "Deny"
        assert inputs["adminUserEnabled"] is False
        assert inputs["anonymousPullEnabled"] is False
        assert inputs["dataEndpointEnabled"] is True
        assert inputs["zoneRedundancy"] == "Enabled"
        assert inputs["policies"]["exportPolicy"] == {"status": "disabled"}
        assert inputs["policies"]["retentionPolicy"] == {"status": "enabled", "days": 15}

    def test_each_other_region_has_one_replica_zone_redundant_where_possible(self, plain: RecordingMocks) -> None:
        """Zone redundancy is said outright; the SDK would send Disabled."""
        replicas = plain.of_type(azure("containerregistry:Replication"))
        assert {each.inputs["location"]: each.inputs["zoneRedundancy"] for each in replicas} == {
            "centralus": "Enabled",
            "westus": "Disabled",
        }

    def test_replicas_come_one_after_the_other(self, plain: RecordingMocks) -> None:
        """Each replica makes Azure write to every private endpoint of the registry."""
        first, second = plain.named("shared-registry-centralus"), plain.named("shared-registry-westus")
        assert first.urn in second.dependencies

    def test_changed_zone_redundancy_replaces_a_replica_and_deletes_it_first(self, plain: RecordingMocks) -> None:
        """Azure cannot update it and takes one replica a region."""
        replica = plain.named("shared-registry-westus")
        assert replica.replace_on_changes == ("zoneRedundancy",)
        assert replica.delete_before_replace

    def test_unknown_region_goes_without_zone_redundancy(self, caplog: pytest.LogCaptureFixture) -> None:
        """A region that the table does not know warns and is not refused."""
        record = deploy_shared(regions=["eastus2", "moonbase"])
        assert record.named("shared-registry-moonbase").inputs["zoneRedundancy"] == "Disabled"
        assert "moonbase" in caplog.text

    def test_the_ingress_controllers_image_comes_through_the_cache(self, plain: RecordingMocks) -> None:
        """Clusters reach this registry only; a rule without credentials is not possible for Docker Hub."""
        rule = plain.one(azure("containerregistry:CacheRule"))
        assert rule.inputs["targetRepository"] == "traefik"
        assert rule.inputs["sourceRepository"].startswith("public.ecr.aws/docker/library/")
        assert "credentialSetResourceId" not in rule.inputs
        assert len(rule.inputs["cacheRuleName"]) >= 5, "Azure's least"


class TestMonitoring:
    """Workspace, action group, alerts."""

    def test_workspace_takes_no_shared_keys(self, plain: RecordingMocks) -> None:
        """Agents sign in with identities."""
        inputs = plain.one(azure("operationalinsights:Workspace")).inputs
        assert inputs["sku"] == {"name": "PerGB2018"}
        assert inputs["features"]["disableLocalAuth"] is True
        assert inputs["retentionInDays"] == 30
        assert inputs["workspaceCapping"] == {"dailyQuotaGb": -1}

    def test_everyone_in_the_configuration_gets_mail(self, full: RecordingMocks) -> None:
        """Each address is a receiver with a name of its own."""
        receivers = full.one(azure("monitor:ActionGroup")).inputs["emailReceivers"]
        assert [each["emailAddress"] for each in receivers] == ["a@contoso.com", "b@contoso.com"]
        assert len({each["name"] for each in receivers}) == 2

    def test_short_name_fitsazure(self, plain: RecordingMocks) -> None:
        """Azure takes at most 12 characters."""
        assert len(plain.one(azure("monitor:ActionGroup")).inputs["groupShortName"]) <= 12

    def test_each_origin_that_fails_its_probes_raises_an_alert(self, plain: RecordingMocks) -> None:
        """Origins are judged one by one, not as an average."""
        inputs = plain.one(azure("monitor:MetricAlert")).inputs
        (criterion,) = inputs["criteria"]["allOf"]
        assert criterion["metricName"] == "OriginHealthPercentage"
        assert criterion["dimensions"] == [{"name": "Origin", "operator": "Include", "values": ["*"]}]
        assert (criterion["operator"], criterion["threshold"]) == ("LessThan", 90)
        assert inputs["criteria"]["odataType"] == "Microsoft.Azure.Monitor.SingleResourceMultipleMetricCriteria"

    def test_failed_pods_are_counted_in_the_shared_workspace_only(self, plain: RecordingMocks) -> None:
        """The alert does not read other clusters of the subscription."""
        inputs = plain.one(azure("monitor:ScheduledQueryRule")).inputs
        assert [scope.rpartition("/")[2] for scope in inputs["scopes"]] == ["log-bu0001a0042-shared"]
        assert inputs["criteria"]["allOf"][0]["metricMeasureColumn"] == "FailedCount"
        assert "KubePodInventory" in inputs["criteria"]["allOf"][0]["query"]
        assert inputs["skipQueryValidation"] is True

    def test_azures_own_notices_reach_the_action_group(self, plain: RecordingMocks) -> None:
        """Service health and Advisor, over the whole subscription."""
        alerts = plain.of_type(azure("monitor:ActivityLogAlert"))
        categories = {each.inputs["condition"]["allOf"][0]["equals"] for each in alerts}
        assert categories == {"ServiceHealth", "Recommendation"}
        assert all(each.inputs["scopes"] == [f"/subscriptions/{SUBSCRIPTION_ID}"] for each in alerts)
        assert all(each.inputs["actions"]["actionGroups"] for each in alerts)


class TestClusterAdminGroup:
    """The Entra group."""

    def test_group_names_each_owner_once(self, full: RecordingMocks) -> None:
        """Entra refuses an owner who is named twice, in whatever case."""
        inputs = full.one("azuread:index/group:Group").inputs
        assert inputs["owners"] == inputs["members"] == [OWNER]
        assert inputs["securityEnabled"] is True
        assert inputs["preventDuplicateNames"] is True

    def test_without_owners_the_caller_becomes_the_owner(self, plain: RecordingMocks) -> None:
        """Nothing is sent, and Entra makes the caller the owner."""
        inputs = plain.one("azuread:index/group:Group").inputs
        assert "owners" not in inputs
        assert "members" not in inputs
