using Genkit.Sidecar.IntegrationTests.Infrastructure;

namespace Genkit.Sidecar.IntegrationTests;

public sealed class RegistrationTests
{
    [Fact]
    public async Task Register_ApplicationSaysNothingOfItself_HasEveryMemberInOrder()
    {
        await using var application = await FakeApplication.StartAsync();
        await using var manager = await FakeManager.StartAsync();
        await using var sidecar = await SidecarFixture.StartAsync(manager.Address, application.Address, "--runtime-id", "me");
        var peer = await manager.AcceptAsync();

        var register = await peer.ReceiveTextAsync();

        Assert.Equal(
            $$$"""{"jsonrpc":"2.0","id":"register","method":"register","params":{"id":"me","pid":{{{Environment.ProcessId}}},"name":"me","genkitVersion":"genkit-sidecar/0.1.0","reflectionApiSpecVersion":1,"envs":["dev"]}}""",
            register);
    }

    [Fact]
    public async Task Upgrade_Always_HasNoOriginHeader()
    {
        await using var sidecar = await RegisteredSidecar.StartAsync();

        Assert.False(sidecar.Peer.UpgradeHeaders.ContainsKey("Origin"));
    }

    [Fact]
    public async Task Register_ApplicationGivesRuntimeInfo_PassesItOn()
    {
        await using var application = await FakeApplication.StartAsync();
        await using var manager = await FakeManager.StartAsync();
        application.Methods["GetRuntimeInfo"] = call => call.ReplyAsync(
            new V1.GetRuntimeInfoResponse { Name = "menu \"q\" é", GenkitVersion = "python/0.1.0", Environments = { "dev", "test" } });
        await using var sidecar = await SidecarFixture.StartAsync(manager.Address, application.Address);
        var peer = await manager.AcceptAsync();

        var register = await peer.ReceiveAsync();

        Assert.Equal("menu \"q\" é", register.Text("params", "name"));
        Assert.Equal("python/0.1.0", register.Text("params", "genkitVersion"));
        Assert.Equal("""["dev","test"]""", register.At("params", "envs").GetRawText());
    }

    [Fact]
    public async Task Register_NameGivenAsFlag_WinsOverTheApplications()
    {
        await using var application = await FakeApplication.StartAsync();
        await using var manager = await FakeManager.StartAsync();
        application.Methods["GetRuntimeInfo"] = call => call.ReplyAsync(new V1.GetRuntimeInfoResponse { Name = "theirs" });
        await using var sidecar = await SidecarFixture.StartAsync(manager.Address, application.Address, "--name", "mine");
        var peer = await manager.AcceptAsync();

        var register = await peer.ReceiveAsync();

        Assert.Equal("mine", register.Text("params", "name"));
    }

    [Theory]
    [InlineData("null")]
    [InlineData("{}")]
    [InlineData("""{"telemetryServerUrl":"http://localhost:4033"}""")]
    public async Task Register_AnyResult_IsTaken(string result)
    {
        await using var application = await FakeApplication.StartAsync();
        await using var manager = await FakeManager.StartAsync();
        await using var sidecar = await SidecarFixture.StartAsync(manager.Address, application.Address, "--name", "n");
        var peer = await manager.AcceptAsync();
        await peer.ReceiveAsync();

        await peer.SendAsync($$"""{"jsonrpc":"2.0","result":{{result}},"id":"register"}""");

        var registered = await sidecar.Log.WaitForAsync("ManagerRegistered");
        Assert.Equal(("n", "0"), (registered["Name"], registered["Failures"]));
        await peer.AssertAnswersAsync();
    }

