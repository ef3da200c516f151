using System.Text.Json;
using Genkit.Sidecar.EndToEndTests.Infrastructure;

namespace Genkit.Sidecar.EndToEndTests;

/// <summary>The benchmark runs and reports figures. The figures are not asserted, because other tests run at the same time.</summary>
public sealed class BenchmarkTests : EndToEndTest
{
    [Fact]
    [Trait("Tier", "All")]
    public async Task Benchmark_OfOneShortRound_HasFiguresOfEachArm()
    {
        var results = Path.Combine(Workspace.Folder, "results");
        var main = Repository.Require("tests/benchmarks/main.mjs", "git checkout");
        Repository.Require("tests/benchmarks/node_modules/ws/package.json", "tests/e2e/setup benchmarks");

        var benchmark = Workspace.Start(
        [
            "node", main, "--quick", "--rounds", "1", "--blobs", "0", "--loads", "echo-32", "--arms", "sidecar,native,bridge,bare,direct",
            "--sidecar", $"this={Repository.Sidecar}", "--out", results,
        ]);
        Assert.Equal(0, await benchmark.ExitAsync());

        using var document = JsonDocument.Parse(await File.ReadAllTextAsync(Path.Combine(results, "results.json"), TestContext.Current.CancellationToken));
        var arms = document.RootElement.GetProperty("arms").EnumerateObject().ToList();
        Assert.Equal(["this", "native", "bridge", "bare", "direct"], arms.Select(arm => arm.Name));
        Assert.All(arms, arm => Assert.True(arm.Value.GetProperty("samples").GetProperty("echo-32.rate")[0].GetDouble() > 0));
        Assert.True(File.Exists(Path.Combine(results, "results.md")));
        Assert.True(File.Exists(Path.Combine(results, "results.svg")));
    }
}
