"""Applications as they should not be, on grpcio as it comes: its 4 MiB limit, its TLS.

Usage: application-peer.py KIND ADDRESS [CERTIFICATE KEY], with the stubs of the Python example. Says where it listens.
  stock   lists one action, and knows no other
  alien   serves another service
"""

import concurrent.futures
import pathlib
import sys

import grpc

sys.path.insert(0, str(pathlib.Path(__file__).parents[2] / "clients/python/examples/stubs"))
from genkit.sidecar.v1 import action_service_pb2 as pb, action_service_pb2_grpc as stubs  # noqa: E402


class Stock(stubs.ActionServiceServicer):
    def ListActions(self, request, context):
        return pb.ListActionsResponse(actions=[pb.Action(key="/flow/only", name="only")])

    def RunAction(self, request, context):
        context.abort(grpc.StatusCode.NOT_FOUND, f"action {request.key} not found")


def main(kind, address, *pem):
    server = grpc.server(concurrent.futures.ThreadPoolExecutor(), options=[("grpc.so_reuseport", 0)])
    if kind == "stock":
        stubs.add_ActionServiceServicer_to_server(Stock(), server)
    else:
        greet = grpc.unary_unary_rpc_method_handler(lambda request, context: request)
        server.add_generic_rpc_handlers([grpc.method_handlers_generic_handler("example.Greeter", {"Greet": greet})])
    if pem:
        certificate, key = (pathlib.Path(path).read_bytes() for path in pem)
        port = server.add_secure_port(address, grpc.ssl_server_credentials([(key, certificate)]))
    else:
        port = server.add_insecure_port(address)
    server.start()
    print(f"{kind} listens on {address.replace(':0', f':{port}')}", flush=True)
    server.wait_for_termination()


main(*sys.argv[1:])
