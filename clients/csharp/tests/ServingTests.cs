using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text.Json;
using System.Text.Json.Nodes;
using Genkit.Sidecar.Client.Tests.Infrastructure;
using Google.Protobuf;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Genkit.Sidecar.Client.Tests;

/// <summary>The server: runtime info, health, TLS and other endpoints.</summary>
public sealed class ServingTests : IDisposable
{
    private const string Health = "/grpc.health.v1.Health/";

    private readonly LogRecords _logs = new();
    private readonly string _folder = Directory.CreateTempSubdirectory().FullName;

    [Fact]
    public async Task Actions_ComeAndGo()
    {
        var application = new Application();
        await using var server = await StartAsync(application);
        using var caller = new Caller(server.Address);

        Assert.Empty(await caller.ListAsync());
        application.Flow("a", () => 1);
        application.Flow("a", () => 2);
        Assert.Equal(["/flow/a"], (await caller.ListAsync()).Keys);
        Assert.Equal("2", (await caller.RunAsync("/flow/a")).Result);
        Assert.True(application.Remove("/flow/a"));
        Assert.Empty(await caller.ListAsync());
        Assert.Equal((5, "action /flow/a not found"), (await caller.RunAsync("/flow/a")).Failure);
    }

    [Fact]
    public async Task Action_ThatIsNotListed_CanBeResolved()
    {
        var hidden = ActionDefinition.Create("model", "acme/hidden", () => "found");
        await using var server = await StartAsync(new Application(options: new ApplicationOptions { Resolve = key => key == hidden.Key ? hidden : null }));
        using var caller = new Caller(server.Address);

        Assert.Equal("\"found\"", (await caller.RunAsync("/model/acme/hidden")).Result);
        Assert.Empty(await caller.ListAsync());
    }

    [Fact]
    public async Task Application_SaysWhatItIs_AndIsTold()
    {
        var told = new List<SidecarConfiguration>();
        var application = new Application("name", new ApplicationOptions { Environments = ["dev"], OnConfigure = told.Add });
        application.Values["defaultModel"] = new JsonObject { ["defaultModel"] = new JsonObject { ["name"] = "echo" } };
        await using var server = await StartAsync(application);
        using var caller = new Caller(server.Address);

        var info = await caller.AskAsync("GetRuntimeInfo", new V1.GetRuntimeInfoRequest(), V1.GetRuntimeInfoResponse.Parser);
        var values = await caller.AskAsync("ListValues", new V1.ListValuesRequest { Type = "defaultModel" }, V1.ListValuesResponse.Parser);
        var none = await caller.AskAsync("ListValues", new V1.ListValuesRequest { Type = "unknown" }, V1.ListValuesResponse.Parser);
        await caller.AskAsync(
            "Configure",
            new V1.ConfigureRequest { OtlpGrpcEndpoint = "http://127.0.0.1:4317", SidecarVersion = "1", MaxMessageBytes = 2, Features = { "a" } },
            V1.ConfigureResponse.Parser);

        Assert.Equal("name", info.Name);
        Assert.Matches(@"^csharp/\d+\.\d+\.\d+", info.GenkitVersion);
        Assert.Equal(["dev"], info.Environments);
        Assert.Equal("""{"defaultModel":{"name":"echo"}}""", values.ValuesJson.ToStringUtf8());
        Assert.True(none.ValuesJson.IsEmpty);
        var configuration = Assert.Single(told);
        Assert.Equal(("http://127.0.0.1:4317", "", "1", 2L), (configuration.OtlpGrpcEndpoint, configuration.OtlpHttpEndpoint, configuration.SidecarVersion, configuration.MaxMessageBytes));
        Assert.Equal(["a"], configuration.Features);
    }

    [Fact]
    public async Task Health_IsServed_AndWatchedUntilTheEnd()
    {
        var server = await StartAsync(new Application());
        using var caller = new Caller(server.Address);

        Assert.Equal((1, 0), await CheckAsync(caller, ""));
        Assert.Equal((1, 0), await CheckAsync(caller, "genkit.sidecar.v1.ActionService"));
        Assert.Equal((0, 5), await CheckAsync(caller, "other"));
        await using var unknown = await WatchAsync(caller, "other");
        Assert.Equal(3, await ReadHealthAsync(unknown));
        await using var watch = await WatchAsync(caller, "");
        Assert.Equal(1, await ReadHealthAsync(watch));
        var stopping = server.StopAsync(TimeSpan.FromMinutes(1));
        var status = await ReadHealthAsync(watch);
        Assert.Equal(2, status == 1 ? await ReadHealthAsync(watch) : status); // SERVING is sent again when the health checks are first published, 5 s after the start
        Assert.Null(await ReadHealthAsync(watch));
        await stopping;
    }

