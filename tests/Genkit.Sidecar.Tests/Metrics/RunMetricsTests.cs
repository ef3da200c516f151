using Genkit.Sidecar.Metrics;

namespace Genkit.Sidecar.Tests.Metrics;

public sealed class RunMetricsTests
{
    [Theory]
    [InlineData("/flow/summarize", "flow")]
    [InlineData("/model/vendor/name/with/slashes", "model")]
    [InlineData("/tool.v2/x", "tool.v2")]
    [InlineData("/util/generate", "util")]
    [InlineData("/Flow/x", "other")]
    [InlineData("/user-4711/x", "other")]
    [InlineData("/flow", "other")]
    [InlineData("flow/x", "other")]
    [InlineData("//x", "other")]
    [InlineData("", "other")]
    public void ActionType_AnyKey_IsOneOfFew(string key, string expected) => Assert.Equal(expected, ActionType.Of(key));

    [Fact]
    public void Chunk_WhileSomebodyListens_AllocatesNothing()
    {
        using var meter = SidecarMeter.Create();
        using var collector = new MetricsCollector(meter);
        var runs = new RunMetrics(meter);
        runs.InputChunk(1);
        runs.OutputChunk(1);

        var before = GC.GetAllocatedBytesForCurrentThread();
        for (var i = 0; i < 1000; i++)
        {
            runs.InputChunk(1);
            runs.OutputChunk(1);
        }

        Assert.Equal(before, GC.GetAllocatedBytesForCurrentThread());
    }
}
