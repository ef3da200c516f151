using System.Net;
using System.Net.Sockets;
using Genkit.Sidecar.Hosting;
using Genkit.Sidecar.IntegrationTests.Infrastructure;
using Genkit.Sidecar.Telemetry;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Genkit.Sidecar.IntegrationTests.ReflectionV1;

/// <summary>Reflection API v1 except for runs: lists, refused requests, the runtime file, and shutdown.</summary>
public sealed class V1EndpointTests
{
    [Theory]
    [InlineData("/api/__health", 200, "OK")]
    [InlineData("/api/__health?id=", 200, "OK")]
    [InlineData("/api/__health?id=me", 200, "OK")]
    [InlineData("/api/__health?id=other", 503, "Invalid runtime ID")]
    [InlineData("/api/__health?id=me&id=me", 503, "Invalid runtime ID")]
    [InlineData("/api/envs", 200, """["dev"]""")]
    [InlineData("/api/actions", 200, """{"/flow/x":{"key":"/flow/x","name":"x"}}""")]
    [InlineData("/api/values", 400, "Query parameter \"type\" is required.")]
    [InlineData("/api/values?type=", 400, "Query parameter \"type\" is required.")]
    [InlineData("/api/values?type=prompt", 400, "'type' prompt is not supported. Only 'defaultModel' and 'middleware' are supported")]
    [InlineData("/api/values?type=defaultModel", 200, "{}")]
    [InlineData("/api/nothing", 404, "Cannot GET /api/nothing")]
    [InlineData("/api/runAction", 404, "Cannot GET /api/runAction")]
    [InlineData("/", 404, "Cannot GET /")]
    public async Task Get_AnyPath_IsAnsweredAsByTheJsRuntime(string path, int status, string text)
    {
        await using var sidecar = await V1Sidecar.StartAsync("--runtime-id", "me");

        Assert.Equal((status, text), await sidecar.GetAsync(path));
    }

    [Theory]
    [InlineData("PUT", "/api/runAction")]
    [InlineData("DELETE", "/api/actions")]
    [InlineData("OPTIONS", "/api/runAction")]
    [InlineData("POST", "/api/__quitquitquit")]
    [InlineData("POST", "/api/actions")]
    public async Task Request_WrongMethod_Is404(string method, string path)
    {
        await using var sidecar = await V1Sidecar.StartAsync();
        using var request = new HttpRequestMessage(new HttpMethod(method), path);

        using var response = await sidecar.SendAsync(request);

        Assert.Equal(HttpStatusCode.NotFound, response.StatusCode);
        Assert.False(sidecar.Sidecar.Quit.Task.IsCompleted);
        Assert.False(response.Headers.Contains("Access-Control-Allow-Origin"));
    }

    [Fact]
    public async Task Values_OfTheApplication_AreTheBareMap()
    {
        await using var sidecar = await V1Sidecar.StartAsync();
        sidecar.Application.Methods["ListValues"] = call =>
            call.ReplyAsync(new V1.ListValuesResponse { ValuesJson = Google.Protobuf.ByteString.CopyFromUtf8("""{"defaultModel":{"name":"fake/echo"}}""") });

        Assert.Equal((200, """{"defaultModel":{"name":"fake/echo"}}"""), await sidecar.GetAsync("/api/values?type=defaultModel"));
    }

    [Theory]
    [InlineData("/api/actions")]
    [InlineData("/api/values?type=defaultModel")]
    public async Task Listing_ApplicationAway_FailsWithTheReason(string path)
    {
        await using var sidecar = await V1Sidecar.StartAsync();
        await sidecar.Application.DisposeAsync();

        var (status, text) = await sidecar.GetAsync(path);

        Assert.Equal(503, status);
        Assert.StartsWith("{\"code\":14,\"message\":\"The application cannot be reached:", text, StringComparison.Ordinal);
        Assert.Equal((200, "OK"), await sidecar.GetAsync("/api/__health"));
    }

