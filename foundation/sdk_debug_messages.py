"""The SDK's debug messages: two calls of the engine for each resource, which shows them with `pulumi --debug` alone.

Each call blocks the program until the engine has answered (`pulumi/log.py`, `_log`), and nothing tells a program
whether the engine will show the message. They are left out unless `sdkDebugMessages` asks for them.
"""

from __future__ import annotations

import pulumi


def _unsent(
    msg: str, resource: pulumi.Resource | None = None, stream_id: int | None = None, ephemeral: bool | None = None
) -> None:
    """Take the arguments of `pulumi.log.debug` and send nothing."""


def drop_debug_messages() -> None:
    """Send no debug message of this program or the SDK to the engine; all other messages are as before."""
    pulumi.log.debug = _unsent
