"""What `bootstrap/Pulumi.<name>.yaml` may say, and the fleet that it speaks of, from the fleet's own stack files."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Self

from pydantic import Field, model_validator

from foundation.azure_types import Arguments, AzureLocation, Guid, Settings, StackName, Tags, setting_error
from foundation.configuration import Problem, configuration_error, load
from foundation.naming import Naming
from shared.config import SharedConfig
from stamps.config import StampConfig
from stamps.fleet import STAMP_KEY, stack_files

CONFIG_KEY = "aks-geode-bootstrap:fleet"
SHARED_KEY = "aks-geode:shared"
_STAMP_GROUPS = ("hub", "spoke", "cluster")


class BootstrapConfig(Settings):
    """The pipelines of one fleet. `firstDeployment` lists the stacks whose resource groups do not stand yet: until they
    do, their identities need rights on the subscription. `operatorGroup` is the Entra group of those who make stacks
    and deploy by hand."""

    repository: Annotated[
        str,
        Field(
            pattern=r"^[A-Za-z0-9][A-Za-z0-9-]*/[A-Za-z0-9._-]+$",
            description="a GitHub repository with its owner",
            examples=["contoso/aks-geode"],
        ),
    ]
    location: AzureLocation
    stacks: Annotated[
        tuple[StackName, ...],
        Field(min_length=1, description="the names of stacks, each once", examples=[["shared", "eastus2"]]),
    ]
    first_deployment: tuple[StackName, ...] = ()
    operator_group: Guid | None = None
    tags: Tags

    @model_validator(mode="after")
    def _stacks_are_distinct_and_known(self) -> Self:
        doubled = sorted({stack for stack in self.stacks if self.stacks.count(stack) > 1})
        if doubled:
            raise setting_error("stacks", ", ".join(doubled), "each stack once", f"[{self.stacks[0]}]")
        strange = sorted(set(self.first_deployment) - set(self.stacks))
        if strange:
            raise setting_error("firstDeployment", ", ".join(strange), "stacks of the list stacks", self.stacks[-1])
        return self


class SharedStack(Arguments):
    """One shared stack: its names, and its settings that decide on rights."""

    naming: Naming
    config: SharedConfig
    first_deployment: bool

    @property
    def group(self) -> str:
        """The name of its resource group."""
        return self.naming.resource_group(self.config.location)


class StampStack(Arguments):
    """One stamp: its names, and its settings that decide on rights."""

    naming: Naming
    config: StampConfig
    first_deployment: bool

    @property
    def groups(self) -> dict[str, str]:
        """The names of its resource groups by role: hub, spoke, cluster."""
        return {role: self.naming.resource_group(role) for role in _STAMP_GROUPS}


class Fleet(Arguments):
    """The stacks that pipelines deploy, by name. A naming's subscription is put in by `in_subscription`."""

    shared: dict[str, SharedStack]
    stamps: dict[str, StampStack]

    def in_subscription(self, subscription_id: str) -> Fleet:
        """Return the fleet with the names that it has in one subscription."""

        def named(naming: Naming) -> Naming:
            return naming.model_copy(update={"subscription_id": subscription_id})

        return Fleet(
            shared={k: v.model_copy(update={"naming": named(v.naming)}) for k, v in self.shared.items()},
            stamps={k: v.model_copy(update={"naming": named(v.naming)}) for k, v in self.stamps.items()},
        )


def read_fleet(project: Path, config: BootstrapConfig, file: str) -> Fleet:
    """Return the stacks that `config` lists, as their own files describe them.

    Raises:
        pulumi.RunError: one message for all that is missing or does not fit, or for a stack file that is not valid.
    """
    files = stack_files(project)
    shared: dict[str, SharedStack] = {}
    for name in config.stacks:
        if SHARED_KEY in files.get(name, {}):
            settings = load(SharedConfig, files[name][SHARED_KEY], file=f"Pulumi.{name}.yaml", key=SHARED_KEY)
            shared[name] = SharedStack(
                naming=Naming(subscription_id="", workload=settings.workload, scope="shared"),
                config=settings,
                first_deployment=name in config.first_deployment,
            )
    stamps: dict[str, StampStack] = {}
    problems: list[Problem] = []
    for name in config.stacks:
        content = files.get(name, {})
        if STAMP_KEY in content:
            stamp = load(StampConfig, content[STAMP_KEY], file=f"Pulumi.{name}.yaml", key=STAMP_KEY)
            problems += _shared_problems(name, stamp, shared)
            if stamp.shared_stack in shared:
                stamps[name] = StampStack(
                    naming=Naming(subscription_id="", workload=shared[stamp.shared_stack].config.workload, scope=name),
                    config=stamp,
                    first_deployment=name in config.first_deployment,
                )
        elif name not in shared:
            problems.append(Problem(f"{CONFIG_KEY}.stacks", name, f"a stack that has a file Pulumi.{name}.yaml", ""))
    if not shared and not problems:
        problems.append(Problem(f"{CONFIG_KEY}.stacks", str(list(config.stacks)), "at least one shared stack", ""))
    if problems:
        raise configuration_error(file, problems)
    return Fleet(shared=shared, stamps=stamps)


def _shared_problems(name: str, stamp: StampConfig, shared: dict[str, SharedStack]) -> list[Problem]:
    """A stamp's rights lie in its shared stack's resource group: that has to be known, and to stand."""
    path = f"{CONFIG_KEY}.stacks"
    if stamp.shared_stack not in shared:
        return [Problem(path, name, f"also its shared stack, {stamp.shared_stack}", f"- {stamp.shared_stack}")]
    if shared[stamp.shared_stack].first_deployment:
        expected = f"no stamp of {stamp.shared_stack} before that is deployed and taken from firstDeployment"
        return [Problem(path, name, expected, f"[{stamp.shared_stack}]")]
    return []
