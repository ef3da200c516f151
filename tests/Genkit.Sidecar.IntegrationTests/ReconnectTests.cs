using Genkit.Sidecar.IntegrationTests.Infrastructure;

namespace Genkit.Sidecar.IntegrationTests;

/// <summary>How the sidecar connects and reconnects to the manager.</summary>
public sealed class ReconnectTests
{
    [Fact]
    public async Task Connect_ManagerNotThereYet_IsFoundWhenItAppears()
    {
        var elsewhere = await FakeManager.StartAsync();
        await elsewhere.DisposeAsync();
        await using var application = await FakeApplication.StartAsync();
        await using var sidecar = await SidecarFixture.StartAsync(elsewhere.Address, application.Address, "--reconnect-interval", "20ms");
        var failure = (await sidecar.Log.WaitForAsync("ManagerConnectFailed"))["Failure"];
        Assert.Contains($"{elsewhere.Address}", failure, StringComparison.Ordinal);
        Assert.Contains("flag --manager", failure, StringComparison.Ordinal);
        await sidecar.Log.WaitForAsync("ManagerConnectRetryFailed", e => e["Count"] == "3");

        await using var manager = await FakeManager.StartAsync(elsewhere.Address.Port);
        var peer = await manager.AcceptRegisteredAsync();

        await peer.AssertAnswersAsync();
        Assert.Equal(1, sidecar.Log.Count("ManagerConnectFailed"));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Connection_Ends_IsReestablishedAndRegistersAgain(bool withHandshake)
    {
        await using var sidecar = await RegisteredSidecar.StartAsync("--reconnect-interval", "20ms");

        if (withHandshake)
        {
            await sidecar.Peer.CloseAsync();
        }
        else
        {
            sidecar.Peer.Cut();
        }

        var peer = await sidecar.Manager.AcceptRegisteredAsync();

        var end = await sidecar.Log.WaitForAsync("ManagerConnectionEnded");
        Assert.Equal(withHandshake ? "Closed" : "Lost", end["Reason"]);
        Assert.Equal(withHandshake, end["Detail"].Contains("1000", StringComparison.Ordinal));
        Assert.False(peer.UpgradeHeaders.ContainsKey("Origin"));
        await peer.AssertAnswersAsync();
    }

    [Fact]
    public async Task Connect_AnswerIsNoWebSocket_IsReportedAndRetried()
    {
        await using var application = await FakeApplication.StartAsync();
        await using var manager = await FakeManager.StartAsync();
        manager.UpgradeStatus = 404;
        await using var sidecar = await SidecarFixture.StartAsync(manager.Address, application.Address, "--reconnect-interval", "20ms");
        Assert.Contains("404", (await sidecar.Log.WaitForAsync("ManagerConnectFailed"))["Failure"], StringComparison.Ordinal);

        manager.UpgradeStatus = null;
        var peer = await manager.AcceptRegisteredAsync();

        await peer.AssertAnswersAsync();
    }

    [Fact]
    public async Task Connect_EnvFileNamesAnotherPortLater_IsFollowed()
    {
        await using var application = await FakeApplication.StartAsync();
        await using var before = await FakeManager.StartAsync();
        await using var after = await FakeManager.StartAsync();
        var file = Path.GetTempFileName();
        try
        {
            await WriteAddressAsync(file, before.Address);
            await using var sidecar = await SidecarFixture.StartWithoutManagerAsync(application.Address, "--env-file", file, "--reconnect-interval", "20ms");
            var first = await before.AcceptRegisteredAsync();

            await WriteAddressAsync(file, after.Address);
            first.Cut();
            var second = await after.AcceptRegisteredAsync();

            await second.AssertAnswersAsync();
        }
        finally
        {
            File.Delete(file);
        }
    }

    [Fact]
    public async Task Connect_EnvFileNotThereYet_IsAwaited()
    {
        await using var application = await FakeApplication.StartAsync();
        await using var manager = await FakeManager.StartAsync();
        var file = Path.Combine(Path.GetTempPath(), $"{Guid.NewGuid():n}.env");
        try
        {
            await using var sidecar = await SidecarFixture.StartWithoutManagerAsync(application.Address, "--env-file", file, "--reconnect-interval", "20ms");
            var failure = (await sidecar.Log.WaitForAsync("ManagerConnectFailed"))["Failure"];
            Assert.Contains(file, failure, StringComparison.Ordinal);
            Assert.Contains("GENKIT_REFLECTION_V2_SERVER", failure, StringComparison.Ordinal);

            await WriteAddressAsync(file, manager.Address);
            var peer = await manager.AcceptRegisteredAsync();

            await peer.AssertAnswersAsync();
        }
        finally
        {
            File.Delete(file);
        }
    }

    [Fact]
    public async Task Connection_PeerIsDead_IsDetectedByPings()
    {
        await using var sidecar = await RegisteredSidecar.StartAsync(
            "--keep-alive-interval", "200ms", "--keep-alive-timeout", "300ms", "--reconnect-interval", "20ms");

        // The first peer reads no more, so it does not answer PINGs.
        var second = await sidecar.Manager.AcceptRegisteredAsync();

        Assert.Equal("Lost", (await sidecar.Log.WaitForAsync("ManagerConnectionEnded"))["Reason"]);
        await second.AssertAnswersAsync();
    }

    [Fact]
    public async Task TwoSidecars_SameRuntimeId_AnswerOnTheirOwnSockets()
    {
        await using var application = await FakeApplication.StartAsync();
        await using var other = await FakeApplication.StartAsync();
        await using var manager = await FakeManager.StartAsync();
        application.List("/flow/one");
        other.List("/flow/two");

        await using var firstSidecar = await SidecarFixture.StartAsync(manager.Address, application.Address, "--runtime-id", "same");
        var first = await manager.AcceptRegisteredAsync();
        await using var secondSidecar = await SidecarFixture.StartAsync(manager.Address, other.Address, "--runtime-id", "same");
        var second = await manager.AcceptRegisteredAsync();

        Assert.True((await second.AskForOneAsync(Requests.ListActions("1"))).At("result", "actions").Has("/flow/two"));
        Assert.True((await first.AskForOneAsync(Requests.ListActions("1"))).At("result", "actions").Has("/flow/one"));
    }

    private static Task WriteAddressAsync(string file, Uri address) =>
        File.WriteAllTextAsync(file, $"GENKIT_ENV=dev\nGENKIT_REFLECTION_V2_SERVER={address.ToString().TrimEnd('/')}\n");
}
