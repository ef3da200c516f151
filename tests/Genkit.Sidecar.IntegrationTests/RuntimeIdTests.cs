using Genkit.Sidecar.IntegrationTests.Infrastructure;

namespace Genkit.Sidecar.IntegrationTests;

public sealed class RuntimeIdTests
{
    [Fact]
    public async Task Register_WithAnIdThatAnotherSidecarHas_WarnsOnBothSides()
    {
        await using var application = await FakeApplication.StartAsync();
        await using var manager = await FakeManager.StartAsync();

        await using var first = await SidecarFixture.StartAsync(manager.Address, application.Address, "--runtime-id", "twice");
        await manager.AcceptRegisteredAsync();
        await first.Log.WaitForAsync("ManagerRegistered");
        await using var second = await SidecarFixture.StartAsync(manager.Address, application.Address, "--runtime-id", "twice");
        await manager.AcceptRegisteredAsync();

        Assert.Equal("twice", (await second.Log.WaitForAsync("RuntimeIdTakenOver"))["RuntimeId"]);
        Assert.Equal("twice", (await first.Log.WaitForAsync("RuntimeIdLost"))["RuntimeId"]);
    }
}
