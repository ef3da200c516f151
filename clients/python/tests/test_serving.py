"""The server: runtime info, health, TLS, other services and shutdown."""

from __future__ import annotations

import asyncio
import concurrent.futures
import contextvars
import os
import pathlib
import signal
import stat
import subprocess
import sys
import tempfile
import unittest
from collections.abc import AsyncIterator
from typing import Any

import grpc

from genkit_sidecar import ActionRunContext, Application, Result, SidecarConfiguration, __version__, define
from genkit_sidecar._stubs.genkit.sidecar.v1 import action_service_pb2 as pb

from .caller import Caller, calling

PROGRAM = """
import asyncio
from genkit_sidecar import ActionRunContext, Application
application = Application("program")
@application.flow()
async def wait(context: ActionRunContext) -> str:
    try:
        await context.send_chunk("waiting")
        await asyncio.sleep(SECONDS)
        return "done"
    finally:
        print("ended", flush=True)
application.serve("127.0.0.1:0", grace=GRACE)
"""


def echo_service() -> grpc.GenericRpcHandler:
    method = grpc.unary_unary_rpc_method_handler(lambda request, context: request)
    return grpc.method_handlers_generic_handler("test.Echo", {"Echo": method})


class Serving(unittest.IsolatedAsyncioTestCase):
    async def test_actions_come_and_go(self) -> None:
        application = Application()
        async with calling(application) as caller:
            self.assertEqual(list(await caller.listed()), [])
            application.flow("a")(lambda: 1)
            self.assertEqual(list(await caller.listed()), ["/flow/a"])
            application.remove("/flow/a")
            self.assertEqual(list(await caller.listed()), [])
            self.assertEqual((await caller.run("/flow/a")).error.code, 5)

    async def test_an_action_that_is_not_listed_can_be_resolved(self) -> None:
        hidden = define("model", "acme/hidden", lambda: "found")
        application = Application(resolve=lambda key: hidden if key == hidden.key else None)
        async with calling(application) as caller:
            self.assertEqual((await caller.run("/model/acme/hidden")).value, "found")
            self.assertEqual(list(await caller.listed()), [])

    async def test_runtime_info_values_and_configuration(self) -> None:
        for blocking in (False, True):
            told: list[SidecarConfiguration] = []
            application = Application("name", environments=["dev"], on_configure=told.append)
            application.values["defaultModel"] = {"defaultModel": {"name": "echo"}}
            async with calling(application, blocking) as caller:
                info = await caller.unary("GetRuntimeInfo", pb.GetRuntimeInfoRequest(), pb.GetRuntimeInfoResponse)
                self.assertEqual((info.name, info.genkit_version, list(info.environments)), ("name", f"python/{__version__}", ["dev"]))
                values = await caller.unary("ListValues", pb.ListValuesRequest(type="defaultModel"), pb.ListValuesResponse)
                self.assertEqual(values.values_json, b'{"defaultModel":{"name":"echo"}}')
                values = await caller.unary("ListValues", pb.ListValuesRequest(type="unknown"), pb.ListValuesResponse)
                self.assertEqual(values.values_json, b"")
                request = pb.ConfigureRequest(otlp_grpc_endpoint="http://127.0.0.1:4317", sidecar_version="1", max_message_bytes=2, features=["a"])
                await caller.unary("Configure", request, pb.ConfigureResponse)
                self.assertEqual(told, [SidecarConfiguration("http://127.0.0.1:4317", "", "1", 2, ("a",))])

    async def test_health_is_served_and_watched_until_shutdown(self) -> None:
        server = await Application().start("127.0.0.1:0")
        async with grpc.aio.insecure_channel(server.address) as channel:
            check = channel.unary_unary("/grpc.health.v1.Health/Check")
            for service in (b"", b"\n\x1fgenkit.sidecar.v1.ActionService"):
                self.assertEqual(await check(service), b"\x08\x01")
            with self.assertRaises(grpc.aio.AioRpcError) as raised:
                await check(b"\n\x05other")
            self.assertEqual(raised.exception.code(), grpc.StatusCode.NOT_FOUND)
            unknown = channel.unary_stream("/grpc.health.v1.Health/Watch")(b"\n\x05other")
            self.assertEqual(await unknown.read(), b"\x08\x03")
            watch = channel.unary_stream("/grpc.health.v1.Health/Watch")(b"")
            self.assertEqual(await watch.read(), b"\x08\x01")
            stopping = asyncio.create_task(server.stop(60))
            self.assertEqual(await watch.read(), b"\x08\x02")
            self.assertEqual(await watch.read(), grpc.aio.EOF)
            await stopping

    async def test_the_service_is_added_to_a_server_with_other_services_and_interceptors(self) -> None:
        intercepted = []

        class Interceptor(grpc.ServerInterceptor):
            def intercept_service(self, continuation, details):
                intercepted.append(details.method)
                return continuation(details)

        class AioInterceptor(grpc.aio.ServerInterceptor):
            async def intercept_service(self, continuation, details):
                intercepted.append(details.method)
                return await continuation(details)

        application = Application()
        application.flow("a")(lambda: 1)
        pool = concurrent.futures.ThreadPoolExecutor(4)
        self.addCleanup(pool.shutdown)
        for server in (grpc.server(pool, interceptors=[Interceptor()]), grpc.aio.server(interceptors=[AioInterceptor()])):
            intercepted.clear()
            server.add_generic_rpc_handlers((echo_service(),))
            application.add_to(server)
            port = server.add_insecure_port("127.0.0.1:0")
            blocking = isinstance(server, grpc.Server)
            server.start() if blocking else await server.start()
            async with grpc.aio.insecure_channel(f"127.0.0.1:{port}") as channel:
                self.assertEqual((await Caller(channel).run("/flow/a")).value, 1)
                self.assertEqual(await channel.unary_unary("/test.Echo/Echo")(b"x"), b"x")
            self.assertEqual(intercepted, ["/genkit.sidecar.v1.ActionService/RunAction", "/test.Echo/Echo"])
            server.stop(None).wait() if blocking else await server.stop(None)

    async def test_interceptors_see_the_responses_of_a_run_and_wrap_its_handler(self) -> None:
        seen: list[Any] = []
        ambient = contextvars.ContextVar("ambient", default="nothing")

        def around(handler, seeing):
            replace = {"unary_stream": seeing(handler.unary_stream)} if handler.unary_stream else {"stream_stream": seeing(handler.stream_stream)}
            return handler._replace(**replace)

        class Interceptor(grpc.ServerInterceptor):
            def intercept_service(self, continuation, details):
                def seeing(behavior):
                    def wrapped(request, context):
                        ambient.set("the interceptor's")
                        for response in behavior(request, context):
                            seen.append(response.WhichOneof("update"))
                            yield response
                    return wrapped
                return around(continuation(details), seeing)

        class AioInterceptor(grpc.aio.ServerInterceptor):  # like OpenTelemetry's
            async def intercept_service(self, continuation, details):
                def seeing(behavior):
                    async def wrapped(request, context):
                        ambient.set("the interceptor's")
                        async for response in behavior(request, context):
                            seen.append(response.WhichOneof("update"))
                            yield response
                    return wrapped
                return around(await continuation(details), seeing)

        application = Application()

        @application.flow()
        async def plain(context: ActionRunContext) -> str:
            await context.send_chunk(1)
            return ambient.get()

        @application.flow()
        async def bidi(chunks: AsyncIterator[int]):
            async for chunk in chunks:
                yield chunk
            yield Result(ambient.get())

        pool = concurrent.futures.ThreadPoolExecutor(4)
        self.addCleanup(pool.shutdown)
        for server in (grpc.server(pool, interceptors=[Interceptor()]), grpc.aio.server(interceptors=[AioInterceptor()])):
            application.add_to(server)
            port = server.add_insecure_port("127.0.0.1:0")
            blocking = isinstance(server, grpc.Server)
            server.start() if blocking else await server.start()
            async with grpc.aio.insecure_channel(f"127.0.0.1:{port}") as channel:
                for running in (Caller(channel).run("/flow/plain"), Caller(channel).bidi("/flow/bidi", [b"1"])):
                    seen.clear()
                    outcome = await running
                    self.assertEqual((outcome.chunks, outcome.value), ([1], "the interceptor's"))
                    self.assertEqual(seen, ["chunk_json", "result"])
            server.stop(None).wait() if blocking else await server.stop(None)

    async def test_the_first_runs_in_a_blocking_server_share_one_loop(self) -> None:
        program = """
import asyncio, concurrent.futures
import grpc
from genkit_sidecar import Application
application = Application()
@application.flow()
async def loop() -> int:
    return id(asyncio.get_running_loop())
server = grpc.server(concurrent.futures.ThreadPoolExecutor(64))
application.add_to(server)
print(server.add_insecure_port("127.0.0.1:0"), flush=True)
server.start()
server.wait_for_termination()
"""
        process = await asyncio.create_subprocess_exec(sys.executable, "-c", program, stdout=subprocess.PIPE)
        self.addAsyncCleanup(process.wait)
        self.addCleanup(process.kill)
        address = f"127.0.0.1:{int(await process.stdout.readline())}"
        async with grpc.aio.insecure_channel(address) as channel:
            outcomes = await asyncio.gather(*(Caller(channel).run("/flow/loop") for _ in range(64)))
            self.assertEqual(len({outcome.value for outcome in outcomes}), 1)

    async def test_tls(self) -> None:
        with tempfile.TemporaryDirectory() as folder:
            key, certificate = pathlib.Path(folder, "key.pem"), pathlib.Path(folder, "cert.pem")
            command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", key, "-out", certificate]
            subprocess.run([*command, "-days", "2", "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"], check=True, capture_output=True)
            credentials = grpc.ssl_server_credentials([(key.read_bytes(), certificate.read_bytes())])
            trust = grpc.ssl_channel_credentials(certificate.read_bytes())
        server = await Application("secret").start("localhost:0", credentials=credentials)
        async with grpc.aio.secure_channel(server.address, trust) as channel:
            self.assertEqual(await Caller(channel).listed(), {})
        await server.stop()

    async def test_a_unix_socket_is_accessible_to_its_owner_only(self) -> None:
        with tempfile.TemporaryDirectory() as folder:
            server = await Application().start(f"unix:{folder}/app.sock")
            self.assertEqual(stat.S_IMODE(os.stat(f"{folder}/app.sock").st_mode), 0o600)
            async with grpc.aio.insecure_channel(server.address) as channel:
                self.assertEqual(await Caller(channel).listed(), {})
            await server.stop()

    async def test_serve_on_a_running_loop_is_refused(self) -> None:
        with self.assertRaisesRegex(RuntimeError, "await application.start"):
            Application().serve("127.0.0.1:0")

    async def test_an_address_without_port_is_refused(self) -> None:
        with self.assertRaisesRegex(RuntimeError, "cannot listen on localhost: .*GENKIT_SIDECAR_LISTEN"):
            await Application().start("localhost")

    async def test_an_address_in_use_is_named(self) -> None:
        server = await Application().start("127.0.0.1:0")
        with self.assertRaisesRegex(RuntimeError, f"cannot listen on {server.address}.*GENKIT_SIDECAR_LISTEN"):
            await Application().start(server.address)
        await server.stop()


