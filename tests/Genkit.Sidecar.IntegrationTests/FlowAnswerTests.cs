using System.Net.Sockets;
using System.Runtime.Versioning;
using Genkit.Sidecar.Hosting;
using Genkit.Sidecar.IntegrationTests.Infrastructure;
using Microsoft.Extensions.Logging;

namespace Genkit.Sidecar.IntegrationTests;

/// <summary>Flows over HTTP: what the application receives of a request, and the caller of a result.</summary>
public sealed class FlowAnswerTests
{
    [Theory]
    [InlineData("""{"a":9007199254740993,"b":[-0,1e400],"a":null}""")]
    [InlineData("{\r\n  \"pretty\": true\n}")]
    [InlineData("null")]
    [InlineData("\"\\ud800\"")]
    public async Task Result_AnyJson_ArrivesByteForByteAndSoDoesTheInput(string json)
    {
        await using var flows = await FlowSidecar.StartAsync();
        flows.Application.Actions["/flow/echo"] = (call, request) => call.ResultAsync(request.InputJson.ToStringUtf8());

        var reply = await flows.PostAsync("/echo", $$"""{ "init" : 1, "data" : {{json}} , "other": 2}""");

        Assert.Equal(200, reply.Status);
        Assert.Equal($$"""{"result":{{json}}}""", reply.Body);
        Assert.Equal("application/json; charset=utf-8", reply.ContentType);
    }

    [Fact]
    public async Task Result_FlowReturnedNothing_IsAbsent()
    {
        await using var flows = await FlowSidecar.StartAsync();

        Assert.Equal("{}", (await flows.WithResult("void", null).PostAsync("/void")).Body);
    }

    [Theory]
    [InlineData("", null, null)]
    [InlineData("{}", null, null)]
    [InlineData("""{"data":null}""", "null", null)]
    [InlineData("""{"init":{"a":1}}""", null, """{"a":1}""")]
    [InlineData("""{"data":1,"data":2}""", "2", null)]
    public async Task Body_Members_AreInputAndInit(string body, string? input, string? init)
    {
        await using var flows = await FlowSidecar.StartAsync();
        V1.RunActionRequest? seen = null;
        flows.Application.Actions["/flow/f"] = (call, request) =>
        {
            seen = request;
            return call.ResultAsync("1");
        };

        Assert.Equal(200, (await flows.PostAsync("/f", body)).Status);

        Assert.Equal(input, seen!.HasInputJson ? seen.InputJson.ToStringUtf8() : null);
        Assert.Equal(init, seen.HasInitJson ? seen.InitJson.ToStringUtf8() : null);
        Assert.False(seen.HasContextJson);
        Assert.False(seen.Stream);
    }

