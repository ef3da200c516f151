using System.Net;
using System.Net.Sockets;
using Genkit.Sidecar.Configuration;
using Genkit.Sidecar.Endpoints.Otlp;
using Genkit.Sidecar.Hosting;
using Genkit.Sidecar.IntegrationTests.Infrastructure;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Genkit.Sidecar.IntegrationTests;

/// <summary>The addresses of the OTLP listeners, which applications learn them, and how long they stay open.</summary>
public sealed class OtlpListenerTests
{
    [Theory]
    [InlineData("--otlp-grpc")]
    [InlineData("--otlp-http")]
    public async Task Open_AddressIsTaken_FailsTheStartNamingTheSetting(string flag)
    {
        using var other = Taken(out var address);

        await AssertNoStartAsync(
            SidecarFixture.Settings("--manager", "ws://127.0.0.1:1", flag, address), $"flag {flag}", address);
    }

    [Fact]
    public async Task Open_DefaultAddressIsTaken_FailsTheStartToo()
    {
        using var other = Taken(out var address);
        var settings = SidecarFixture.Settings("--manager", "ws://127.0.0.1:1", "--otlp-http", address);

        await AssertNoStartAsync(
            settings with { Otlp = settings.Otlp with { HttpAddressSource = SettingSource.Default } }, "the default of --otlp-http", address);
    }

    [Fact]
    public async Task Open_Loopback6_IsTakenThere()
    {
        Assert.SkipUnless(Socket.OSSupportsIPv6, "There is no IPv6 here.");
        await using var otlp = await OtlpFixture.StartAsync("--otlp-http", "[::1]:0", "--otlp-grpc", "off");

        using var response = await otlp.PostJsonAsync("{}");

        Assert.Equal(200, (int)response.StatusCode);
        Assert.Equal("[::1]", otlp.HttpAddress.Host);
        Assert.Empty(otlp.Listeners.Endpoints.Grpc);
    }

    [Fact]
    public async Task Open_Off_ListensNowhereAndLogsNothing()
    {
        await using var otlp = await OtlpFixture.StartAsync("--otlp-http", "off", "--otlp-grpc", "off");

        Assert.Equal(OtlpEndpoints.None, otlp.Listeners.Endpoints);
        Assert.Equal(OtlpEndpoints.None, otlp.Listeners.EndpointsFor(ApplicationAddress.Parse("http://app:50051").Value!));
        Assert.Empty(otlp.Log.Events);
    }

    [Fact]
    public async Task Open_Both_LogsTheAddresses()
    {
        await using var otlp = await OtlpFixture.StartAsync();

        var endPoints = (await otlp.Log.WaitForAsync("OtlpListenersStarted"))["EndPoints"];
        Assert.Contains($"{otlp.HttpAddress.Authority} (HTTP)", endPoints, StringComparison.Ordinal);
        Assert.Contains($"{new Uri(otlp.Listeners.Endpoints.Grpc).Authority} (gRPC)", endPoints, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("127.0.0.1:0", null, "http://127.0.0.1:50051", "127.0.0.1")]
    [InlineData("127.0.0.1:0", null, "http://localhost:50051", "127.0.0.1")]
    [InlineData("127.0.0.1:0", null, "unix:/run/app.sock", "127.0.0.1")]
    [InlineData("127.0.0.1:0", null, "http://app:50051", null)]
    [InlineData("127.0.0.1:0", "pod", "http://app:50051", "pod")]
    [InlineData("127.0.0.1:0", "fd00::1", "http://app:50051", "[fd00::1]")]
    [InlineData("0.0.0.0:0", null, "http://127.0.0.1:50051", "127.0.0.1")]
    [InlineData("0.0.0.0:0", null, "http://app:50051", null)]
    [InlineData("0.0.0.0:0", "pod", "http://app:50051", "pod")]
    public async Task Endpoints_ApplicationSomewhere_IsToldWhatItCanReach(string address, string? advertise, string application, string? host)
    {
        string[] said = advertise is null ? [] : ["--otlp-advertise", advertise];
        await using var otlp = await OtlpFixture.StartAsync(["--otlp-http", address, "--otlp-grpc", address, "--otlp-token", "s3cret", .. said]);

        var endpoints = otlp.Listeners.EndpointsFor(ApplicationAddress.Parse(application).Value!);

        Assert.Equal(host is null ? "" : $"http://{host}:{otlp.HttpAddress.Port}", endpoints.Http);
        Assert.Equal(host is null ? "" : $"http://{host}:{new Uri(otlp.Listeners.Endpoints.Grpc).Port}", endpoints.Grpc);
        Assert.Equal(host is null ? 1 : 0, otlp.Log.Count("OtlpEndpointNotAnnounced"));
    }

    [Fact]
    public async Task Stop_RunsGoOn_SpansAreTakenUntilTheyHaveEnded()
    {
        await using var application = await FakeApplication.StartAsync();
        await using var manager = await FakeManager.StartAsync();
        var sidecar = await SidecarFixture.StartAsync(manager.Address, application.Address, "--drain-timeout", "10m", "--otlp-http", "127.0.0.1:0");
        var peer = await manager.AcceptRegisteredAsync();
        var (started, release) = (new TaskCompletionSource(), new TaskCompletionSource());
        application.Actions["/flow/x"] = async (call, _) =>
        {
            started.SetResult();
            await release.Task;
            await call.ResultAsync("1");
        };
        await peer.SendAsync(Requests.Run("1", "/flow/x"));
        await started.Task.InTimeAsync();
        using var http = new HttpClient { BaseAddress = new(sidecar.Services.GetRequiredService<OtlpListeners>().Endpoints.Http) };

        var stopping = sidecar.StopAsync();
        await sidecar.Log.WaitForAsync("RunsDraining");
        using var during = await PostAsync(http);
        release.SetResult();
        await stopping;
        using var afterwards = await PostAsync(http);
        await sidecar.DisposeAsync();

        Assert.Equal((200, 200), ((int)during.StatusCode, (int)afterwards.StatusCode));
        await Assert.ThrowsAsync<HttpRequestException>(() => PostAsync(http));
    }

    private static Task<HttpResponseMessage> PostAsync(HttpClient http)
    {
        var content = new ByteArrayContent([]);
        content.Headers.ContentType = new("application/x-protobuf");
        return http.PostAsync("/v1/traces", content, TestContext.Current.CancellationToken).InTimeAsync();
    }

    private static async Task AssertNoStartAsync(SidecarSettings settings, string source, string address)
    {
        using var log = new LogCapture();
        using var logs = LoggerFactory.Create(builder => builder.AddProvider(log));
        log.ExpectError("OtlpListenFailed");

        var exitCode = await SidecarHost.RunAsync(settings, logs, _ => Assert.Fail("It says that it listens."), () => { }, CancellationToken.None);

        Assert.Equal(1, exitCode);
        var refusal = await log.WaitForAsync("OtlpListenFailed");
        Assert.Equal((source, address), (refusal["Source"], refusal["Address"]));
        Assert.Empty(log.UnexpectedErrors);
    }

    private static TcpListener Taken(out string address)
    {
        var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        address = $"{listener.LocalEndpoint}";
        return listener;
    }
}