    [Fact]
    public async Task Runtime_OfTheApplication_IsWhatItSays()
    {
        await using var application = await FakeApplication.StartAsync();
        application.Methods["GetRuntimeInfo"] = call =>
            call.ReplyAsync(new V1.GetRuntimeInfoResponse { Name = "app", GenkitVersion = "rust/1.2", Environments = { "dev", "stage" } });
        await using var sidecar = await V1Sidecar.StartAsync(application);
        await sidecar.Log.WaitForAsync("RuntimeFileWritten");

        using var response = await sidecar.SendAsync(new HttpRequestMessage(HttpMethod.Get, "/api/envs"));

        Assert.Equal("""["dev","stage"]""", await V1Sidecar.TextAsync(response));
        Assert.Equal("rust/1.2", Assert.Single(response.Headers.GetValues("x-genkit-version")));
    }

    [Fact]
    public async Task Runtime_VersionThatNoHeaderCanHold_IsStillSaid()
    {
        await using var application = await FakeApplication.StartAsync();
        application.Methods["GetRuntimeInfo"] = call => call.ReplyAsync(new V1.GetRuntimeInfoResponse { GenkitVersion = "ru\u00efn\r\nx: y" });
        await using var sidecar = await V1Sidecar.StartAsync(application);
        await sidecar.Log.WaitForAsync("RuntimeFileWritten");

        using var response = await sidecar.SendAsync(new HttpRequestMessage(HttpMethod.Get, "/api/__health"));

        Assert.Equal("ru?n??x: y", Assert.Single(response.Headers.GetValues("x-genkit-version")));
    }

    [Theory]
    [InlineData("Host", "localhost", true)]
    [InlineData("Host", "127.0.0.1:1", true)]
    [InlineData("Host", "[::1]", true)]
    [InlineData("Host", "app:3100", true)]
    [InlineData("Host", "example.com", false)]
    [InlineData("Host", "localhost.example.com", false)]
    [InlineData("Host", "10.0.0.1", false)]
    [InlineData("Origin", "http://localhost:4000", true)]
    [InlineData("Origin", "http://127.0.0.1:4000", true)]
    [InlineData("Origin", "https://app", true)]
    [InlineData("Origin", "https://example.com", false)]
    [InlineData("Origin", "http://localhost.example.com", false)]
    [InlineData("Origin", "null", false)]
    [InlineData("Sec-Fetch-Site", "cross-site", false)]
    [InlineData("Sec-Fetch-Site", "same-origin", true)]
    public async Task Caller_ByItsHeaders_IsAnsweredOrRefused(string header, string value, bool isAnswered)
    {
        await using var sidecar = await V1Sidecar.StartAsync("--reflection-v1-allow-host", "app");
        using var request = new HttpRequestMessage(HttpMethod.Get, "/api/__health");
        request.Headers.TryAddWithoutValidation(header, value);

        using var response = await sidecar.SendAsync(request);

        Assert.Equal(isAnswered ? HttpStatusCode.OK : HttpStatusCode.Forbidden, response.StatusCode);
        Assert.Equal(isAnswered ? 0 : 1, sidecar.Log.Count("ReflectionV1RequestRefused"));
    }

    [Fact]
    public async Task Caller_ThatIsAWebPage_CannotStopTheSidecar()
    {
        await using var sidecar = await V1Sidecar.StartAsync();
        using var request = new HttpRequestMessage(HttpMethod.Get, "/api/__quitquitquit") { Headers = { { "Sec-Fetch-Site", "cross-site" } } };

        using var response = await sidecar.SendAsync(request);

        Assert.Equal(HttpStatusCode.Forbidden, response.StatusCode);
        Assert.False(sidecar.Sidecar.Quit.Task.IsCompleted);
    }

    [Fact]
    public async Task Quit_IsAnsweredAndPassedOn()
    {
        await using var sidecar = await V1Sidecar.StartAsync();

        Assert.Equal((200, "OK"), await sidecar.GetAsync("/api/__quitquitquit"));

        await sidecar.Sidecar.Quit.Task.InTimeAsync();
    }