    [Fact]
    public async Task Request_WithoutBodyAndMediaType_IsARunWithoutInput()
    {
        await using var flows = await FlowSidecar.StartAsync();
        flows.WithResult("f", "1");

        var answer = await flows.ExchangeAsync("POST /f HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");

        Assert.StartsWith("HTTP/1.1 200 OK\r\n", answer, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Headers_OfAnyAnswer_NameTheTraceAndKeepTheAnswerToItself()
    {
        await using var flows = await FlowSidecar.StartAsync();
        string? traceParent = null;
        flows.Application.Actions["/flow/f"] = (call, _) =>
        {
            traceParent = call.Metadata["traceparent"];
            return call.ResultAsync("1");
        };

        var reply = await flows.PostAsync("/f");

        Assert.Equal($"00-{reply.Header("x-genkit-trace-id")}-{reply.Header("x-genkit-span-id")}-01", traceParent);
        Assert.Equal("no-store", reply.Header("Cache-Control"));
        Assert.Equal("nosniff", reply.Header("X-Content-Type-Options"));
        Assert.Equal("default-src 'none'; frame-ancestors 'none'", reply.Header("Content-Security-Policy"));
        Assert.Null(reply.Header("Server"));
        Assert.Null(reply.Header("Access-Control-Allow-Origin"));
    }

    [Theory]
    [InlineData("abc-123", true)]
    [InlineData("two words", false)]
    [InlineData(null, false)]
    public async Task RequestId_GivenOrNot_IsInTheAnswerAndOnTheRun(string? given, bool isKept)
    {
        await using var flows = await FlowSidecar.StartAsync();
        V1.RunActionRequest? seen = null;
        flows.Application.Actions["/flow/f"] = (call, request) =>
        {
            seen = request;
            return call.ResultAsync("1");
        };

        var reply = await flows.PostAsync("/f", "{}", given is null ? [] : [("X-Request-ID", given)]);

        var id = reply.Header("X-Request-ID")!;
        Assert.Equal(isKept, id == given);
        Assert.Matches(isKept ? "." : "^[0-9a-f-]{36}$", id);
        Assert.Equal(id, seen!.TelemetryLabels["x-request-id"]);
    }

    [Theory]
    [InlineData("/greet", "/flow/greet")]
    [InlineData("/flow/greet", "/flow/greet")]
    [InlineData("/a/b", "/flow/a/b")]
    [InlineData("/na%C3%AFve%20one", "/flow/naïve one")]
    [InlineData("/model/echo", "/flow/model/echo")]
    [InlineData("/greet?x=1", "/flow/greet")]
    public async Task Path_ByDefault_IsTheNameOfAFlow(string path, string key)
    {
        await using var flows = await FlowSidecar.StartAsync();

        var reply = await flows.PostAsync(path);

        Assert.Equal(404, reply.Status);
        Assert.Equal($"action {key} not found", reply.ErrorMessage);
    }

    [Theory]
    [InlineData("/api/flows/open-greet", "/flow/open-greet")]
    [InlineData("/api/flows/model/echo", "/model/echo")]
    [InlineData("/api/flows/model/other", null)]
    [InlineData("/api/flows/greet", null)]
    [InlineData("/api/flows/", null)]
    [InlineData("/api/flows", null)]
    [InlineData("/api/flowsopen-greet", null)]
    [InlineData("/open-greet", null)]
    [InlineData("/", null)]
    public async Task Path_WithPrefixAndGlobs_IsServedWhereTheySaySo(string path, string? key)
    {
        await using var flows = await FlowSidecar.StartAsync("--flow-path-prefix", "/api/flows", "--flow-actions", "/flow/open-*", "--flow-actions", "/model/echo");

        var reply = await flows.PostAsync(path);

        Assert.Equal(404, reply.Status);
        Assert.Equal(key is null ? "There is no flow at this path" : $"action {key} not found", reply.ErrorMessage);
        Assert.Equal(key is not null, flows.Application.Calls.Contains("RunAction"));
    }

    [Fact]
    public async Task Context_MappedHeaders_AreItAndNothingElseIs()
    {
        await using var flows = await FlowSidecar.StartAsync(
            "--flow-context", "auth.uid=X-User-Id", "--flow-context", "auth.email=X-Email", "--flow-context", "tenant=X-Tenant", "--flow-context", "secrets.key=X-Key");
        string? context = null;
        flows.Application.Actions["/flow/f"] = (call, request) =>
        {
            context = request.HasContextJson ? request.ContextJson.ToStringUtf8() : null;
            return call.ResultAsync("1");
        };

        await flows.PostAsync("/f", """{"data":1,"context":{"auth":{"uid":"forged"}}}""", ("x-user-id", "ada\""), ("X-TENANT", "a"), ("x-tenant", "b"), ("X-Other", "c"));
        Assert.Equal("""{"auth":{"uid":"ada\""},"tenant":"a, b"}""", context);

        await flows.PostAsync("/f");
        Assert.Null(context);
    }

    [Theory]
    [InlineData("gzip", "gzip")]
    [InlineData("gzip, br", "br")]
    [InlineData("br;q=0, gzip;q=0.5", "gzip")]
    [InlineData("identity", null)]
    [InlineData("zstd", null)]
    public async Task Compression_LongResult_IsWhatTheClientTakes(string accepted, string? used)
    {
        await using var flows = await FlowSidecar.StartAsync();
        flows.WithResult("long", $"\"{new string('x', 5000)}\"").WithResult("short", "1");

        var reply = await flows.PostAsync("/long", "{}", ("Accept-Encoding", accepted));

        Assert.Equal(used, reply.Header("Content-Encoding"));
        Assert.Equal("Accept-Encoding", reply.Header("Vary"));
        Assert.Equal(used is null, reply.Body.Length > 5000);
        Assert.Null((await flows.PostAsync("/short", "{}", ("Accept-Encoding", accepted))).Header("Content-Encoding"));
    }

    [Fact]
    public async Task Compression_TurnedOff_IsNone()
    {
        await using var flows = await FlowSidecar.StartAsync("--flow-compression", "false");
        flows.WithResult("long", $"\"{new string('x', 5000)}\"");

        Assert.Null((await flows.PostAsync("/long", "{}", ("Accept-Encoding", "gzip"))).Header("Content-Encoding"));
    }

    [Fact]
    public async Task Result_OfManyMegabytes_ArrivesWhole()
    {
        await using var flows = await FlowSidecar.StartAsync("--flow-max-body-bytes", "16MiB");
        flows.Application.Actions["/flow/echo"] = (call, request) => call.ResultAsync(request.InputJson.ToStringUtf8());
        var json = $"\"{new string('x', 10_000_000)}\"";

        var reply = await flows.PostAsync("/echo", $$"""{"data":{{json}}}""");

        Assert.True(reply.Body == $$"""{"result":{{json}}}""");
    }

    [Fact]
    public async Task Callers_AThousandAtOnce_EachGetTheirOwn()
    {
        await using var flows = await FlowSidecar.StartAsync("--flow-max-concurrent", "1000", "--max-concurrent-runs", "1000", "--flow-rate-limit", "0");
        var arrived = 0;
        var all = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        flows.Application.Actions["/flow/echo"] = async (call, request) =>
        {
            if (Interlocked.Increment(ref arrived) == 1000)
            {
                all.SetResult();
            }

            await all.Task;
            await call.ResultAsync(request.InputJson.ToStringUtf8());
        };

        var replies = await Task.WhenAll(Enumerable.Range(0, 1000).Select(i => flows.PostAsync("/echo", $$"""{"data":{{i}}}""")));

        Assert.Equal(Enumerable.Range(0, 1000).Select(i => $$"""{"result":{{i}}}"""), replies.Select(reply => reply.Body));
    }

    [Fact]
    [UnsupportedOSPlatform("windows")]
    public async Task Listener_UnixSocket_ServesItsOwnerWithoutAToken()
    {
        var folder = Directory.CreateTempSubdirectory("genkit-sidecar-");
        var path = Path.Combine(folder.FullName, "flows.sock");
        await using var application = await FakeApplication.StartAsync();
        application.Actions["/flow/f"] = (call, _) => call.ResultAsync("1");
        await using (await SidecarFixture.StartWithoutManagerAsync(application.Address, "--flow-server", $"unix:{path}"))
        {
            Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(path));
            using var http = new HttpClient(new SocketsHttpHandler
            {
                ConnectCallback = async (_, cancellationToken) =>
                {
                    var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
                    await socket.ConnectAsync(new UnixDomainSocketEndPoint(path), cancellationToken);
                    return new NetworkStream(socket, ownsSocket: true);
                },
            });
            using var request = FlowSidecar.Request("http://any.example/f");
            using var response = await http.SendAsync(request, TestContext.Current.CancellationToken);
            Assert.Equal("""{"result":1}""", await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken));
        }

        Assert.False(Path.Exists(path));
        folder.Delete(recursive: true);
    }

    [Fact]
    public async Task Listener_AddressIsTaken_FailsTheStartNamingTheSetting()
    {
        using var other = new TcpListener(System.Net.IPAddress.Loopback, 0);
        other.Start();
        using var log = new LogCapture();
        using var logs = LoggerFactory.Create(builder => builder.AddProvider(log));
        log.ExpectError("FlowServerListenFailed");

        var exitCode = await SidecarHost.RunAsync(SidecarFixture.Settings("--flow-server", $"{other.LocalEndpoint}"), logs, _ => { }, () => { }, CancellationToken.None);

        Assert.Equal(1, exitCode);
        var refusal = await log.WaitForAsync("FlowServerListenFailed");
        Assert.Equal(("flag --flow-server", $"{other.LocalEndpoint}"), (refusal["Source"], refusal["Address"]));
        Assert.Empty(log.UnexpectedErrors);
    }
}
