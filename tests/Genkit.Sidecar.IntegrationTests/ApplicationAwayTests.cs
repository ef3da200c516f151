using System.Diagnostics;
using Genkit.Sidecar.IntegrationTests.Infrastructure;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Server.Kestrel.Core;

namespace Genkit.Sidecar.IntegrationTests;

/// <summary>Each way in which the application is unavailable has its own error, and none gives an empty list.</summary>
public sealed class ApplicationAwayTests
{
    [Fact]
    public async Task ListActions_NothingListens_IsUnavailableAndNamesTheAddress()
    {
        await using var sidecar = await RegisteredSidecar.StartAsync();
        await sidecar.Application.DisposeAsync();

        // The first call may still use the connection that is being closed, and then reports its loss instead.
        var first = await sidecar.Peer.AskForOneAsync(Requests.ListActions("1"));
        Assert.Contains(sidecar.Application.Address, first.AssertFailure(14), StringComparison.Ordinal);
        var answer = await sidecar.Peer.AskForOneAsync(Requests.ListActions("2"));

        var message = answer.AssertFailure(14);
        Assert.StartsWith($"The application cannot be reached: {sidecar.Application.Address} ", message, StringComparison.Ordinal);
        Assert.EndsWith(". Is it running, and is --app its address?", message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task RunAction_NothingListens_SendsAStateAndIsUnavailable()
    {
        await using var sidecar = await RegisteredSidecar.StartAsync();
        await sidecar.Application.DisposeAsync();

        var frames = await sidecar.Peer.AskAsync(Requests.Run("1", "/flow/x"));

        var details = frames[^1].AssertFailure(14, frames[^1].AssertFailure(14));
        Assert.Equal(frames[0].TraceId(), details.Text("traceId"));
    }

    [Fact]
    public async Task ListActions_ApplicationIsBackOnItsPort_IsFoundWithinASecond()
    {
        await using var sidecar = await RegisteredSidecar.StartAsync();
        await sidecar.Application.DisposeAsync();
        var away = await sidecar.Peer.AskForOneAsync(Requests.ListActions("1"));

        await using var back = await FakeApplication.StartAsync(sidecar.Application.Address);
        back.List("/flow/back");
        var start = Stopwatch.GetTimestamp();
        var answer = await sidecar.Peer.AskForOneAsync(Requests.ListActions("2"));

        away.AssertFailure(14);
        Assert.True(answer.At("result", "actions").Has("/flow/back"));
        Assert.True(Stopwatch.GetElapsedTime(start) < TimeSpan.FromSeconds(1));
    }

    [Fact]
    public async Task ListActions_SlowApplication_IsADeadlineAndNotUnavailable()
    {
        await using var sidecar = await RegisteredSidecar.StartAsync("--app-call-timeout", "200ms");
        sidecar.Application.Methods["ListActions"] = call => call.WaitForCancelAsync();

        var answer = await sidecar.Peer.AskForOneAsync(Requests.ListActions("1"));

        Assert.Equal("the call did not end within 0.2 s", answer.AssertFailure(4));
    }

    [Fact]
    public async Task ListActions_AnotherGrpcService_NamesTheOneThatIsMissing()
    {
        await using var sidecar = await RegisteredSidecar.StartAsync();
        sidecar.Application.Methods.Remove("ListActions");

        var answer = await sidecar.Peer.AskForOneAsync(Requests.ListActions("1"));

        var message = answer.AssertFailure(12);
        Assert.Contains("genkit.sidecar.v1.ActionService", message, StringComparison.Ordinal);
        Assert.Contains(sidecar.Application.Address, message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task ListActions_Http1Server_SaysThatItIsNotHttp2()
    {
        await using var http1 = await FakeApplication.StartAsync(configure: options => options.Protocols = HttpProtocols.Http1);

        var message = await ListAsync(http1.Address);

        Assert.Contains("gRPC needs HTTP/2: is --app the application's gRPC port?", message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task ListActions_TlsServerButHttpAddress_SaysThatItMaySpeakTls()
    {
        using var certificates = new Certificates();
        await using var tls = await FakeApplication.StartAsync(configure: options => options.UseHttps(certificates.Server));

        var message = await ListAsync(tls.Address.Replace("https:", "http:", StringComparison.Ordinal));

        Assert.Contains("it may speak TLS (https://)", message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task ListActions_PlaintextServerButHttpsAddress_NamesHttp()
    {
        await using var plaintext = await FakeApplication.StartAsync();

        var message = await ListAsync(plaintext.Address.Replace("http:", "https:", StringComparison.Ordinal));

        Assert.Contains("Give --app with http://", message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task ListActions_NoSuchSocketFile_IsReported()
    {
        var path = Path.Combine(Path.GetTempPath(), $"{Guid.NewGuid():n}.sock");

        var message = await ListAsync($"unix:{path}");

        Assert.Contains($"unix:{path} cannot be reached: there is no such socket file", message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task RunBidiAction_NotImplemented_NamesTheRpc()
    {
        await using var sidecar = await RegisteredSidecar.StartAsync();
        sidecar.Application.Methods["RunBidiAction"] = call =>
        {
            call.End(12, "");
            return Task.CompletedTask;
        };

        var frames = await sidecar.Peer.AskAsync(Requests.Run("1", "/flow/x", streamInput: true));

        Assert.Contains("does not implement genkit.sidecar.v1.ActionService/RunBidiAction", frames[^1].AssertFailure(12), StringComparison.Ordinal);
    }

    [Fact]
    public async Task RunAction_ActionIsUnimplementedItself_KeepsItsMessage()
    {
        await using var sidecar = await RegisteredSidecar.StartAsync();
        sidecar.Application.Actions["/flow/x"] = async (call, _) =>
        {
            await call.WriteAsync(new V1.RunActionResponse());
            call.End(12, "not this week");
        };

        var frames = await sidecar.Peer.AskAsync(Requests.Run("1", "/flow/x"));

        frames[^1].AssertFailure(12, "not this week");
    }

    private static async Task<string> ListAsync(string address)
    {
        await using var manager = await FakeManager.StartAsync();
        await using var sidecar = await SidecarFixture.StartAsync(manager.Address, address, "--app-start-timeout", "0");
        var peer = await manager.AcceptRegisteredAsync();
        var answer = await peer.AskForOneAsync(Requests.ListActions("1"));
        return answer.AssertFailure(14);
    }
}