    [Fact]
    public async Task Notify_NamesATelemetryServer_TracesGoThere()
    {
        await using var telemetry = await FakeTelemetryServer.StartAsync();
        await using var sidecar = await V1Sidecar.StartAsync();
        sidecar.Application.Actions["/flow/x"] = (call, _) => call.ResultAsync("1");

        var answer = await sidecar.PostAsync("/api/notify", $$"""{"telemetryServerUrl":"{{telemetry.Address}}","reflectionApiSpecVersion":1}""");
        await sidecar.PostAsync("/api/runAction", """{"key":"/flow/x"}""");

        Assert.Equal((200, "OK"), answer);
        await telemetry.PostAsync();
    }

    [Theory]
    [InlineData("--telemetry-server off", "http://localhost:4033", null)]
    [InlineData("--telemetry-server http://localhost:4444", "http://localhost:4033", "http://localhost:4444/")]
    [InlineData("", "http://localhost:4033", "http://localhost:4033/")]
    [InlineData("", "http://elsewhere:4033", null)]
    [InlineData("--telemetry-allow-host elsewhere", "http://elsewhere:4033", "http://elsewhere:4033/")]
    public async Task Notify_NamesATelemetryServer_CountsByTheRulesOfTheOtherEndpoint(string flags, string url, string? address)
    {
        await using var sidecar = await V1Sidecar.StartAsync(flags.Split(' ', StringSplitOptions.RemoveEmptyEntries));

        await sidecar.PostAsync("/api/notify", $$"""{"telemetryServerUrl":"{{url}}","reflectionApiSpecVersion":1}""");

        Assert.Equal(address, sidecar.Sidecar.Services.GetRequiredService<TelemetryServer>().Address?.ToString());
    }

    [Theory]
    [InlineData("{}", 0)]
    [InlineData("""{"telemetryServerUrl":7,"reflectionApiSpecVersion":1}""", 0)]
    [InlineData("""{"reflectionApiSpecVersion":2}""", 1)]
    public async Task Notify_OfAnotherVersion_IsLogged(string body, int warnings)
    {
        await using var sidecar = await V1Sidecar.StartAsync();

        Assert.Equal((200, "OK"), await sidecar.PostAsync("/api/notify", body));
        Assert.Equal(warnings, sidecar.Log.Count("ReflectionV1VersionMismatch"));
    }

    [Fact]
    public async Task RuntimeFile_ApplicationAnswers_IsThereUntilTheEnd()
    {
        await using var sidecar = await V1Sidecar.StartAsync("--runtime-id", "a/b", "--name", "me");
        var stale = Path.Combine(sidecar.ProjectRoot, ".genkit", "runtimes", "1-3100-1.json");
        await sidecar.Log.WaitForAsync("RuntimeFileWritten");
        await File.WriteAllTextAsync(stale, "{}", TestContext.Current.CancellationToken);

        var path = Assert.Single(sidecar.RuntimeFiles, file => file != stale);
        var text = await File.ReadAllTextAsync(path, TestContext.Current.CancellationToken);
        await sidecar.Sidecar.StopAsync();

        Assert.Matches(@"/a_b-\d{13}\.json$", path);
        Assert.Matches(
            $$"""
            ^\{
              "id": "a/b",
              "pid": {{Environment.ProcessId}},
              "name": "me",
              "reflectionServerUrl": "{{sidecar.Address.GetLeftPart(UriPartial.Authority)}}",
              "timestamp": "\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z",
              "genkitVersion": "genkit-sidecar/\d+\.\d+\.\d+",
              "reflectionApiSpecVersion": 1
            \}$
            """,
            text);
        Assert.Equal([stale], sidecar.RuntimeFiles);
        Assert.Equal(["runtimes"], Directory.EnumerateFileSystemEntries(Path.Combine(sidecar.ProjectRoot, ".genkit")).Select(Path.GetFileName));
    }

    [Fact]
    public async Task RuntimeFile_ApplicationIsAway_WaitsForIt()
    {
        await using var application = await FakeApplication.StartAsync();
        var release = new TaskCompletionSource();
        application.Methods["ListActions"] = async call =>
        {
            await release.Task;
            await call.ReplyAsync(new V1.ListActionsResponse());
        };
        await using var sidecar = await V1Sidecar.StartAsync(application);

        Assert.Equal((200, "OK"), await sidecar.GetAsync("/api/__health"));
        Assert.Empty(sidecar.RuntimeFiles);
        release.SetResult();
        await sidecar.Log.WaitForAsync("RuntimeFileWritten");
        Assert.Single(sidecar.RuntimeFiles);
    }

