using Genkit.Sidecar.EndToEndTests.Infrastructure;

namespace Genkit.Sidecar.EndToEndTests;

/// <summary>The code and commands of docs/telemetry.md, taken from the page.</summary>
public sealed class TelemetryPageTests : EndToEndTest
{
    [Fact]
    public async Task NodeRecipe_OverTheHelloApplication_PutsItsServerSpanUnderTheRun()
    {
        var page = await File.ReadAllTextAsync(Path.Combine(Repository.Root, "docs/telemetry.md"), TestContext.Current.CancellationToken);
        var recipe = page[page.IndexOf("### Node", StringComparison.Ordinal)..page.IndexOf("### Python", StringComparison.Ordinal)];
        await File.WriteAllTextAsync(Path.Combine(Workspace.Folder, "telemetry.cjs"), Between(recipe, "```js\n", "```"), TestContext.Current.CancellationToken);
        LinkApplication();
        var command = Between(recipe, "genkit-sidecar run -- ", "\n").Split(' ');
        var manager = await ManagerHost.StartWithTelemetryAsync(Workspace);
        Workspace.Start(SidecarCommand.Run(Workspace, command, ["--manager", manager.Url]));
        await manager.RuntimeAddedAsync();

        var run = await manager.RunActionAsync("""{"key": "/flow/greet", "input": {"name": "Ada"}}""");

        const string Call = "grpc.genkit.sidecar.v1.ActionService/RunAction";
        var trace = await manager.TraceAsync(await run.TraceIdAsync(), Call);
        Assert.Equal($"greet/{Call}", trace.Way(trace[Call]));
    }

    private static string Between(string text, string start, string end)
    {
        var from = text.IndexOf(start, StringComparison.Ordinal) + start.Length;
        return text[from..text.IndexOf(end, from, StringComparison.Ordinal)];
    }

    /// <summary>Makes the workspace a copy of the hello application's folder, with the packages that the recipe adds.</summary>
    private void LinkApplication()
    {
        const string Hello = "clients/typescript/examples/stubs";
        Repository.Require($"{Hello}/dist/hello.js", "tests/e2e/setup typescript");
        Repository.Require("tests/telemetry/node_modules/.package-lock.json", "tests/e2e/setup telemetry");
        Directory.CreateDirectory(Path.Combine(Workspace.Folder, "node_modules"));
        foreach (var (name, target) in new[]
        {
            ("dist", $"{Hello}/dist"), ("node_modules/@grpc", $"{Hello}/node_modules/@grpc"), ("node_modules/@opentelemetry", "tests/telemetry/node_modules/@opentelemetry"),
        })
        {
            Directory.CreateSymbolicLink(Path.Combine(Workspace.Folder, name), Path.Combine(Repository.Root, target));
        }
    }
}