    [Fact]
    public async Task Application_IsMapped_BesideOtherEndpointsBehindMiddleware()
    {
        var seen = new List<string>();
        var application = new Application();
        application.Flow("a", (ActionRunContext context) => context.HttpContext.Items["user"]);
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.Logging.AddProvider(_logs);
        builder.Services.AddGenkit(application);
        builder.WebHost.UseKestrelCore().ConfigureKestrel(kestrel => kestrel.Listen(IPAddress.Loopback, 0, endpoint => endpoint.Protocols = HttpProtocols.Http2));
        await using var app = builder.Build();
        app.Use((context, next) =>
        {
            seen.Add(context.Request.Path);
            context.Items["user"] = "ada";
            return next(context);
        });
        app.MapGenkit(health: false);
        app.MapPost("/grpc.health.v1.Health/Check", (RequestDelegate)(context => context.Response.WriteAsync("mine")));
        await app.StartAsync(TestContext.Current.CancellationToken);
        var address = new Uri(app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.Single());
        using var caller = new Caller(address.Authority);
        using var client = new HttpClient { DefaultRequestVersion = HttpVersion.Version20, DefaultVersionPolicy = HttpVersionPolicy.RequestVersionExact };

        Assert.Equal("\"ada\"", (await caller.RunAsync("/flow/a")).Result);
        using var answer = await client.PostAsync(new Uri(address, "/grpc.health.v1.Health/Check"), null, TestContext.Current.CancellationToken);
        Assert.Equal("mine", await answer.Content.ReadAsStringAsync(TestContext.Current.CancellationToken));
        Assert.Equal(["/genkit.sidecar.v1.ActionService/RunAction", "/grpc.health.v1.Health/Check"], seen);
    }

    [Fact]
    public async Task Tls_IsKestrels()
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var now = TimeProvider.System.GetUtcNow();
        using var certificate = new CertificateRequest("CN=localhost", key, HashAlgorithmName.SHA256).CreateSelfSigned(now.AddDays(-1), now.AddDays(1));
        await using var server = await new Application("secret").StartAsync(
            "localhost:0", ApplicationTest.OptionsOf(_logs) with { Endpoint = endpoint => endpoint.UseHttps(certificate) }, TestContext.Current.CancellationToken);
        using var caller = new Caller(server.Address, certificate);