    [Theory]
    [InlineData("/nowhere/at/all")]
    [InlineData("/proc")]
    public async Task RuntimeFile_CannotBeWritten_IsOnlyAWarning(string root)
    {
        await using var sidecar = await V1Sidecar.StartAsync("--project-root", root);

        Assert.StartsWith($"{root}/.genkit/runtimes/", (await sidecar.Log.WaitForAsync("RuntimeFileWriteFailed"))["Path"], StringComparison.Ordinal);

        Assert.Equal((200, "OK"), await sidecar.GetAsync("/api/__health"));
    }

    [Fact]
    public async Task Stop_RunsEndInTime_AreAnsweredAndNewOnesRefused()
    {
        await using var sidecar = await V1Sidecar.StartAsync("--drain-timeout", "10m");
        var release = new TaskCompletionSource();
        sidecar.Application.Actions["/flow/x"] = async (call, _) =>
        {
            await release.Task;
            await call.ResultAsync("1");
        };
        using var response = await sidecar.SendAsync("/api/runAction", """{"key":"/flow/x"}""");

        var stopping = sidecar.Sidecar.StopAsync();
        await sidecar.Log.WaitForAsync("RunsDraining");
        var (_, refused) = await sidecar.PostAsync("/api/runAction", """{"key":"/flow/x"}""");
        release.SetResult();
        var text = await V1Sidecar.TextAsync(response);
        await stopping;

        Assert.StartsWith("{\"error\":{\"code\":14,\"message\":\"The sidecar is stopping and starts no more runs\"", refused, StringComparison.Ordinal);
        Assert.StartsWith("{\"result\":1,", text, StringComparison.Ordinal);
        Assert.Empty(sidecar.RuntimeFiles);
        await Assert.ThrowsAsync<HttpRequestException>(() => sidecar.GetAsync("/api/__health"));
    }

