"""The edge: Front Door, its firewall and the page for total outages."""

from __future__ import annotations

import pytest

from tests.unit.pulumi_mocks import RecordingMocks
from tests.unit.shared.shared_deployment import azure, deploy_shared


class TestFrontDoor:
    """Profile, endpoint, origin group, route, headers."""

    def test_profile_is_premium_and_global(self, plain: RecordingMocks) -> None:
        """Managed rule sets need the Premium tier."""
        inputs = plain.one(azure("cdn:Profile")).inputs
        assert inputs["sku"] == {"name": "Premium_AzureFrontDoor"}
        assert inputs["location"] == "global"
        assert inputs["originResponseTimeoutSeconds"] == 60

    def test_probe_asks_every_origin_by_head_over_https(self, plain: RecordingMocks) -> None:
        """One probe for all origins, and a latency band in which weights count."""
        inputs = plain.one(azure("cdn:AFDOriginGroup")).inputs
        assert inputs["healthProbeSettings"] == {
            "probePath": "/healthz/region",
            "probeRequestType": "HEAD",
            "probeProtocol": "Https",
            "probeIntervalInSeconds": 30,
        }
        assert inputs["loadBalancingSettings"] == {
            "sampleSize": 4,
            "successfulSamplesRequired": 3,
            "additionalLatencyInMilliseconds": 50,
        }
        assert inputs["sessionAffinityState"] == "Disabled"

    def test_route_redirects_to_https_and_forwards_by_https_only(self, plain: RecordingMocks) -> None:
        """Plain HTTP reaches nothing but the redirect."""
        inputs = plain.one(azure("cdn:Route")).inputs
        assert inputs["httpsRedirect"] == "Enabled"
        assert inputs["forwardingProtocol"] == "HttpsOnly"
        assert inputs["linkToDefaultDomain"] == "Enabled"
        assert inputs["supportedProtocols"] == ["Http", "Https"]

    def test_route_carries_the_rule_set_and_waits_for_it(self, plain: RecordingMocks) -> None:
        """The rule set is named by its id output, which orders create and delete."""
        route, rule_set = plain.one(azure("cdn:Route")), plain.one(azure("cdn:RuleSet"))
        assert route.inputs["ruleSets"][0]["id"].endswith(rule_set.inputs["ruleSetName"])
        assert rule_set.urn in route.dependencies

    def test_route_waits_for_an_enabled_origin(self, plain: RecordingMocks) -> None:
        """Azure refuses a route whose group has no enabled origin."""
        origin = plain.one(azure("cdn:AFDOrigin"))
        assert origin.inputs["enabledState"] == "Enabled"
        assert origin.urn in plain.one(azure("cdn:Route")).dependencies

    def test_security_headers_reach_azure_in_its_own_spelling(self, plain: RecordingMocks) -> None:
        """Inside this union a plain dict would go out in snake_case."""
        actions = plain.one(azure("cdn:Rule")).inputs["actions"]
        assert len(actions) <= 5
        parameters = {each["parameters"]["headerName"]: each["parameters"] for each in actions}
        assert parameters["Strict-Transport-Security"]["value"].startswith("max-age=31536000")
        assert parameters["Strict-Transport-Security"]["headerAction"] == "Overwrite"
        assert parameters["Server"]["headerAction"] == "Delete"
        assert all(each["parameters"]["typeName"] == "DeliveryRuleHeaderActionParameters" for each in actions)

    def test_every_log_of_the_edge_reaches_the_workspace(self, plain: RecordingMocks) -> None:
        """Access, probe and firewall logs are kept."""
        logs = plain.named("shared-front-door-diagnostics").inputs["logs"]
        assert {each["category"] for each in logs if each["enabled"]} == {
            "FrontDoorAccessLog",
            "FrontDoorHealthProbeLog",
            "FrontDoorWebApplicationFirewallLog",
        }

    def test_writes_to_the_profile_retry_while_a_stamp_writes(self, plain: RecordingMocks) -> None:
        """Azure takes one write at a time to a profile, and several stacks write."""
        for token in ("AFDEndpoint", "AFDOriginGroup", "AFDOrigin", "Route", "RuleSet", "Rule", "SecurityPolicy"):
            assert plain.one(azure(f"cdn:{token}")).error_hooks == ("wait-for-azure",), token


