"""The shared services as a whole: what stamps are told, and in which order everything comes and goes."""

from __future__ import annotations

from typing import Any

from shared.outputs import SharedOutputs
from tests.unit.pulumi_mocks import OBJECT_ID, RecordingMocks
from tests.unit.shared.shared_deployment import azure, deploy_shared


class TestContract:
    """What stamps read."""

    def test_contract_is_what_a_stamp_validates(self, full: RecordingMocks) -> None:
        """The exported value is exactly what the contract model writes."""
        contract = full.result[0]
        parsed = SharedOutputs.model_validate(contract)
        assert parsed.model_dump(by_alias=True, mode="json") == contract

    def test_contract_names_this_front_door(self, full: RecordingMocks) -> None:
        """A stamp finds profile, group, probe and header value of the profile that was made."""
        front_door = SharedOutputs.model_validate(full.result[0]).front_door
        assert front_door.profile_name == full.one(azure("cdn:Profile")).inputs["profileName"]
        assert front_door.front_door_id == "77777777-0000-1111-2222-333333333333"
        assert front_door.origin_group_name == full.one(azure("cdn:AFDOriginGroup")).inputs["originGroupName"]
        probe = full.one(azure("cdn:AFDOriginGroup")).inputs["healthProbeSettings"]
        assert front_door.probe_path == probe["probePath"] == "/healthz/region"

    def test_contract_carries_base_policy_group_and_zone_when_they_exist(self, full: RecordingMocks) -> None:
        """Optional parts that the configuration asks for are in the contract."""
        contract = SharedOutputs.model_validate(full.result[0])
        assert contract.firewall.base_policy_id is not None
        assert contract.firewall.base_policy_location == "eastus2"
        assert contract.access.admin_group_object_id == OBJECT_ID
        assert contract.public_dns_zone is not None
        assert contract.tags == {"owner": "team-a"}
        assert contract.workspace.location == "eastus2"

    def test_contract_says_none_where_stamps_make_their_own(self) -> None:
        """What shared does not make is neither registered nor named."""
        record = deploy_shared(access={"scheme": "clusterGroup"})
        contract = SharedOutputs.model_validate(record.result[0])
        assert contract.firewall.base_policy_id is None
        assert contract.access.admin_group_object_id is None
        assert not record.of_type(azure("network:FirewallPolicy"))
        assert not record.of_type("azuread:index/group:Group")

    def test_replicated_regions_leave_the_home_region_out(self, plain: RecordingMocks) -> None:
        """The home region is no replica of itself."""
        assert plain.result[0]["registry"]["replicatedRegions"] == ["centralus", "westus"]

    def test_summary_is_text_for_people(self, plain: RecordingMocks) -> None:
        """Each label has a text, also where Azure computes part of it."""
        summary = plain.result[1]
        assert summary["Front Door"].startswith("https://")
        assert "replicas: centralus, westus" in summary["Container registry"]
        assert all(isinstance(value, str) for value in summary.values())


class TestPreview:
    """A first preview, in which Azure has computed nothing."""

    def test_preview_registers_the_same_resources_with_the_same_known_inputs(self, plain: RecordingMocks) -> None:
        """Nothing hides behind an output that only Azure knows, but the name of the page's host."""
        preview = deploy_shared(preview=True)
        assert {each.urn for each in preview.resources} == {each.urn for each in plain.resources}
        known = {each.name: each.inputs for each in plain.resources}
        for each in preview.resources:
            different = {key for key, value in known[each.name].items() if each.inputs.get(key) != value}
            different -= {"source"}  # assets do not compare
            is_origin = each.type == azure("cdn:AFDOrigin")
            assert different == ({"hostName", "originHostHeader"} if is_origin else set()), each.name

    def test_contract_is_unknown_not_wrong(self) -> None:
        """The check of the contract waits until all of it is known."""
        assert deploy_shared(preview=True).result is None


class TestDestroy:
    """What keeps a destroy from taking the edge away from living stamps."""

    def test_what_holds_data_or_addresses_is_protected(self, plain: RecordingMocks) -> None:
        """And the way to it, whose delete comes first."""
        assert {each.type for each in plain.resources if each.protect} == {
            azure("resources:ResourceGroup"),
            azure("cdn:Profile"),
            azure("cdn:AFDEndpoint"),
            azure("cdn:AFDOriginGroup"),
            azure("cdn:Route"),
            azure("containerregistry:Registry"),
            azure("operationalinsights:Workspace"),
        }

    def test_a_throwaway_fleet_protects_nothing(self) -> None:
        """The simulated fleet can be destroyed at once."""
        assert not [each for each in deploy_shared(protect=False).resources if each.protect]

    def test_origin_group_goes_before_everything_but_its_origin_and_route(self, full: RecordingMocks) -> None:
        """Azure refuses to delete a group with stamps' origins: the destroy stops before anything else is lost."""
        group = full.one(azure("cdn:AFDOriginGroup"))
        later = {
            each.name
            for each in full.resources
            if each.custom and each.urn != group.urn and not full.depends_on(group, each)
        }
        assert later == {"shared-front-door-routing-maintenance-origin", "shared-front-door-routing-route"}

    def test_destroy_begins_with_the_protected_route_alone(self, full: RecordingMocks) -> None:
        """The engine stops at the first protected resource, and not before: whatever is a leaf would be gone."""
        needed = {urn for each in full.resources for urn in (*each.dependencies, each.parent)}
        leaves = [each for each in full.resources if each.custom and each.urn not in needed]
        assert [(each.type, each.protect) for each in leaves] == [(azure("cdn:Route"), True)]

    def test_nothing_is_deleted_with_something_else(self, full: RecordingMocks) -> None:
        """No delete is left to Azure, which would take stamps' origins along."""
        assert not [each.name for each in full.resources if each.deleted_with]


class TestTagsAndNames:
    """What every resource carries."""

    def test_users_tags_and_the_fleets_own_are_on_every_resource_that_takes_tags(self, full: RecordingMocks) -> None:
        """The user's tags do not displace those that scripts select by."""
        tagged: list[dict[str, Any]] = [each.inputs["tags"] for each in full.resources if "tags" in each.inputs]
        assert len(tagged) >= 12
        assert all(
            tags == {"owner": "team-a", "application": "bu0001a0042", "scope": "shared", "managed-by": "pulumi"}
            for tags in tagged
        )

    def test_names_stay_in_azures_limits_for_the_longest_codes(self) -> None:
        """The hash is kept where a name has to be cut."""
        record = deploy_shared(businessUnit="b" * 12, application="a" * 12, location="germanywestcentral")
        limits = {
            "resources:ResourceGroup": ("resourceGroupName", 90),
            "cdn:AFDEndpoint": ("endpointName", 46),
            "containerregistry:Registry": ("registryName", 50),
            "storage:StorageAccount": ("accountName", 24),
            "operationalinsights:Workspace": ("workspaceName", 63),
            "frontdoor:Policy": ("policyName", 128),
        }
        for token, (key, limit) in limits.items():
            assert len(record.one(azure(token)).inputs[key]) <= limit, token
