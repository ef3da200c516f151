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
        await first.Log.WaitForAsync("Registered with the manager");
        await using var second = await SidecarFixture.StartAsync(manager.Address, application.Address, "--runtime-id", "twice");
        await manager.AcceptRegisteredAsync();

        await second.Log.WaitForAsync("as twice too: requests now come here only");
        await first.Log.WaitForAsync("as twice too: requests now go there");
    }
}