class TestFrontDoorWaf:
    """The firewall at the edge."""

    def test_policy_blocks(self, plain: RecordingMocks) -> None:
        """Both managed rule sets, in prevention, with the body inspected."""
        inputs = plain.one(azure("frontdoor:Policy")).inputs
        assert inputs["policyName"].isalnum()
        assert inputs["policySettings"]["mode"] == "Prevention"
        assert inputs["policySettings"]["customBlockResponseStatusCode"] == 403
        assert inputs["policySettings"]["requestBodyCheck"] == "Enabled"
        default, bots = inputs["managedRules"]["managedRuleSets"]
        assert (default["ruleSetType"], default["ruleSetVersion"], default["ruleSetAction"]) == (
            "Microsoft_DefaultRuleSet",
            "2.1",
            "Block",
        )
        assert (bots["ruleSetType"], bots["ruleSetVersion"]) == ("Microsoft_BotManagerRuleSet", "1.1")

    def test_rate_limit_counts_the_connections_address(self) -> None:
        """A client that writes X-Forwarded-For does not get a counter of its own."""
        record = deploy_shared(frontDoor={"rateLimitPerMinute": 500, "wafMode": "Detection"})
        inputs = record.one(azure("frontdoor:Policy")).inputs
        (rule,) = inputs["customRules"]["rules"]
        assert rule["ruleType"] == "RateLimitRule"
        assert rule["rateLimitThreshold"] == 500
        assert rule["groupBy"] == [{"variableName": "SocketAddr"}]
        assert rule["matchConditions"]
        assert rule["action"] == "Block"
        assert inputs["policySettings"]["mode"] == "Detection"

    def test_policy_stands_before_every_path_of_the_endpoint(self, plain: RecordingMocks) -> None:
        """The security policy ties this policy to this endpoint."""
        parameters = plain.one(azure("cdn:SecurityPolicy")).inputs["parameters"]
        (association,) = parameters["associations"]
        assert association["patternsToMatch"] == ["/*"]
        endpoint = plain.one(azure("cdn:AFDEndpoint")).inputs["endpointName"]
        assert association["domains"][0]["id"].endswith(endpoint)
        assert "frontdoor" in parameters["wafPolicy"]["id"]


class TestMaintenanceOrigin:
    """The page for total outages."""

    def test_origin_is_the_last_resort_under_its_own_name(self, plain: RecordingMocks) -> None:
        """Front Door asks the storage website by the name in its certificate, after every stamp."""
        inputs = plain.one(azure("cdn:AFDOrigin")).inputs
        account = plain.one(azure("storage:StorageAccount")).inputs["accountName"]
        assert inputs["hostName"] == inputs["originHostHeader"] == f"{account}.z20.web.core.windows.net"
        assert (inputs["priority"], inputs["weight"]) == (5, 1)
        assert inputs["enforceCertificateNameCheck"] is True

    def test_page_answers_the_probe_under_the_path_without_its_slash(self, plain: RecordingMocks) -> None:
        """The probe path exists as a blob beside the page."""
        blobs = {each.inputs["blobName"]: each.inputs for each in plain.of_type(azure("storage:Blob"))}
        assert set(blobs) == {"index.html", "404.html", "healthz/region"}
        assert all(each["contentType"] == "text/html" for each in blobs.values())
        assert all(each["containerName"] == "$web" for each in blobs.values())

    def test_fail_open_leaves_the_page_unhealthy(self) -> None:
        """Without the probe blob Front Door sends to every stamp when all probes fail."""
        record = deploy_shared(frontDoor={"outageBehaviour": "failOpen"})
        blobs = {each.inputs["blobName"] for each in record.of_type(azure("storage:Blob"))}
        assert blobs == {"index.html", "404.html"}

    @pytest.mark.parametrize(("location", "sku"), [("eastus2", "Standard_ZRS"), ("westus", "Standard_LRS")])
    def test_storage_is_zone_redundant_where_there_are_zones(self, location: str, sku: str) -> None:
        """A region without zones refuses ZRS."""
        record = deploy_shared(location=location)
        assert record.one(azure("storage:StorageAccount")).inputs["sku"] == {"name": sku}

    def test_storage_is_closed_but_for_its_website(self, plain: RecordingMocks) -> None:
        """Exceptions are the account key and the public endpoint, no more."""
        inputs = plain.one(azure("storage:StorageAccount")).inputs
        assert inputs["minimumTlsVersion"] == "TLS1_2"
        assert inputs["enableHttpsTrafficOnly"] is True
        assert inputs["allowBlobPublicAccess"] is False
        assert inputs["allowSharedKeyAccess"] is True  # the provider uploads blobs with the key
        assert inputs["kind"] == "StorageV2"
