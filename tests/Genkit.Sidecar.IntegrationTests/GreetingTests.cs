using System.Threading.Channels;
using Genkit.Sidecar.IntegrationTests.Infrastructure;
using Microsoft.Extensions.Logging;

namespace Genkit.Sidecar.IntegrationTests;

/// <summary>GetRuntimeInfo and Configure over a new connection to the application.</summary>
public sealed class GreetingTests
{
    [Fact]
    public async Task Configure_NewConnection_HasVersionAndLimit()
    {
        await using var application = await FakeApplication.StartAsync();
        await using var manager = await FakeManager.StartAsync();
        var configured = Configurations(application);
        await using var sidecar = await SidecarFixture.StartAsync(manager.Address, application.Address, "--max-message-bytes", "2MiB");

        var configuration = await configured.ReadAsync(TestContext.Current.CancellationToken).AsTask().InTimeAsync();

        Assert.Equal(new V1.ConfigureRequest { SidecarVersion = "0.1.0", MaxMessageBytes = 2 * 1024 * 1024 }, configuration);
    }

    [Fact]
    public async Task Configure_OtlpListenersAreOpen_HasTheirAddresses()
    {
        await using var application = await FakeApplication.StartAsync();
        await using var manager = await FakeManager.StartAsync();
        var configured = Configurations(application);
        await using var sidecar = await SidecarFixture.StartAsync(
            manager.Address, application.Address, "--otlp-grpc", "127.0.0.1:0", "--otlp-http", "127.0.0.1:0", "--otlp-advertise", "pod");

        var configuration = await configured.ReadAsync(TestContext.Current.CancellationToken).AsTask().InTimeAsync();

        Assert.Matches(@"^http://pod:[1-9]\d*$", configuration.OtlpGrpcEndpoint);
        Assert.Matches(@"^http://pod:[1-9]\d*$", configuration.OtlpHttpEndpoint);
        Assert.NotEqual(configuration.OtlpGrpcEndpoint, configuration.OtlpHttpEndpoint);
    }

    [Fact]
    public async Task Greeting_ApplicationRestarts_ComesAgainOverTheNewConnection()
    {
        await using var sidecar = await RegisteredSidecar.StartAsync();
        await sidecar.Application.DisposeAsync();

        await using var restarted = await FakeApplication.StartAsync(sidecar.Application.Address);
        var configured = Configurations(restarted);

        // This request may still use the connection that is being closed. The next one connects again.
        await sidecar.Peer.AskAsync(Requests.ListActions("away"));
        await sidecar.Peer.AssertAnswersAsync();
        await configured.ReadAsync(TestContext.Current.CancellationToken).AsTask().InTimeAsync();

        Assert.Single(restarted.Calls, "GetRuntimeInfo");
    }

    [Fact]
    public async Task Greeting_NotOffered_IsNotAnError()
    {
        await using var sidecar = await RegisteredSidecar.StartAsync();

        Assert.Contains("GetRuntimeInfo", sidecar.Application.Calls);
        Assert.Contains("Configure", sidecar.Application.Calls);
        Assert.DoesNotContain(sidecar.Log.Events, e => e.Level == LogLevel.Warning);
    }

    [Fact]
    public async Task Greeting_Fails_IsLoggedAndNothingElse()
    {
        await using var application = await FakeApplication.StartAsync();
        await using var manager = await FakeManager.StartAsync();
        application.Methods["GetRuntimeInfo"] = call =>
        {
            call.End(13, "oh dear");
            return Task.CompletedTask;
        };
        application.Methods["Configure"] = async call =>
        {
            await call.WriteRawAsync(new byte[] { 0, 0, 0, 0, 1, 0xFF });
            call.End();
        };
        await using var sidecar = await SidecarFixture.StartAsync(manager.Address, application.Address);

        var peer = await manager.AcceptRegisteredAsync();

        var failure = await sidecar.Log.WaitForAsync("ApplicationGreetingFailed", e => e["Rpc"] == "GetRuntimeInfo");
        Assert.Equal("oh dear", failure["Message"]);
        await sidecar.Log.WaitForAsync("ApplicationGreetingFailed", e => e["Rpc"] == "Configure");
        await peer.AssertAnswersAsync();
    }

    private static ChannelReader<V1.ConfigureRequest> Configurations(FakeApplication application)
    {
        var configured = Channel.CreateUnbounded<V1.ConfigureRequest>();
        application.Methods["Configure"] = async call =>
        {
            configured.Writer.TryWrite(V1.ConfigureRequest.Parser.ParseFrom(await call.ReadAsync()));
            await call.ReplyAsync(new V1.ConfigureResponse());
        };
        return configured.Reader;
    }
}
