"""What exported stacks say about the way of a request, as plain values. Times are Azure's, in seconds."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class EdgeProbe:
    """Front Door's probe: an origin is healthy with `successes` among its last `samples`."""

    path: str
    method: str
    interval: float
    samples: int
    successes: int

    @property
    def failures_to_leave(self) -> int:
        """So many failed samples among the last ones make an origin unhealthy."""
        return self.samples - self.successes + 1


@dataclass(frozen=True)
class Origin:
    """One origin of the group."""

    name: str
    host_name: str
    host_header: str
    priority: int
    weight: int
    enabled: bool


@dataclass(frozen=True)
class FrontDoor:
    """The profile, and the group that its route leads to. The tolerance is in milliseconds."""

    id: str
    response_timeout: float
    probe: EdgeProbe
    latency_tolerance: float
    origins: tuple[Origin, ...]


@dataclass(frozen=True)
class Condition:
    """One condition of a custom rule; variables are pairs of a name and a selector."""

    variables: tuple[tuple[str, str], ...]
    operator: str
    negated: bool
    values: tuple[str, ...]
    transforms: tuple[str, ...]


@dataclass(frozen=True)
class CustomRule:
    """Applies when all conditions do."""

    name: str
    priority: int
    action: str
    conditions: tuple[Condition, ...]


@dataclass(frozen=True)
class FirewallPolicy:
    """The custom rules in force, in their order; a policy that only logs blocks nothing."""

    blocks: bool
    rules: tuple[CustomRule, ...]


@dataclass(frozen=True)
class GatewayProbe:
    """The gateway's probe of its backend; `statuses` are ranges that count as healthy."""

    path: str
    host: str
    interval: float
    timeout: float
    threshold: int
    statuses: tuple[tuple[int, int], ...]


@dataclass(frozen=True)
class StampGateway:
    """A gateway with its one listener and one backend. Without connection draining `drain_timeout` is 0."""

    region: str
    host_name: str
    backend_host: str
    request_timeout: float
    drain_timeout: float
    probe: GatewayProbe
    policy: FirewallPolicy


@dataclass(frozen=True)
class Website:
    """The maintenance site: its blobs, and which of them are the index and the page for everything else."""

    host_name: str
    index: str
    not_found: str
    pages: Mapping[str, str]


@dataclass(frozen=True)
class ExportedFleet:
    """One shared stack and its stamps; the gateways by the name that Front Door calls them by."""

    front_door: FrontDoor
    website: Website
    gateways: Mapping[str, StampGateway]


def read_fleet(shared: Mapping[str, Any], stamps: Iterable[Mapping[str, Any]]) -> ExportedFleet:
    """Return what the exported states hold."""
    states = [_State(stamp) for stamp in stamps]
    gateways = [_gateway(state) for state in states]
    return ExportedFleet(
        _front_door(_State(shared), states), _website(_State(shared)), {item.host_name: item for item in gateways}
    )


class _State:
    """The resources of one exported stack: what Azure answered, over what it was given."""

    def __init__(self, exported: Mapping[str, Any]) -> None:
        self._resources = exported["deployment"]["resources"]

    def all(self, kind: str) -> list[tuple[str, dict[str, Any]]]:
        """Return ids and properties of all resources of a type."""
        return [
            (str(item["id"]), {**item["inputs"], **item["outputs"]})
            for item in self._resources
            if item["type"] == f"azure-native:{kind}"
        ]

    def one(self, kind: str) -> tuple[str, dict[str, Any]]:
        """Return the only one."""
        (found,) = self.all(kind)
        return found


def _front_door(shared: _State, stamps: Iterable[_State]) -> FrontDoor:
    _, profile = shared.one("cdn:Profile")
    _, route = shared.one("cdn:Route")
    group_id, group = shared.one("cdn:AFDOriginGroup")
    assert route["originGroup"]["id"] == group_id, "the route leads elsewhere"
    probe, balancing = group["healthProbeSettings"], group["loadBalancingSettings"]
    found = [item for state in (shared, *stamps) for item in state.all("cdn:AFDOrigin")]
    return FrontDoor(
        id=profile["frontDoorId"],
        response_timeout=profile["originResponseTimeoutSeconds"],
        probe=EdgeProbe(
            path=probe["probePath"],
            method=probe["probeRequestType"],
            interval=probe["probeIntervalInSeconds"],
            samples=balancing["sampleSize"],
            successes=balancing["successfulSamplesRequired"],
        ),
        latency_tolerance=balancing["additionalLatencyInMilliseconds"],
        origins=tuple(_origin(origin) for origin_id, origin in found if origin_id.startswith(f"{group_id}/origins/")),
    )


