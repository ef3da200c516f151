"""`grpc.health.v1.Health`, without the package that has it, which is not part of stock gRPC everywhere."""

from __future__ import annotations

import asyncio
from typing import Any, AsyncIterator

import grpc

from ._stubs.genkit.sidecar.v1 import action_service_pb2 as pb

_SERVICES = ("", pb.DESCRIPTOR.services_by_name["ActionService"].full_name)
_SERVING, _NOT_SERVING, _SERVICE_UNKNOWN = b"\x08\x01", b"\x08\x02", b"\x08\x03"  # HealthCheckResponse, encoded


class Health:
    """Says SERVING of the server and of its ActionService until it is told to stop."""

    def __init__(self) -> None:
        self._stopping = asyncio.Event()

    def stop(self) -> None:
        """From now on: NOT_SERVING. Watches end."""
        self._stopping.set()

    def handler(self) -> grpc.GenericRpcHandler:
        """What to add to a server of grpc.aio."""
        methods = {
            "Check": grpc.unary_unary_rpc_method_handler(self._check, _service),
            "Watch": grpc.unary_stream_rpc_method_handler(self._watch, _service),
        }
        return grpc.method_handlers_generic_handler("grpc.health.v1.Health", methods)

    async def _check(self, service: str, context: Any) -> bytes:
        if service not in _SERVICES:
            await context.abort(grpc.StatusCode.NOT_FOUND, f"there is no service {service}")
        return _NOT_SERVING if self._stopping.is_set() else _SERVING

    async def _watch(self, service: str, context: Any) -> AsyncIterator[bytes]:
        if not self._stopping.is_set():
            yield _SERVING if service in _SERVICES else _SERVICE_UNKNOWN
            await self._stopping.wait()
        yield _NOT_SERVING if service in _SERVICES else _SERVICE_UNKNOWN


def _service(request: bytes) -> str:
    service: str = pb.ListValuesRequest.FromString(request).type  # HealthCheckRequest has the same form: string field 1
    return service
