"""A provider that only echoes its inputs: what a deployment costs when nobody plays Azure."""

from __future__ import annotations

import asyncio
import sys
import threading
from typing import Any, Final

import grpc  # type: ignore[import-untyped]  # grpcio ships no types
from google.protobuf import empty_pb2, struct_pb2  # type: ignore[import-untyped]  # nor does protobuf
from pulumi.runtime.proto import plugin_pb2, provider_pb2, provider_pb2_grpc

Message = Any
"""A message of the protocol."""
_MAXIMUM_MESSAGE: Final = 400 * 1024 * 1024


class EchoProvider(provider_pb2_grpc.ResourceProviderServicer):
    """Accepts everything, keeps nothing, and gives back what it got."""

    async def Handshake(self, request: Message, context: Message) -> Message:  # noqa: N802 - the protocol's name
        """Take secrets marked, as the simulated Azure does."""
        return provider_pb2.ProviderHandshakeResponse(accept_secrets=True)

    async def Attach(self, request: Message, context: Message) -> Message:  # noqa: N802 - the protocol's name
        """Accept an engine."""
        return empty_pb2.Empty()

    async def GetPluginInfo(self, request: Message, context: Message) -> Message:  # noqa: N802 - the protocol's name
        """Name a version that is newer than any SDK's."""
        return plugin_pb2.PluginInfo(version="99.0.0")

    async def CheckConfig(self, request: Message, context: Message) -> Message:  # noqa: N802 - the protocol's name
        """Accept the provider's configuration."""
        return provider_pb2.CheckResponse(inputs=request.news)

    async def DiffConfig(self, request: Message, context: Message) -> Message:  # noqa: N802 - the protocol's name
        """Never replace the provider."""
        return provider_pb2.DiffResponse(changes=provider_pb2.DiffResponse.DIFF_NONE)

    async def Configure(self, request: Message, context: Message) -> Message:  # noqa: N802 - the protocol's name
        """Take secrets marked, and creations in previews."""
        return provider_pb2.ConfigureResponse(acceptSecrets=True, supportsPreview=True)

    async def Check(self, request: Message, context: Message) -> Message:  # noqa: N802 - the protocol's name
        """Accept all inputs."""
        return provider_pb2.CheckResponse(inputs=request.news)

    async def Diff(self, request: Message, context: Message) -> Message:  # noqa: N802 - the protocol's name
        """See no difference."""
        return provider_pb2.DiffResponse(changes=provider_pb2.DiffResponse.DIFF_NONE)

    async def Create(self, request: Message, context: Message) -> Message:  # noqa: N802 - the protocol's name
        """Give the inputs back under the resource's own name as id.

        All but one: Azure takes the identities of a resource as a list and answers with a map, and the SDK insists.
        """
        outputs = struct_pb2.Struct()
        outputs.CopyFrom(request.properties)
        if outputs.fields["identity"].HasField("struct_value"):
            outputs.fields["identity"].struct_value.fields.pop("userAssignedIdentities", None)
        else:
            del outputs.fields["identity"]
        return provider_pb2.CreateResponse(id=request.urn, properties=outputs)

    async def Delete(self, request: Message, context: Message) -> Message:  # noqa: N802 - the protocol's name
        """Have nothing to delete."""
        return empty_pb2.Empty()


async def _serve() -> None:
    server = grpc.aio.server(options=[("grpc.max_receive_message_length", _MAXIMUM_MESSAGE)])
    provider_pb2_grpc.add_ResourceProviderServicer_to_server(EchoProvider(), server)
    print(server.add_insecure_port("127.0.0.1:0"), flush=True)
    await server.start()
    ended = threading.Thread(target=sys.stdin.read, daemon=True)
    ended.start()
    while ended.is_alive():
        await asyncio.sleep(0.2)
    await server.stop(0)


if __name__ == "__main__":
    asyncio.run(_serve())
