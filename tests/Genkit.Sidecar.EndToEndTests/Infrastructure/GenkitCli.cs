using System.Text.RegularExpressions;

namespace Genkit.Sidecar.EndToEndTests.Infrastructure;

/// <summary>Genkit's own command line, as npm installs it.</summary>
internal static partial class GenkitCli
{
    public const string Version = "1.43.0";

    /// <summary>Runs `genkit flow:run arguments -- genkit-sidecar run -- application` and returns what it printed.</summary>
    public static Task<string> RunFlowAsync(
        Workspace workspace, HelloApplication application, params IEnumerable<string> arguments) =>
        RunAsync(workspace, ["flow:run", .. arguments, "--", .. SidecarCommand.Run(workspace, application.Command)]);

    /// <summary>Runs `genkit arguments` to its end and returns what it printed. The CLI exits with 0 even if the command failed.</summary>
    public static async Task<string> RunAsync(Workspace workspace, params IEnumerable<string> arguments)
    {
        var cli = workspace.Start(Command(arguments));
        await cli.ExitAsync();
        return string.Join('\n', [.. cli.Output.Snapshot(), .. cli.Errors.Snapshot()]);
    }

    /// <summary>Returns the trace that `flow:run` has printed.</summary>
    public static string TraceId(string printed) => TraceIdLine().Match(printed).Groups["id"].Value;

    /// <summary>Starts `genkit start -- genkit-sidecar run -- application`.</summary>
    public static RunningProcess Start(Workspace workspace, IEnumerable<string> application) => workspace.Start(Command(
        ["start", "--experimental-reflection-v2", "--", .. SidecarCommand.Run(workspace, application)]));

    /// <summary>Starts `genkit start -- genkit-sidecar run -- application`, without the flag for Reflection API v2.</summary>
    public static RunningProcess StartV1(Workspace workspace, HelloApplication application) =>
        workspace.Start(Command(["start", "--", .. SidecarCommand.Run(workspace, application.Command)]));

    /// <summary>Starts `genkit start --experimental-reflection-v2 -- command`, without the Dev UI.</summary>
    public static RunningProcess StartV2(Workspace workspace, params IEnumerable<string> command) =>
        workspace.Start(Command(["start", "--noui", "--experimental-reflection-v2", "--", .. command]));

    /// <summary>Starts the official MCP client over `genkit mcp`: see tests/e2e/mcp-client.mjs.</summary>
    public static RunningProcess Mcp(Workspace workspace) =>
        workspace.Start(["node", Repository.Require("tests/e2e/mcp-client.mjs", "git checkout tests/e2e"), .. Command(["mcp"])]);

    /// <summary>Starts `genkit start -- command`, without the flag for Reflection API v2 and without the Dev UI.</summary>
    public static RunningProcess StartV1(Workspace workspace, params IEnumerable<string> command) =>
        workspace.Start(Command(["start", "--noui", "--", .. command]));

    private static IEnumerable<string> Command(IEnumerable<string> arguments) =>
    [
        "node",
        Repository.Require("tests/e2e/node_modules/genkit-cli/dist/bin/genkit.js", "tests/e2e/setup cli"),
        "--non-interactive",
        .. arguments,
    ];

    [GeneratedRegex("Trace ID: (?<id>[0-9a-f]{32})")]
    private static partial Regex TraceIdLine();
}