        Assert.StartsWith("localhost:", server.Address, StringComparison.Ordinal);
        Assert.Empty(await caller.ListAsync());
    }

    [Fact]
    public async Task UnixSocket_IsItsOwnersAlone_AndAStaleOneIsReplaced()
    {
        var path = Path.Combine(_folder, "app.sock");
        for (var start = 0; start < 2; start++)
        {
            await using var server = await StartAsync(new Application(), $"unix:{path}");
            using var caller = new Caller(server.Address);
            Assert.Equal($"unix:{path}", server.Address);
            Assert.Empty(await caller.ListAsync());
            if (!OperatingSystem.IsWindows())
            {
                Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(path));
            }

            var exception = await Assert.ThrowsAsync<InvalidOperationException>(() => StartAsync(new Application(), $"unix:{path}"));
            Assert.Contains($"cannot listen on unix:{path}", exception.Message, StringComparison.Ordinal);
            _logs.Entries.Clear(); // logged by Kestrel
            Assert.Empty(await caller.ListAsync());
        }
    }

    [Fact]
    public async Task UnixSocket_WhereAFileIs_LeavesItAlone()
    {
        var path = Path.Combine(_folder, "file");
        await File.WriteAllTextAsync(path, "mine", TestContext.Current.CancellationToken);

        await Assert.ThrowsAsync<InvalidOperationException>(() => StartAsync(new Application(), $"unix:{path}"));

        Assert.Equal("mine", await File.ReadAllTextAsync(path, TestContext.Current.CancellationToken));
        _logs.Entries.Clear(); // logged by Kestrel
    }

    [Fact]
    public async Task Address_ThatIsTaken_IsNamed()
    {
        await using var server = await StartAsync(new Application());

        var exception = await Assert.ThrowsAsync<InvalidOperationException>(() => StartAsync(new Application(), server.Address));

        Assert.Matches($"^cannot listen on {server.Address}: .*GENKIT_SIDECAR_LISTEN", exception.Message);
        _logs.Entries.Clear(); // logged by Kestrel
    }

    [Theory]
    [InlineData("50051")]
    [InlineData("127.0.0.1:")]
    [InlineData("127.0.0.1:99999")]
    [InlineData("unix:")]
    [InlineData("no such host:1")]
    [InlineData("unix:/run/a-path-of-more-than-a-hundred-and-eight-bytes/a-path-of-more-than-a-hundred-and-eight-bytes/application.sock")]
    public async Task Address_ThatIsNone_IsNamed(string address)
    {
        var exception = await Assert.ThrowsAsync<ArgumentException>(() => StartAsync(new Application(), address));

        Assert.Contains($"'{address}'", exception.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task JsonSerializerOptions_AreTheApplications()
    {
        var application = new Application(options: new ApplicationOptions { JsonSerializerOptions = new JsonSerializerOptions { PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower } });
        application.Flow("line", async (ItemLine line, ActionRunContext context) =>
        {
            await context.SendChunkAsync(line);
            return line;
        });
        await using var server = await StartAsync(application);
        using var caller = new Caller(server.Address);

        var outcome = await caller.RunAsync("/flow/line", """{"item_name":"a"}""");

        Assert.Equal(["""{"item_name":"a"}"""], outcome.Chunks);
        Assert.Equal("""{"item_name":"a"}""", outcome.Result);
        Assert.Contains("item_name", (await caller.ListAsync())["/flow/line"].InputSchemaJson.ToStringUtf8(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task JsonSerializerOptions_OfASourceGeneratedContext_KnowRawJson_AndNameWhatTheyDoNot()
    {
        var application = new Application(options: new ApplicationOptions { JsonSerializerOptions = TestJson.Default.Options });
        application.Flow("raw", (RawJson json) => json);
        application.Flow("raws", (RawJson[] json) => json);
        await using var server = await StartAsync(application);
        using var caller = new Caller(server.Address);

        Assert.Equal("[1e400, 2]", (await caller.RunAsync("/flow/raw", "[1e400, 2]")).Result);
        Assert.Equal("[1e400,2]", (await caller.RunAsync("/flow/raws", "[1e400, 2]")).Result);
        var exception = Assert.Throws<ArgumentException>(() => application.Flow("bad", (Uri uri) => 1));
        Assert.StartsWith("/flow/bad: JsonTypeInfo metadata for type 'System.Uri' was not provided", exception.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Stop_EndsWhereAHandlerDoesNot_AndWhereACallbackFails()
    {
        using var release = new ManualResetEventSlim();
        var application = new Application();
        application.Flow("deaf", (ActionRunContext context) =>
        {
            context.CancellationToken.Register(() => throw new InvalidOperationException("a callback"));
            context.SendChunkAsync("waiting").AsTask().Wait(CancellationToken.None);
            release.Wait(CancellationToken.None);
        });
        var server = await StartAsync(application);
        using var caller = new Caller(server.Address);
        await using var call = await caller.StartAsync("/flow/deaf");
        await Caller.ReadChunkAsync(call);

        await server.StopAsync();
        await server.StopAsync();
        await server.DisposeAsync();

        release.Set();
        Assert.Equal("A callback on the cancellation of /flow/deaf failed", Assert.Single(_logs.Entries).Message);
        _logs.Entries.Clear();
    }

    [Fact]
    public async Task Serve_ThatIsCancelled_EndsAsBySignal()
    {
        using var stop = new CancellationTokenSource();

        await new Application().ServeAsync("127.0.0.1:0", new ServeOptions { Configure = _ => stop.Cancel() }, stop.Token);

        Assert.True(stop.IsCancellationRequested);
    }

    [Fact]
    public async Task Stop_WithoutGrace_CancelsRuns()
    {
        var ended = new TaskCompletionSource();
        var application = new Application();
        application.Flow("wait", async (ActionRunContext context) =>
        {
            try
            {
                await context.SendChunkAsync("waiting");
                await Task.Delay(Timeout.Infinite, context.CancellationToken);
            }
            finally
            {
                ended.SetResult();
            }
        });
        var server = await StartAsync(application);
        using var caller = new Caller(server.Address);
        await using var call = await caller.StartAsync("/flow/wait");
        await Caller.ReadChunkAsync(call);

        await server.StopAsync();

        Assert.True(ended.Task.IsCompleted);
        Assert.True(server.Stopped.IsCompleted);
        Assert.Null(await call.ReadAsync(V1.RunActionResponse.Parser));
        Assert.Equal(1, call.Status.Code);
    }

    public void Dispose()
    {
        Directory.Delete(_folder, recursive: true);
        Assert.Empty(_logs.Entries);
    }

    private sealed record ItemLine(string ItemName);

    private static async Task<(int State, int Status)> CheckAsync(Caller caller, string service)
    {
        // Both messages have the encoding of the health messages: a string in field 1, and a number in field 1.
        var (message, status) = await caller.CallAsync(Health + "Check", new V1.ListValuesRequest { Type = service }, V1.ActionError.Parser);
        return (message?.Code ?? 0, status);
    }

    private static async Task<Call> WatchAsync(Caller caller, string service)
    {
        var call = caller.Start(Health + "Watch");
        await call.WriteAsync(new V1.ListValuesRequest { Type = service });
        call.Complete();
        return call;
    }

    private static async Task<int?> ReadHealthAsync(Call call) => (await call.ReadAsync(V1.ActionError.Parser))?.Code;

    private Task<RunningServer> StartAsync(Application application, string address = "127.0.0.1:0") =>
        application.StartAsync(address, ApplicationTest.OptionsOf(_logs), TestContext.Current.CancellationToken);
}
