using Genkit.Sidecar.EndToEndTests.Infrastructure;

namespace Genkit.Sidecar.EndToEndTests.Documentation;

/// <summary>The application and the commands of the README.</summary>
public sealed class ReadmeTests : EndToEndTest
{
    private const string Page = "README.md";
    private const string Address = "127.0.0.1:50051";
    private const string Greeting = "Hello, Ada!";

    private readonly DocumentedShell _shell;

    public ReadmeTests() => _shell = new(Workspace);

    [Theory, Trait("Tier", "All")]
    [DocumentedCommand(Page, "clients/demo")]
    public async Task Demo_OfThisTree_PrintsTheResult(string command)
    {
        // The user's own home, in which dotnet has its packages.
        var home = Environment.GetFolderPath(Environment.SpecialFolder.UserProfile);

        var demo = Workspace.Start(["bash", "-c", $"cd {Repository.Root} && {command}"], new Dictionary<string, string> { ["HOME"] = home });

        Assert.Equal(0, await demo.ExitAsync(TimeSpan.FromMinutes(5)));
        Assert.Contains("Liftoff!", string.Join('\n', demo.Output.Snapshot()), StringComparison.Ordinal);
    }

    [Theory]
    [DocumentedCommand(Page, "genkit start --experimental-reflection-v2 -- genkit-sidecar run -- ")]
    public async Task GenkitStart_WithACommand_RunsTheFlow(string command)
    {
        await _shell.AddApplicationAsync();

        await AssertGreetsAsync(_shell.Start(command));
    }

    [Theory]
    [DocumentedCommand(Page, "genkit start --experimental-reflection-v2 -- genkit-sidecar run --app")]
    public async Task GenkitStart_WithAnAddress_RunsTheFlow(string command)
    {
        var address = await _shell.StartApplicationAsync();

        await AssertGreetsAsync(_shell.Start(command.Replace(Address, address, StringComparison.Ordinal)));
    }

    [Theory]
    [DocumentedCommand(Page, "genkit flow:run")]
    public async Task FlowRun_WithACommand_PrintsTheResult(string command)
    {
        await _shell.AddApplicationAsync();

        Assert.Contains(Greeting, await _shell.RunAsync(command), StringComparison.Ordinal);
    }

    [Theory]
    [DocumentedCommand(Page, "genkit-sidecar actions", "genkit-sidecar call")]
    public async Task ActionsAndCall_WithAnAddress_PrintTheFlowAndItsResult(string actions, string call)
    {
        var address = await _shell.StartApplicationAsync();

        Assert.Contains("/flow/greet", await _shell.RunAsync(actions.Replace(Address, address, StringComparison.Ordinal)), StringComparison.Ordinal);
        Assert.Contains(Greeting, await _shell.RunAsync(call.Replace(Address, address, StringComparison.Ordinal)), StringComparison.Ordinal);
    }

    private static async Task AssertGreetsAsync(RunningProcess cli)
    {
        using var tools = await ToolsApi.OfAsync(cli);

        var (_, answer) = await tools.RunActionAsync("""{"key": "/flow/greet", "input": {"name": "Ada"}}""");

        Assert.Equal(Greeting, answer.GetProperty("result").GetProperty("greeting").GetString());
    }
}
