"""The ingress's private zone never hides a public name."""

from __future__ import annotations

import pytest
from pydantic_core import PydanticCustomError

from stamps.ingress_host import check_ingress_host, split_ingress_host


def test_the_first_label_is_the_record_and_the_rest_the_zone() -> None:
    """One zone holds one record."""
    assert split_ingress_host("bu0001a0042.aks-ingress.contoso.com") == ("aks-ingress.contoso.com", "bu0001a0042")


def test_a_host_directly_under_a_top_level_domain_is_refused() -> None:
    """A private zone `com` would hide the internet."""
    with pytest.raises(PydanticCustomError, match="at least three labels"):
        split_ingress_host("contoso.com")


@pytest.mark.parametrize("gateway", ["eastus2.edge.contoso.com", "edge.contoso.com", "a.b.edge.contoso.com"])
def test_a_zone_that_contains_the_gateway_is_refused(gateway: str) -> None:
    """Inside the stamp the gateway's name would be unknown."""
    with pytest.raises(PydanticCustomError, match="would hide the gateway's name") as caught:
        check_ingress_host("app.edge.contoso.com", gateway)
    assert caught.value.context is not None
    assert caught.value.context["path"] == "ingress.hostName"


@pytest.mark.parametrize("gateway", ["eastus2.edge.contoso.com", "eastus2.my-aks-ingress.contoso.com"])
def test_a_zone_of_its_own_passes(gateway: str) -> None:
    """A name that merely ends alike lies elsewhere."""
    check_ingress_host("app.aks-ingress.contoso.com", gateway)