def _origin(origin: Mapping[str, Any]) -> Origin:
    return Origin(
        name=origin["name"],
        host_name=origin["hostName"],
        host_header=origin["originHostHeader"],
        priority=origin["priority"],
        weight=origin["weight"],
        enabled=origin["enabledState"] == "Enabled",
    )


def _gateway(state: _State) -> StampGateway:
    _, gateway = state.one("network:ApplicationGateway")
    policy_id, policy = state.one("network:WebApplicationFirewallPolicy")
    assert gateway["firewallPolicy"]["id"] == policy_id, "the gateway has another policy"
    (rule,) = gateway["requestRoutingRules"]
    settings = _part(gateway, "backendHttpSettingsCollection", rule["backendHttpSettings"])
    draining = settings["connectionDraining"]
    return StampGateway(
        region=gateway["location"],
        host_name=_part(gateway, "httpListeners", rule["httpListener"])["hostName"],
        backend_host=settings["hostName"],
        request_timeout=settings["requestTimeout"],
        drain_timeout=draining["drainTimeoutInSec"] if draining["enabled"] else 0,
        probe=_gateway_probe(_part(gateway, "probes", settings["probe"]), settings),
        policy=_policy(policy),
    )


def _part(gateway: Mapping[str, Any], collection: str, reference: Mapping[str, str]) -> Mapping[str, Any]:
    """Return the part of a gateway that another of its parts refers to."""
    (found,) = (item for item in gateway[collection] if reference["id"].endswith(f"/{collection}/{item['name']}"))
    part: Mapping[str, Any] = found
    return part


def _gateway_probe(probe: Mapping[str, Any], settings: Mapping[str, Any]) -> GatewayProbe:
    ranges = [text.partition("-") for text in probe["match"]["statusCodes"]]
    return GatewayProbe(
        path=probe["path"],
        host=settings["hostName"] if probe["pickHostNameFromBackendHttpSettings"] else probe["host"],
        interval=probe["interval"],
        timeout=probe["timeout"],
        threshold=probe["unhealthyThreshold"],
        statuses=tuple((int(first), int(last or first)) for first, _, last in ranges),
    )


def _policy(policy: Mapping[str, Any]) -> FirewallPolicy:
    settings = policy["policySettings"]
    rules = [_rule(item) for item in policy["customRules"] if item["state"] == "Enabled"]
    return FirewallPolicy(
        blocks=settings["state"] == "Enabled" and settings["mode"] == "Prevention",
        rules=tuple(sorted(rules, key=lambda rule: rule.priority)),
    )


def _rule(rule: Mapping[str, Any]) -> CustomRule:
    assert rule["ruleType"] == "MatchRule", rule
    return CustomRule(
        name=rule["name"],
        priority=rule["priority"],
        action=rule["action"],
        conditions=tuple(_condition(item) for item in rule["matchConditions"]),
    )


def _condition(condition: Mapping[str, Any]) -> Condition:
    return Condition(
        variables=tuple((item["variableName"], item.get("selector", "")) for item in condition["matchVariables"]),
        operator=condition["operator"],
        # Azure's own spelling.
        negated=condition.get("negationConditon", False),
        values=tuple(condition["matchValues"]),
        transforms=tuple(condition.get("transforms", ())),
    )


def _website(shared: _State) -> Website:
    _, site = shared.one("storage:StorageAccountStaticWebsite")
    _, account = shared.one("storage:StorageAccount")
    return Website(
        host_name=account["primaryEndpoints"]["web"].removeprefix("https://").rstrip("/"),
        index=site["indexDocument"],
        not_found=site["error404Document"],
        pages={
            blob["blobName"]: blob["source"]["text"]
            for _, blob in shared.all("storage:Blob")
            if blob["containerName"] == site["containerName"]
        },
    )