class Stopping(unittest.IsolatedAsyncioTestCase):
    async def start(self, seconds: float, grace: float) -> asyncio.subprocess.Process:
        program = PROGRAM.replace("SECONDS", str(seconds)).replace("GRACE", str(grace))
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-c", program, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env={**os.environ}
        )
        line = (await process.stderr.readline()).decode().split()
        self.assertEqual(line[:3], ["program", "listens", "on"])
        self.channel = grpc.aio.insecure_channel(line[3])
        self.addAsyncCleanup(self.channel.close)
        self.call = Caller(self.channel).start("/flow/wait")
        self.assertEqual((await self.call.read()).chunk_json, b'"waiting"')
        return process

    async def test_runs_may_end_within_the_grace_period(self) -> None:
        process = await self.start(seconds=0.5, grace=60)
        process.send_signal(signal.SIGTERM)
        self.assertEqual((await self.call.read()).result.result_json, b'"done"')
        self.assertEqual(await process.wait(), 0)

    async def test_a_second_signal_cancels_runs(self) -> None:
        process = await self.start(seconds=600, grace=600)
        watch = self.channel.unary_stream("/grpc.health.v1.Health/Watch")(b"")
        self.assertEqual(await watch.read(), b"\x08\x01")
        process.send_signal(signal.SIGTERM)
        self.assertEqual(await watch.read(), b"\x08\x02")  # the first signal has been handled
        process.send_signal(signal.SIGINT)
        out, err = await process.communicate()
        self.assertEqual((process.returncode, out, err), (0, b"ended\n", b""))

    async def test_serve_works_outside_the_main_thread(self) -> None:
        program = f"import threading\n{PROGRAM}".replace("SECONDS", "0").replace("GRACE", "0")
        program = program.replace('application.serve("', 'threading.Thread(target=application.serve, args=["').replace(", grace=0)", "]).start()")
        process = await asyncio.create_subprocess_exec(sys.executable, "-c", program, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
        line = (await process.stderr.readline()).decode().split()
        self.assertEqual(line[:3], ["program", "listens", "on"])
        async with grpc.aio.insecure_channel(line[3]) as channel:
            self.assertEqual((await Caller(channel).run("/flow/wait")).value, "done")
        process.terminate()
        self.assertEqual(await process.wait(), -signal.SIGTERM)

    async def test_runs_are_cancelled_after_the_grace_period(self) -> None:
        process = await self.start(seconds=600, grace=0)
        process.send_signal(signal.SIGTERM)
        out, err = await process.communicate()
        self.assertEqual((process.returncode, out, err), (0, b"ended\n", b""))


if __name__ == "__main__":
    unittest.main()
