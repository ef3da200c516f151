"""The `grpc.health.v1.Health` service. Implemented here because grpcio-health-checking is a separate package."""

from __future__ import annotations

import asyncio
from typing import Any, AsyncIterator

import grpc

from ._stubs.genkit.sidecar.v1 import action_service_pb2 as pb

_SERVICES = ("", pb.DESCRIPTOR.services_by_name["ActionService"].full_name)
_SERVING, _NOT_SERVING, _SERVICE_UNKNOWN = b"\x08\x01", b"\x08\x02", b"\x08\x03"  # encoded HealthCheckResponse messages


class Health:
    """Reports SERVING for the server and its ActionService until `stop` is called."""

    def __init__(self) -> None:
        self._stopping = asyncio.Event()

    def stop(self) -> None:
        """Reports NOT_SERVING from now on and ends all watches."""
        self._stopping.set()

    def handler(self) -> grpc.GenericRpcHandler:
        """Returns the handler to add to a grpc.aio server."""
        methods = {
            "Check": grpc.unary_unary_rpc_method_handler(self._check, _service),
            "Watch": grpc.unary_stream_rpc_method_handler(self._watch, _service),
        }
        return grpc.method_handlers_generic_handler("grpc.health.v1.Health", methods)

    async def _check(self, service: str, context: Any) -> bytes:
        if service not in _SERVICES:
            await context.abort(grpc.StatusCode.NOT_FOUND, f"unknown service {service}")
        return _NOT_SERVING if self._stopping.is_set() else _SERVING

    async def _watch(self, service: str, context: Any) -> AsyncIterator[bytes]:
        if not self._stopping.is_set():
            yield _SERVING if service in _SERVICES else _SERVICE_UNKNOWN
            await self._stopping.wait()
        yield _NOT_SERVING if service in _SERVICES else _SERVICE_UNKNOWN


def _service(request: bytes) -> str:
    service: str = pb.ListValuesRequest.FromString(request).type  # HealthCheckRequest has the same encoding: a string in field 1
    return service
