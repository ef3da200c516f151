using Genkit.Sidecar.IntegrationTests.Infrastructure;

namespace Genkit.Sidecar.IntegrationTests;

/// <summary>How the connection to the manager comes about and comes back.</summary>
public sealed class ReconnectTests
{
    [Fact]
    public async Task Connect_ManagerNotThereYet_IsFoundWhenItAppears()
    {
        var elsewhere = await FakeManager.StartAsync();
        await elsewhere.DisposeAsync();
        await using var application = await FakeApplication.StartAsync();
        await using var sidecar = await SidecarFixture.StartAsync(elsewhere.Address, application.Address, "--reconnect-interval", "20ms");
        await sidecar.Log.WaitForAsync($"Cannot reach the manager at {elsewhere.Address}, from flag --manager: connection refused: nothing listens there");
        await sidecar.Log.WaitForAsync("Attempt 3 failed too");

        await using var manager = await FakeManager.StartAsync(elsewhere.Address.Port);
        var peer = await manager.AcceptRegisteredAsync();

        await peer.AnswersAsync();
        Assert.Equal(1, sidecar.Log.Count("Warning: Cannot reach") + sidecar.Log.Count("Trying on"));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Connection_Ends_IsMadeAnewAndRegistersAgain(bool inGoodOrder)
    {
        await using var sidecar = await RegisteredSidecar.StartAsync("--reconnect-interval", "20ms");

        if (inGoodOrder)
        {
            await sidecar.Peer.CloseAsync();
        }
        else
        {
            sidecar.Peer.Cut();
        }

        var peer = await sidecar.Manager.AcceptRegisteredAsync();

        Assert.Contains(
            inGoodOrder ? "(Closed): closed by the manager with 1000" : "(Lost)",
            await sidecar.Log.WaitForAsync("The connection to the manager at"),
            StringComparison.Ordinal);
        Assert.False(peer.UpgradeHeaders.ContainsKey("Origin"));
        await peer.AnswersAsync();
    }

    [Fact]
    public async Task Connect_AnswerIsNoWebSocket_SaysSoAndTriesOn()
    {
        await using var application = await FakeApplication.StartAsync();
        await using var manager = await FakeManager.StartAsync();
        manager.UpgradeStatus = 404;
        await using var sidecar = await SidecarFixture.StartAsync(manager.Address, application.Address, "--reconnect-interval", "20ms");
        await sidecar.Log.WaitForAsync("it answered with HTTP 404 instead of a WebSocket: is that Genkit's Reflection API v2 port?");

        manager.UpgradeStatus = null;
        var peer = await manager.AcceptRegisteredAsync();

        await peer.AnswersAsync();
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

            await second.AnswersAsync();
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
            await sidecar.Log.WaitForAsync($"{file} does not have GENKIT_REFLECTION_V2_SERVER yet");

            await WriteAddressAsync(file, manager.Address);
            var peer = await manager.AcceptRegisteredAsync();

            await peer.AnswersAsync();
        }
        finally
        {
            File.Delete(file);
        }
    }

    [Fact]
    public async Task Connection_PeerIsDead_IsFoundOutByPings()
    {
        await using var sidecar = await RegisteredSidecar.StartAsync(
            "--keep-alive-interval", "200ms", "--keep-alive-timeout", "300ms", "--reconnect-interval", "20ms");

        // The first peer is not read any more, so it answers no ping.
        var second = await sidecar.Manager.AcceptRegisteredAsync();

        await sidecar.Log.WaitForAsync("(Lost)");
        await second.AnswersAsync();
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