    [Theory]
    [InlineData("""{"code":-32602,"message":"no such thing"}""", "no such thing")]
    [InlineData("""{"code":-32602}""", null)]
    [InlineData("""{"code":1,"message":"\ud800"}""", null)]
    [InlineData("""{"\ud800\ud800":1,"message":"m"}""", ": m")]
    [InlineData("\"text\"", null)]
    public async Task Register_ErrorAnswer_ConnectsAgainAndLogsTheMessage(string error, string? message)
    {
        await using var application = await FakeApplication.StartAsync();
        await using var manager = await FakeManager.StartAsync();
        await using var sidecar = await SidecarFixture.StartAsync(manager.Address, application.Address, "--reconnect-interval", "20ms");
        var peer = await manager.AcceptAsync();
        await peer.ReceiveAsync();

        await peer.SendAsync($$"""{"jsonrpc":"2.0","error":{{error}},"id":"register"}""");
        await manager.AcceptRegisteredAsync();

        Assert.Contains(message ?? "", (await sidecar.Log.WaitForAsync("ManagerConnectFailed"))["Failure"], StringComparison.Ordinal);
        Assert.Equal("1", (await sidecar.Log.WaitForAsync("ManagerRegistered"))["Failures"]);
    }

    [Fact]
    public async Task Register_NoAnswer_ConnectsAgainAndNamesTheSetting()
    {
        await using var application = await FakeApplication.StartAsync();
        await using var manager = await FakeManager.StartAsync();
        await using var sidecar = await SidecarFixture.StartAsync(
            manager.Address, application.Address, "--register-timeout", "200ms", "--reconnect-interval", "20ms");
        await manager.AcceptAsync();

        await manager.AcceptRegisteredAsync();

        Assert.Contains("--register-timeout", (await sidecar.Log.WaitForAsync("ManagerConnectFailed"))["Failure"], StringComparison.Ordinal);
    }

    [Fact]
    public async Task Register_ApplicationNotThereYet_WaitsForItsList()
    {
        var elsewhere = await FakeApplication.StartAsync();
        var address = elsewhere.Address;
        await elsewhere.DisposeAsync();
        await using var manager = await FakeManager.StartAsync();
        await using var sidecar = await SidecarFixture.StartAsync(manager.Address, address);
        var peer = await manager.AcceptAsync();
        var waiting = await sidecar.Log.WaitForAsync("ApplicationAwaited");

        await using var application = await FakeApplication.StartAsync(address);
        var register = await peer.AcceptRegistrationAsync();

        Assert.Contains(address.TrimEnd('/'), waiting["Failure"], StringComparison.Ordinal);
        Assert.Equal("register", register.Method());
        Assert.Contains("ListActions", application.Calls);
        await peer.AssertAnswersAsync();
    }

    [Fact]
    public async Task Register_ApplicationStaysAway_RegistersAfterTheTimeLimit()
    {
        var elsewhere = await FakeApplication.StartAsync();
        await elsewhere.DisposeAsync();
        await using var manager = await FakeManager.StartAsync();
        await using var sidecar = await SidecarFixture.StartAsync(manager.Address, elsewhere.Address, "--app-start-timeout", "150ms");

        var peer = await manager.AcceptRegisteredAsync();

        Assert.Equal("0.15", (await sidecar.Log.WaitForAsync("ApplicationStartTimedOut"))["Seconds"]);
        var answer = await peer.AskForOneAsync(Requests.ListActions("1"));
        answer.AssertFailure(14);
    }

    [Fact]
    public async Task Register_LaterConnectionAndApplicationAway_RegistersAtOnce()
    {
        await using var sidecar = await RegisteredSidecar.StartAsync("--reconnect-interval", "20ms", "--app-start-timeout", "10m");
        await sidecar.Application.DisposeAsync();

        sidecar.Peer.Cut();
        var peer = await sidecar.Manager.AcceptAsync();
        var register = await peer.ReceiveAsync();

        Assert.Equal("register", register.Method());
        Assert.Equal("register", register.Text("id"));
    }

    [Fact]
    public async Task Connection_ManagerClosesWhileTheApplicationIsAwaited_ComesBackAndRegisters()
    {
        var elsewhere = await FakeApplication.StartAsync();
        await elsewhere.DisposeAsync();
        await using var manager = await FakeManager.StartAsync();
        await using var sidecar = await SidecarFixture.StartAsync(manager.Address, elsewhere.Address, "--reconnect-interval", "20ms");
        var first = await manager.AcceptAsync();
        await sidecar.Log.WaitForAsync("ApplicationAwaited");

        await first.CloseAsync();
        var second = await manager.AcceptAsync();
        await using var application = await FakeApplication.StartAsync(elsewhere.Address);

        await second.AcceptRegistrationAsync();
        await second.AssertAnswersAsync();
    }
}
