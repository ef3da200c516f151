"""The Python caller: makes the calls that its standard input asks for, one command of JSON a line, and tells what comes back the same way."""

import base64
import hashlib
import json
import os
import queue
import sys
import threading

import grpc

LIMITS = [("grpc.max_receive_message_length", -1), ("grpc.max_send_message_length", -1)]
BLOCK = bytes(range(251))

channels = {}
calls = {}
output = threading.Lock()


def say(id, event, **more):
    with output:
        print(json.dumps({"id": id, "event": event, **more}), flush=True)


def channel_for(target, gzip):
    if (target, gzip) not in channels:
        compression = grpc.Compression.Gzip if gzip else None
        channels[target, gzip] = grpc.insecure_channel(target, options=LIMITS, compression=compression)
    return channels[target, gzip]


def pattern(size):
    return (BLOCK * (size // len(BLOCK) + 1))[:size]


def entries_of(metadata):
    return [[name, base64.b64encode(value).decode() if isinstance(value, bytes) else value] for name, value in metadata or ()]


def say_message(id, message):
    text = message.decode(errors="replace") if len(message) <= 100 else None
    say(id, "message", size=len(message), hash=hashlib.sha256(message).hexdigest(), text=text)


class Call:
    def __init__(self, command):
        self.command = command
        self.requests = queue.Queue()
        self.resumed = threading.Event()
        self.started = threading.Event()
        self.call = None
        if not command["paused"]:
            self.resumed.set()
        threading.Thread(target=self.run, daemon=True).start()

    def run(self):
        command = self.command
        id, kind = command["id"], command["kind"]
        channel = channel_for(command["target"], command["gzip"])
        metadata = [(name, base64.b64decode(value) if name.endswith("-bin") else value) for name, value in command["metadata"]]
        options = {"metadata": metadata, "timeout": None if command["deadline"] is None else command["deadline"] / 1000}
        method = command["method"]
        if kind == "unary":
            self.call = channel.unary_unary(method).future(self.requests.get(), **options)
        elif kind == "server":
            self.call = channel.unary_stream(method)(self.requests.get(), **options)
        elif kind == "client":
            self.call = channel.stream_unary(method).future(iter(self.requests.get, None), **options)
        else:
            self.call = channel.stream_stream(method)(iter(self.requests.get, None), **options)
        self.started.set()
        try:
            headers = self.call.initial_metadata()
            if headers:
                say(id, "headers", metadata=entries_of(headers))
            self.resumed.wait()
            if kind in ("unary", "client"):
                say_message(id, self.call.result())
            else:
                for message in self.call:
                    say_message(id, message)
        except (grpc.RpcError, grpc.FutureCancelledError):
            pass
        self.requests.put(None)
        trailers = entries_of(self.call.trailing_metadata())
        say(id, "end", code=self.call.code().value[0], message=self.call.details() or "", metadata=trailers)

    def cancel(self):
        self.started.wait()
        self.call.cancel()


def burst(command):
    open_channel = channel_for(command["target"], False)
    futures = [open_channel.unary_unary(command["method"]).future(pattern(i)) for i in range(command["count"])]
    failed = sum(1 for i, future in enumerate(futures) if future.exception() is not None or future.result() != pattern(i))
    say(command["id"], "end", code=0 if failed == 0 else 2, message=f"{failed} failed", metadata=[])


for line in sys.stdin:
    command = json.loads(line)
    op, id = command["op"], command["id"]
    if op == "start":
        calls[id] = Call(command)
    elif op == "send":
        calls[id].requests.put(pattern(command["size"]))
    elif op == "end":
        calls[id].requests.put(None)
    elif op == "cancel":
        calls[id].cancel()
    elif op == "resume":
        calls[id].resumed.set()
    else:
        threading.Thread(target=burst, args=(command,), daemon=True).start()

# The tests' process holds the other end: when it is gone, so is this one.
os._exit(0)
