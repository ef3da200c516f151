using Genkit.Sidecar.EndToEndTests.Documentation;
using Genkit.Sidecar.EndToEndTests.Infrastructure;

namespace Genkit.Sidecar.EndToEndTests;

/// <summary>The code and commands of docs/telemetry.md, taken from the page.</summary>
public sealed class TelemetryPageTests : EndToEndTest
{
    private const string Page = "docs/telemetry.md";

    [Theory, DocumentedCommand(Page, "genkit-sidecar run -- node")]
    public async Task NodeRecipe_OverTheHelloApplication_PutsItsServerSpanUnderTheRun(string command)
    {
        var shell = new DocumentedShell(Workspace);
        await shell.AddFileAsync("telemetry.cjs", new DocumentedPage(Page).Blocks("js").First());
        LinkApplication();
        var manager = await ManagerHost.StartWithTelemetryAsync(Workspace);
        shell.Start(command, new Dictionary<string, string> { ["GENKIT_REFLECTION_V2_SERVER"] = manager.Url });
        await manager.RuntimeAddedAsync();

        var run = await manager.RunActionAsync("""{"key": "/flow/greet", "input": {"name": "Ada"}}""");

        const string Call = "grpc.genkit.sidecar.v1.ActionService/RunAction";
        var trace = await manager.TraceAsync(await run.TraceIdAsync(), Call);
        Assert.Equal($"greet/{Call}", trace.Way(trace[Call]));
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