    [Fact]
    public async Task Stop_RunsGoOn_AreCancelledAndToldSo()
    {
        await using var sidecar = await V1Sidecar.StartAsync();
        sidecar.Application.Actions["/flow/x"] = (call, _) => call.WaitForCancelAsync();
        using var response = await sidecar.SendAsync("/api/runAction", """{"key":"/flow/x"}""");

        await sidecar.Sidecar.StopAsync();

        Assert.StartsWith("{\"error\":{\"code\":1,\"message\":\"Action was cancelled\"", await V1Sidecar.TextAsync(response), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Stop_CallersThatSayNothingOrDoNotRead_DoNotHoldItUp()
    {
        await using var sidecar = await V1Sidecar.StartAsync();
        var written = new TaskCompletionSource();
        sidecar.Application.Actions["/flow/x"] = async (call, _) =>
        {
            written.TrySetResult();
            while (true)
            {
                await call.ChunkAsync($"\"{new string('x', 64 * 1024)}\"");
            }
        };
        using var silent = await sidecar.SayAsync("POST /api/runAction HTTP/1.1\r\n");
        using var slow = await sidecar.SayAsync($"POST /api/runAction HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{{");
        using var deaf = await sidecar.SayAsync(sidecar.Post("/api/runAction?stream=true", """{"key":"/flow/x"}"""));
        await written.Task.InTimeAsync();

        await sidecar.Sidecar.StopAsync();
    }

    [Fact]
    public async Task Stop_CallerHasReadHalfOfALargeResult_DoesNotHoldItUp()
    {
        await using var sidecar = await V1Sidecar.StartAsync();
        sidecar.Application.Actions["/flow/x"] = (call, _) => call.ResultAsync($"\"{new string('x', 30_000_000)}\"");
        using var deaf = await sidecar.SendAsync("/api/runAction", """{"key":"/flow/x"}""");
        await using var result = await deaf.Content.ReadAsStreamAsync(TestContext.Current.CancellationToken);
        await result.ReadExactlyAsync(new byte[1_000], TestContext.Current.CancellationToken).AsTask().InTimeAsync();

        await sidecar.Sidecar.StopAsync();
    }

    [Fact]
    public async Task Probes_V1Alone_AreGoodOnceTheApplicationAnswers()
    {
        await using var sidecar = await V1Sidecar.StartAsync("--health", "127.0.0.1:0");
        using var health = sidecar.Sidecar.Health();

        var ready = await health.UntilAsync("/readyz?verbose", 200);

        Assert.Contains($"reflection-v1: yes, served at {sidecar.Address}\napplication: yes, answers at {sidecar.Application.Address}\n", ready, StringComparison.Ordinal);
        Assert.DoesNotContain("manager", ready, StringComparison.Ordinal);
        Assert.Equal((200, "ok\n"), await health.GetAsync("/healthz"));
        Assert.Equal((200, "ok\n"), await health.GetAsync("/startupz"));
        Assert.DoesNotContain("manager_registered", (await health.GetAsync("/metrics")).Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Probes_V1AloneAndApplicationAway_AreNotReady()
    {
        await using var sidecar = await V1Sidecar.StartAsync("--health", "127.0.0.1:0");
        using var health = sidecar.Sidecar.Health();
        await sidecar.Application.DisposeAsync();

        await health.UntilAsync("/readyz", 503);
    }

    [Fact]
    public async Task Probes_NoEndpointIsOpen_Succeed()
    {
        await using var sidecar = await SidecarFixture.StartAsync(SidecarFixture.Supervising("--health", "127.0.0.1:0"));
        using var health = sidecar.Health();

        Assert.Equal(200, (await health.GetAsync("/readyz")).Status);
        Assert.Contains("alive: yes", (await health.GetAsync("/healthz?verbose")).Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Start_AddressIsTaken_Fails()
    {
        using var taken = new TcpListener(IPAddress.Loopback, 0);
        taken.Start();
        var log = new LogCapture();
        using var logs = LoggerFactory.Create(builder => builder.AddProvider(log));

        var exitCode = await SidecarHost.RunAsync(SidecarFixture.Settings("--reflection-v1", $"{taken.LocalEndpoint}"), logs, _ => { }, () => { }, CancellationToken.None).InTimeAsync();

        Assert.Equal(1, exitCode);
        var refusal = await log.WaitForAsync("ReflectionV1ListenFailed");
        Assert.Equal(("flag --reflection-v1", $"{taken.LocalEndpoint}"), (refusal["Source"], refusal["Address"]));
    }

    [Fact]
    public async Task Start_InDevelopmentTwice_TakesAPortEach()
    {
        await using var one = await V1Sidecar.StartInDevelopmentAsync();
        await using var other = await V1Sidecar.StartInDevelopmentAsync();

        Assert.InRange(one.Address.Port, 3100, 3200);
        Assert.InRange(other.Address.Port, 3100, 3200);
        Assert.NotEqual(one.Address, other.Address);
        Assert.Equal((200, "OK"), await one.GetAsync("/api/__health"));
        Assert.Equal((200, "OK"), await other.GetAsync("/api/__health"));
    }

    [Fact]
    public async Task Start_BeyondLoopback_WarnsAndAnswersByTheAllowedNameAndItsOwnAddress()
    {
        await using var sidecar = await V1Sidecar.StartAsync("--reflection-v1", "0.0.0.0:0", "--reflection-v1-allow-host", "app");

        await sidecar.Log.WaitForAsync("ReflectionV1BeyondLoopback");

        Assert.Equal("127.0.0.1", sidecar.Address.Host);
        Assert.Equal((200, "OK"), await sidecar.GetAsync("/api/__health"));
    }

    [Fact]
    public async Task Requests_AThousandAtATime_AreAllAnswered()
    {
        await using var sidecar = await V1Sidecar.StartAsync("--max-concurrent-runs", "1000");
        sidecar.Application.Actions["/flow/x"] = (call, request) => call.ResultAsync(request.InputJson.ToStringUtf8());

        var answers = await Task.WhenAll(Enumerable.Range(0, 1000).Select(number => sidecar.PostAsync("/api/runAction", $$"""{"key":"/flow/x","input":{{number}}}""")));

        Assert.All(answers.Index(), answer => Assert.StartsWith($"{{\"result\":{answer.Index},", answer.Item.Text, StringComparison.Ordinal));
    }
}
