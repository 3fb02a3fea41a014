"""A copy of the stack in a backend of its own, where this command may ask and try without touching the real state.

It lies in a folder that only this user can read and that is gone afterwards. Secrets in it stay encrypted with the
stack's own key.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from geode.adoption import Found, Record, drafts
from geode.engine import Engine, Preview, RecoveryError


@dataclass(frozen=True)
class Rehearsal:
    """The copy. `state` is the real one, of which everything but the resources is kept."""

    engine: Engine
    folder: Path
    state: Mapping[str, Any]

    def preview(self, resources: Sequence[Record]) -> Preview:
        """Return what `up` would do if the state held these resources."""
        self._take(resources)
        return self.engine.preview(self.folder / "plan.json")

    def ask(self, preview: Preview, ids: Mapping[str, str], resources: Sequence[Record]) -> dict[str, Found]:
        """Return those of the ids under which something stands in Azure, as the provider reads it."""
        if not ids:
            return {}
        self._take(drafts(preview, ids, resources))
        self.engine.refresh()
        read = self.engine.export()["deployment"].get("resources") or ()
        return {
            item["urn"]: Found(item["urn"], item["id"], item.get("inputs") or {}, item.get("outputs") or {})
            for item in read
            if item["urn"] in ids
        }

    def _take(self, resources: Sequence[Record]) -> None:
        kept = {key: value for key, value in self.state["deployment"].items() if key != "pending_operations"}
        self.engine.replace_state({**self.state, "deployment": {**kept, "resources": list(resources)}})


@contextmanager
def rehearsal(real: Engine, state: Mapping[str, Any], shared_stack: str | None) -> Iterator[Rehearsal]:
    """Give a copy of the stack, and of the shared stack whose contract a stamp reads."""
    folder = Path(tempfile.mkdtemp(prefix="geode-recover-"))
    try:
        (folder / "state").mkdir()
        (folder / "init").mkdir()
        environment = {
            **real.environment,
            "PULUMI_BACKEND_URL": (folder / "state").as_uri(),
            "PULUMI_SKIP_CHECKPOINTS": "true",
        }
        copy = folder / real.config_file.name
        shutil.copy(real.config_file, copy)
        engine = replace(real, environment=environment, config_file=copy)
        for stack in filter(None, (shared_stack, real.stack)):
            shutil.copy(real.root / "Pulumi.yaml", folder / "init" / "Pulumi.yaml")
            first = replace(engine, root=folder / "init", stack=stack)
            # The file that this writes is not used; a passphrase of its own keeps it from asking for the real key.
            passphrase = {**environment, "PULUMI_CONFIG_PASSPHRASE": folder.name}
            passphrase.pop("PULUMI_CONFIG_PASSPHRASE_FILE", None)
            replace(first, environment=passphrase).answer("stack", "init", "--no-select")
        if shared_stack is not None:
            done = replace(real, stack=shared_stack).run("stack", "export")
            if done.returncode == 0:  # without it the program itself says what is missing
                replace(engine, stack=shared_stack).answer("stack", "import", text=done.stdout)
        yield Rehearsal(engine, folder, state)
    except OSError as error:
        raise RecoveryError(f"the copy in {folder} failed: {error}") from None
    finally:
        shutil.rmtree(folder, ignore_errors=True)
