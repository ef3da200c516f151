using Genkit.Sidecar.Telemetry;
using Genkit.Sidecar.Tests.Configuration;
using Microsoft.Extensions.Logging.Abstractions;

namespace Genkit.Sidecar.Tests.Telemetry;

/// <summary>Which telemetry server is used, and which ones a manager may name.</summary>
public class TelemetryServerTests
{
    private static readonly Uri s_manager = new("ws://tools.example:3200");

    [Theory]
    [InlineData("ws://localhost:3200", "http://localhost:4033", "http://localhost:4033/")]
    [InlineData("ws://127.0.0.1:3200", "http://localhost:4033", "http://localhost:4033/")]
    [InlineData("ws://[::1]:3200", "http://127.0.0.1:4033", "http://127.0.0.1:4033/")]
    [InlineData("ws://tools.example:3200", "http://localhost:4033", "http://tools.example:4033/")]
    [InlineData("ws://tools.example:3200", "http://127.0.0.1:4033/x/", "http://tools.example:4033/x/")]
    [InlineData("ws://10.0.0.7:3200", "http://[::1]:4033", "http://10.0.0.7:4033/")]
    [InlineData("ws://[2001:db8::7]:3200", "http://localhost:4033", "http://[2001:db8::7]:4033/")]
    [InlineData("ws://tools.example:3200", "https://TOOLS.example", "https://tools.example/")]
    [InlineData("ws://tools.example:3200", "http://traces.example:4033", "http://traces.example:4033/")]
    public void Resolve_OnTheManagersHostOrAnAllowedOne_IsUsed(string manager, string url, string expected) =>
        Assert.Equal(expected, TelemetryServer.Resolve(new Uri(manager), url, ["other.example", "Traces.example"]).Value!.AbsoluteUri);

    [Theory]
    [InlineData("ws://tools.example:3200", "http://evil.example:4033")]
    [InlineData("ws://tools.example:3200", "http://tools.example.evil.example")]
    [InlineData("ws://localhost:3200", "http://10.0.0.7:4033")]
    [InlineData("ws://localhost:3200", "http://169.254.169.254/")]
    [InlineData("ws://tools.example:3200", "http://user:secret@tools.example:4033")]
    [InlineData("ws://tools.example:3200", "ftp://tools.example")]
    [InlineData("ws://tools.example:3200", "file:///etc")]
    [InlineData("ws://tools.example:3200", "http://tools.example/?q")]
    [InlineData("ws://tools.example:3200", "")]
    [InlineData("ws://tools.example:3200", "off")]
    public void Resolve_Elsewhere_IsNotUsed(string manager, string url)
    {
        var resolved = TelemetryServer.Resolve(new Uri(manager), url, []);

        Assert.Null(resolved.Value);
        Assert.NotNull(resolved.Problem);
        Assert.DoesNotContain("secret", resolved.Problem, StringComparison.Ordinal);
    }

    [Fact]
    public void Address_ManagerOnAnotherHost_IsNotWhatTheOneBeforeConfigured()
    {
        var server = Server();
        server.Connected(s_manager);
        server.Configured("http://tools.example:1");

        server.Connected(new Uri("ws://tools.example:3201"));
        server.Registered(null);
        Assert.Equal(1, server.Address!.Port);

        server.Connected(new Uri("ws://elsewhere.example:3200"));
        server.Registered(null);
        Assert.Null(server.Address);
    }

    [Fact]
    public void Address_NoSetting_IsWhatTheRegistrationSaysBeforeConfigure()
    {
        var server = Server();
        Assert.Null(server.Address);

        server.Connected(s_manager);
        server.Configured("http://localhost:1");
        Assert.Equal(1, server.Address!.Port);

        server.Registered("http://localhost:2");
        Assert.Equal(2, server.Address!.Port);

        server.Configured("http://localhost:3");
        Assert.Equal(2, server.Address!.Port);

        server.Registered(null);
        Assert.Equal(3, server.Address!.Port);

        server.Configured("http://evil.example");
        Assert.Null(server.Address);
    }

    [Theory]
    [InlineData("http://traces.example:4033", "http://traces.example:4033/")]
    [InlineData("off", null)]
    public void Address_Setting_WinsOverTheManager(string setting, string? expected)
    {
        var server = Server($"--telemetry-server {setting}");

        server.Connected(s_manager);
        server.Registered("http://localhost:2");

        Assert.Equal(expected, server.Address?.AbsoluteUri);
    }

    private static TelemetryServer Server(string words = "") =>
        new(Reading.Good(words).Telemetry, NullLogger<TelemetryServer>.Instance);
}
