"""Every Azure name that the program gives, made by one rule inside Azure's limits of length and characters.

Names are deterministic, so previews are readable and a re-created resource finds its place. Globally unique names carry
a hash of subscription, workload, scope and generation. Where a readable name would be too long its middle is cut and a
hash closes it: the hash is reserved first, so that two long names never meet.
Limits: https://learn.microsoft.com/azure/azure-resource-manager/management/resource-name-rules
"""

from __future__ import annotations

import hashlib
import re
import uuid

from foundation.azure_types import Arguments

_HASH_LENGTH = 6
_ROLE_ASSIGNMENT_NAMESPACE = uuid.UUID("6f0d7a5c-3a1e-5c0b-9a55-3a2d4f3f2b11")


class Naming(Arguments):
    """The names of one scope: the shared services or one stamp.

    `scope` is `shared` or the stamp's stack name, `workload` is business unit and application written together.
    `generation` enters only the names that Azure keeps reserved after a delete (vault, database account).
    """

    subscription_id: str
    workload: str
    scope: str
    generation: int = 1

    def _hash(self, *more: str, length: int = _HASH_LENGTH) -> str:
        text = "|".join((self.subscription_id.lower(), self.workload, self.scope, *more))
        return hashlib.sha256(text.encode()).hexdigest()[:length]

    def resource_group(self, role: str) -> str:
        """Return `rg-<workload>-<scope>-<role>`: hub, spoke or cluster of a stamp, the home region of shared."""
        return self.name("rg", role, limit=90)

    def name(self, abbreviation: str, role: str = "", *, limit: int = 80) -> str:
        """Return `<abbreviation>-<workload>-<scope>[-<role>]` in at most `limit` characters."""
        readable = "-".join(part for part in (abbreviation, self.workload, self.scope, role) if part)
        if len(readable) <= limit:
            return readable
        return f"{readable[: limit - _HASH_LENGTH - 1].rstrip('-')}-{self._hash(abbreviation, role)}"

    def unique(self, abbreviation: str, role: str = "", *, limit: int = 63) -> str:
        """Return a globally unique name with hyphens, ending in a hash of subscription, workload, scope and role."""
        closing = self._hash(abbreviation, role, length=8)
        readable = "-".join(part for part in (abbreviation, self.scope, role) if part)
        return f"{readable[: limit - len(closing) - 1].rstrip('-')}-{closing}"

    def unique_alphanumeric(self, abbreviation: str, role: str = "", *, limit: int = 24) -> str:
        """Return a globally unique name of lower-case letters and digits (storage accounts, registries)."""
        closing = self._hash(abbreviation, role, length=8)
        readable = re.sub(r"[^a-z0-9]", "", f"{abbreviation}{role}{self.scope}".lower())
        return readable[: limit - len(closing)] + closing

    def alphanumeric(self, abbreviation: str, role: str = "", *, limit: int = 80) -> str:
        """Return a name of letters and digits only, as Front Door demands for WAF policies and rules."""
        readable = re.sub(r"[^A-Za-z0-9]", "", f"{abbreviation}{self.workload}{self.scope}{role}")
        return readable if len(readable) <= limit else readable[: limit - _HASH_LENGTH] + self._hash(abbreviation, role)

    def key_vault(self) -> str:
        """Return the vault's name: 3 to 24 characters; purge protection keeps it for 90 days, hence the generation."""
        closing = self._hash("kv", f"generation-{self.generation}", length=8)
        return f"kv-{self.scope[:12].rstrip('-')}-{closing}"

    def database_account(self) -> str:
        """Return the Cosmos DB account's name: 3 to 44 characters, of which regional host names are made too.

        A deleted account can be restored for days and its name may stay taken, hence the generation.
        """
        closing = self._hash("cosmos", f"generation-{self.generation}", length=8)
        return f"cosmos-{self.scope[:20].rstrip('-')}-{closing}"

    def role_assignment(self, *parts: str) -> str:
        """Return the GUID of a role assignment from logical words (never from a principal id, which Azure makes)."""
        return str(
            uuid.uuid5(_ROLE_ASSIGNMENT_NAMESPACE, "|".join((self.subscription_id, self.workload, self.scope, *parts)))
        )
