using System.Text.RegularExpressions;
using Genkit.Sidecar.EndToEndTests.Infrastructure;

namespace Genkit.Sidecar.EndToEndTests;

/// <summary>The C# library in an ASP.NET Core application with its own addresses, started as the sidecar's command.</summary>
public sealed partial class AspNetCoreTests : EndToEndTest
{
    private static readonly Dictionary<string, string> s_own = new() { ["ASPNETCORE_URLS"] = "http://127.0.0.1:0" };

    private static IReadOnlyList<string> Shop =>
        ["dotnet", Repository.Require($"artifacts/bin/Shop/{Repository.Configuration}/shop.dll", "dotnet build")];

    [Fact]
    public async Task Run_ApplicationWithItsOwnAddresses_ListensWhereItIsToldToo()
    {
        var manager = await ManagerHost.StartAsync(Workspace);
        var sidecar = Workspace.Start(SidecarCommand.Run(Workspace, Shop, "--manager", manager.Url), s_own);
        await manager.RuntimeAddedAsync();

        var run = await manager.RunActionAsync("""{"key": "/flow/price", "input": {"name": "tea"}}""");

        JsonAssert.Equal("""{"price": 30}""", (await run.AnswerAsync()).GetProperty("result"));
        var line = await sidecar.Output.FirstAsync(line => OwnAddress().IsMatch(line), "its own address");
        using var client = new HttpClient();
        Assert.Equal("30", await client.GetStringAsync(new Uri(new Uri(OwnAddress().Match(line).Groups[1].Value), "prices/tea"), TestContext.Current.CancellationToken));
        Signal.Terminate.Send(sidecar.Id);
        Assert.Equal(0, await sidecar.ExitAsync());
    }

    [Fact]
    public async Task ActionsAndCall_ApplicationOnAUnixSocket_FindIt()
    {
        var address = $"unix:{Path.Combine(Workspace.Folder, "shop.sock")}";
        var sidecar = Workspace.Start(SidecarCommand.Run(Workspace, Shop, "--app", address), s_own);
        await sidecar.Output.FirstAsync(line => line.Contains(address, StringComparison.Ordinal), "the address that it was told");

        var actions = Workspace.Start(SidecarCommand.Of(Workspace, "actions", "--app", address));
        var call = Workspace.Start(SidecarCommand.Of(Workspace, "call", "/flow/price", """{"name": "coffee"}""", "--app", address));

        Assert.Equal(0, await actions.ExitAsync());
        Assert.Contains("/flow/price", $"{actions.Output}", StringComparison.Ordinal);
        Assert.Equal(0, await call.ExitAsync());
        Assert.Contains("""{"price":60}""", $"{call.Output}", StringComparison.Ordinal);
    }

    [GeneratedRegex(@"Now listening on: (http://127\.0\.0\.1:\d+)")]
    private static partial Regex OwnAddress();
}
