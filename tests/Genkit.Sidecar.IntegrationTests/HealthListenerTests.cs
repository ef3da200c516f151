using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using System.Runtime.Versioning;
using Genkit.Sidecar.Configuration;
using Genkit.Sidecar.Endpoints.Health;
using Genkit.Sidecar.Hosting;
using Genkit.Sidecar.IntegrationTests.Infrastructure;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Genkit.Sidecar.IntegrationTests;

/// <summary>The addresses of the health listener, and the requests that it accepts.</summary>
public sealed class HealthListenerTests
{
    private static readonly string[] s_health = ["--health", "127.0.0.1:0"];

    [Theory]
    [InlineData("GET", "/", 404)]
    [InlineData("GET", "/healthz/", 404)]
    [InlineData("GET", "/HEALTHZ", 404)]
    [InlineData("POST", "/healthz", 405)]
    [InlineData("PUT", "/nowhere", 405)]
    [InlineData("HEAD", "/healthz", 200)]
    public async Task Request_AnyMethodAndPath_HasItsStatus(string method, string path, int status)
    {
        await using var sidecar = await RegisteredSidecar.StartAsync(s_health);
        using var health = sidecar.Sidecar.Health();

        using var request = new HttpRequestMessage(new HttpMethod(method), path);
        using var response = await health.SendAsync(request);

        Assert.Equal(status, (int)response.StatusCode);
        Assert.Equal("text/plain", response.Content.Headers.ContentType!.MediaType);
        Assert.Empty(response.Headers.Server);
        Assert.Equal(method == "HEAD", (await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken)).Length == 0);
        Assert.Equal(status == 405 ? ["GET", "HEAD"] : [], response.Content.Headers.Allow);
    }

    [Fact]
    public async Task Request_LongerThanAnyProbe_IsRefused()
    {
        await using var sidecar = await RegisteredSidecar.StartAsync(s_health);
        using var health = sidecar.Sidecar.Health();

        Assert.Equal(414, (await health.GetAsync($"/healthz?{new string('x', 2_000)}")).Status);
    }

    [Fact]
    [UnsupportedOSPlatform("windows")]
    public async Task Listener_UnixSocket_IsForItsOwnerAloneAndGoesWithTheSidecar()
    {
        var folder = Directory.CreateTempSubdirectory("genkit-sidecar-");
        var path = Path.Combine(folder.FullName, "health.sock");
        using var stale = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        stale.Bind(new UnixDomainSocketEndPoint(path));
        await using (var sidecar = await RegisteredSidecar.StartAsync("--health", $"unix:{path}"))
        {
            using var health = sidecar.Sidecar.Health();
            Assert.Contains("version:", (await health.GetAsync("/healthz?verbose")).Text, StringComparison.Ordinal);
            Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(path));
        }

        Assert.False(Path.Exists(path));
        folder.Delete(recursive: true);
    }

    [Fact]
    public async Task Listener_DefaultAddressIsTaken_GoesOnWithout()
    {
        using var other = Taken(out var address);
        await using var application = await FakeApplication.StartAsync();
        await using var manager = await FakeManager.StartAsync();
        var settings = SidecarFixture.Settings("--manager", $"{manager.Address}", "--app", application.Address, "--health", address);

        await using var sidecar = await SidecarFixture.StartAsync(settings with { Health = settings.Health with { AddressSource = SettingSource.Default } });

        Assert.Equal(address, (await sidecar.Log.WaitForAsync("HealthListenerUnavailable"))["Address"]);
        Assert.Null(sidecar.Services.GetRequiredService<HealthListener>().EndPoint);
        await manager.AcceptRegisteredAsync();
    }

    [Fact]
    public async Task Listener_GivenAddressIsTaken_FailsTheStartNamingTheSetting()
    {
        using var other = Taken(out var address);
        using var log = new LogCapture();
        using var logs = LoggerFactory.Create(builder => builder.AddProvider(log));
        log.ExpectError("HealthListenFailed");

        var exitCode = await SidecarHost.RunAsync(SidecarFixture.Settings("--manager", "ws://127.0.0.1:1", "--health", address), logs, _ => { }, () => { }, CancellationToken.None);

        Assert.Equal(1, exitCode);
        var refusal = await log.WaitForAsync("HealthListenFailed");
        Assert.Equal(("flag --health", address), (refusal["Source"], refusal["Address"]));
        Assert.Empty(log.UnexpectedErrors);
    }

    [Fact]
    public async Task Listener_GivenSocketIsNoSocket_FailsTheStartAndKeepsTheFile()
    {
        var file = Path.GetTempFileName();
        using var log = new LogCapture();
        using var logs = LoggerFactory.Create(builder => builder.AddProvider(log));

        var exitCode = await SidecarHost.RunAsync(SidecarFixture.Settings("--manager", "ws://127.0.0.1:1", "--health", $"unix:{file}"), logs, _ => { }, () => { }, CancellationToken.None);

        Assert.Equal(1, exitCode);
        Assert.Contains(file, (await log.WaitForAsync("HealthListenFailed"))["Reason"], StringComparison.Ordinal);
        Assert.True(File.Exists(file));
        File.Delete(file);
    }

    [Fact]
    public async Task Listener_CallerStopsInTheMiddleOfItsRequest_DoesNotHoldTheSidecarUp()
    {
        var sidecar = await RegisteredSidecar.StartAsync(s_health);
        using var slow = new TcpClient();
        await slow.ConnectAsync((IPEndPoint)sidecar.Sidecar.Services.GetRequiredService<HealthListener>().EndPoint!, TestContext.Current.CancellationToken);
        await slow.GetStream().WriteAsync("GET /hea"u8.ToArray(), TestContext.Current.CancellationToken);
        using var health = sidecar.Sidecar.Health();
        await health.GetAsync("/healthz");

        var start = Stopwatch.GetTimestamp();
        await sidecar.DisposeAsync();

        Assert.True(Stopwatch.GetElapsedTime(start) < TimeSpan.FromSeconds(9), "the 10 s that a request may take were waited for");
    }

    private static TcpListener Taken(out string address)
    {
        var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        address = $"{listener.LocalEndpoint}";
        return listener;
    }
}
