"""The Python peer: serves wire.proto on TCP, TCP with gzip, a Unix socket and TLS, and says where in one line of JSON."""

import collections
import concurrent.futures
import ctypes
import json
import os
import sys
import threading

stubs, socket_path, cert_path, key_path = sys.argv[1:]
sys.path.insert(0, stubs)

import grpc  # noqa: E402
import wire_pb2 as pb  # noqa: E402
import wire_pb2_grpc as rpc  # noqa: E402

signals = collections.defaultdict(threading.Event)
signals_lock = threading.Lock()


def signal(key):
    with signals_lock:
        return signals[key]


def reflected(context, prefix):
    return [(prefix + name, value) for name, value in context.invocation_metadata() if name.startswith("x-")]


def filled(size, number):
    body = bytearray(b"a" * size)
    if size > 0:
        body[0] = number % 256
    return pb.Message(body=bytes(body))


class Wire(rpc.WireServicer):
    def Echo(self, request, context):
        context.send_initial_metadata(reflected(context, ""))
        context.set_trailing_metadata(reflected(context, "trailer-"))
        return request

    def Download(self, request, context):
        for number in range(request.count):
            yield filled(request.size, number)

    def Chat(self, requests, context):
        yield from requests

    def Stall(self, requests, context):
        key = dict(context.invocation_metadata())["x-key"]
        signal("release " + key).wait()
        count = size = 0
        for message in requests:
            count += 1
            size += len(message.body)
        return pb.Plan(count=count, size=size)

    def Release(self, request, context):
        signal("release " + request.key).set()
        return pb.Message()

    def Wait(self, request, context):
        gone = signal("gone " + request.key)
        context.add_callback(gone.set)
        yield pb.Message(body=b"waiting")
        gone.wait()

    def Observe(self, request, context):
        signal("gone " + request.key).wait()
        return pb.Message(body=b"cancelled")

    def Fail(self, request, context):
        for number in range(request.count):
            yield filled(1, number)
        trailers = [("x-cause", "planned")]
        if request.details:
            trailers.append(("grpc-status-details-bin", request.details))
        context.set_trailing_metadata(trailers)
        context.set_code(next(code for code in grpc.StatusCode if code.value[0] == request.code))
        # A text that is too long for the request is asked for by how often it is repeated.
        context.set_details(request.text * (request.size or 1))

    def Hold(self, request, context):
        # PyDLL keeps the interpreter's lock during the call, so no other thread of Python runs meanwhile.
        ctypes.PyDLL(None).usleep(request.count)
        return pb.Message()

    def Die(self, request, context):
        os._exit(0)


def serve(bind, **options):
    server = grpc.server(
        concurrent.futures.ThreadPoolExecutor(max_workers=int(os.environ.get("WIRE_WORKERS", "64"))),
        options=[("grpc.max_receive_message_length", -1), ("grpc.max_send_message_length", -1), ("grpc.max_metadata_size", 64 * 1024 * 1024)],
        **options,
    )
    rpc.add_WireServicer_to_server(Wire(), server)
    port = bind(server)
    server.start()
    servers.append(server)
    return port


servers = []
with open(cert_path, "rb") as cert, open(key_path, "rb") as key:
    credentials = grpc.ssl_server_credentials([(key.read(), cert.read())])
tcp = serve(lambda server: server.add_insecure_port("127.0.0.1:0"))
gzip = serve(lambda server: server.add_insecure_port("127.0.0.1:0"), compression=grpc.Compression.Gzip)
serve(lambda server: server.add_insecure_port("unix:" + socket_path))
tls = serve(lambda server: server.add_secure_port("127.0.0.1:0", credentials))
print(
    json.dumps(
        {
            "tcp": f"http://127.0.0.1:{tcp}",
            "gzip": f"http://127.0.0.1:{gzip}",
            "unix": "unix:" + socket_path,
            "tls": f"https://localhost:{tls}",
        }
    ),
    flush=True,
)

# The tests' process holds the other end: when it is gone, so is this one.
sys.stdin.read()
os._exit(0)
