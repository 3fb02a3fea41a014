"""Every structure renders as Flux renders it, and program and manifests agree on the variables."""

from __future__ import annotations

import re

import pytest
import yaml

from stamps.gitops import INGRESS_SERVICE_ACCOUNT, WORKLOAD_SERVICE_ACCOUNT
from tests.manifests.rendering import (
    PARTS,
    STAMPS,
    STRUCTURES,
    VARIABLE,
    built,
    definitions,
    flux_configuration,
    loaded,
    of_kind,
    rendered,
    structures_of_the_program,
    substituted,
    substitutes,
    texts,
    values,
)

EVERY_STRUCTURE = pytest.mark.parametrize("structure", STRUCTURES)
EVERY_PART = pytest.mark.parametrize("part", PARTS)
AZURES_NAMESPACES = {"kube-system", "flux-system"}


def used(structure: str) -> set[str]:
    """Return the variables of a structure's manifests."""
    return {
        name
        for part in PARTS
        for text in texts(structure, part)
        if substitutes(loaded(text))
        for name in VARIABLE.findall(text)
    }


def leaves(node: object, path: str = "") -> dict[str, object]:
    """Return every scalar of an object by its path; paths name no variable, values do."""
    if isinstance(node, dict):
        return {key: leaf for name, value in node.items() for key, leaf in leaves(value, f"{path}.{name}").items()}
    if isinstance(node, list):
        return {key: leaf for i, value in enumerate(node) for key, leaf in leaves(value, f"{path}[{i}]").items()}
    return {path: node}


def test_the_program_offers_the_structures_that_the_repository_has() -> None:
    """A stack file cannot name a folder that is not there."""
    assert structures_of_the_program() == set(STRUCTURES)


@EVERY_STRUCTURE
@EVERY_PART
def test_kustomize_has_nothing_to_warn_of(structure: str, part: str) -> None:
    """Deprecated fields are warned of first and refused later."""
    text, warnings = built(structure, part)
    assert warnings == ""
    assert text


@EVERY_STRUCTURE
def test_the_manifests_use_no_variable_that_the_program_does_not_pass(structure: str) -> None:
    """Flux puts nothing in its place, without an error; an annotation turned into null that way."""
    assert used(structure) <= set(values(STAMPS[0]))


def test_the_program_passes_no_variable_that_no_manifest_uses() -> None:
    """What nobody reads is a leftover, or a misspelling in the manifest."""
    assert set(values(STAMPS[0])) == {name for structure in STRUCTURES for name in used(structure)}


@pytest.mark.parametrize("stamp", STAMPS)
def test_both_parts_of_every_stamp_get_the_same_values(stamp: str) -> None:
    """The key names are the same for every stamp."""
    parts = flux_configuration(stamp).inputs["kustomizations"]
    assert parts["platform"]["postBuild"] == parts["workload"]["postBuild"]
    assert set(values(stamp)) == set(values(STAMPS[0]))


@EVERY_STRUCTURE
@EVERY_PART
@pytest.mark.parametrize("stamp", STAMPS)
def test_every_substituted_value_stays_text(structure: str, part: str, stamp: str) -> None:
    """Kustomize drops quotes: 42 or true would reach the API server as number or boolean, an empty one as null."""
    for text in texts(structure, part):
        document = loaded(text)
        if not substitutes(document):
            continue
        after = leaves(substituted(text, values(stamp)))
        for path, before in leaves(document).items():
            if isinstance(before, str) and VARIABLE.search(before):
                assert isinstance(after[path], str), f"{document['kind']} {document['metadata']['name']}: {path}"
                assert after[path], path


def test_a_number_among_the_values_is_found() -> None:
    """The check above can fail."""
    text = "kind: ConfigMap\nmetadata: {name: x}\ndata:\n  count: ${COUNT}\n"
    assert substituted(text, {"COUNT": "42"})["data"]["count"] == 42


@EVERY_STRUCTURE
def test_only_plain_variables_are_used(structure: str) -> None:
    """Flux knows defaults and string operations too; they hide a missing value, and this test does not speak them."""
    assert all(re.fullmatch(r"[A-Z][A-Z_]*", name) for name in used(structure))


@EVERY_STRUCTURE
def test_no_variable_is_left(structure: str) -> None:
    """Also not in what the chart makes of the values."""
    for each in rendered(structure):
        if substitutes(each.document):
            assert not VARIABLE.search(yaml.safe_dump(each.document)), each.identity


@EVERY_STRUCTURE
def test_no_two_parts_own_one_object(structure: str) -> None:
    """Two owners overwrite each other at every reconciliation."""
    identities = [each.identity for each in rendered(structure)]
    assert sorted(set(identities)) == sorted(identities)


@EVERY_STRUCTURE
def test_every_object_lies_in_a_namespace_of_the_platform_or_of_azure(structure: str) -> None:
    """Nothing lands in `default`, and no namespace is missing."""
    declared = {each.name for each in of_kind(structure, "Namespace")}
    named = {each.namespace for each in rendered(structure) if each.namespace}
    assert named <= declared | AZURES_NAMESPACES
    assert "default" not in declared
    without = {each.kind for each in rendered(structure) if not each.namespace}
    assert without <= {
        "Namespace",
        "ClusterRole",
        "ClusterRoleBinding",
        "GatewayClass",
        "ValidatingAdmissionPolicy",
        "ValidatingAdmissionPolicyBinding",
    }


@EVERY_STRUCTURE
def test_releases_take_their_source_from_the_configuration(structure: str) -> None:
    """Azure names the source like the configuration, and multi-tenancy refuses one of another namespace."""
    configuration = flux_configuration(STAMPS[0]).inputs
    for release in of_kind(structure, "HelmRelease"):
        source = release.document["spec"]["chart"]["spec"]["sourceRef"]
        assert (source["kind"], source["name"]) == ("GitRepository", configuration["fluxConfigurationName"])
        assert source.get("namespace", release.namespace) == release.namespace == configuration["namespace"]


@EVERY_STRUCTURE
def test_the_platform_needs_nothing_of_the_workload(structure: str) -> None:
    """It is reconciled first, and the workload's namespace is there when it comes."""
    platform = {each.name for each in of_kind(structure, "Namespace") if each.part == "platform"}
    wanted = {each.namespace for each in rendered(structure) if each.part != "platform"}
    assert wanted - AZURES_NAMESPACES <= platform
    assert definitions(structure)
    assert not any("kind: CustomResourceDefinition" in text for text in texts(structure, "workload"))


@EVERY_STRUCTURE
def test_a_prune_leaves_the_definitions_of_kinds(structure: str) -> None:
    """With a definition every object of its kind would go, routes of other teams included."""
    for text in definitions(structure):
        assert "kustomize.toolkit.fluxcd.io/prune: disabled" in text
        assert not VARIABLE.search(text), "Flux would substitute in it"


@EVERY_STRUCTURE
def test_the_accounts_that_azure_trusts_exist(structure: str) -> None:
    """A federated credential names namespace and account; a misspelling is an access error at run time only."""
    accounts = {f"system:serviceaccount:{each.namespace}:{each.name}" for each in of_kind(structure, "ServiceAccount")}
    assert {INGRESS_SERVICE_ACCOUNT, WORKLOAD_SERVICE_ACCOUNT} <= accounts
