using System.Diagnostics.Metrics;
using Genkit.Sidecar.Metrics;

namespace Genkit.Sidecar.Tests.Metrics;

public sealed class MetricsCollectorTests
{
    [Fact]
    public void Collect_Histogram_IsCumulativeByLabels()
    {
        using var meter = SidecarMeter.Create();
        using var collector = new MetricsCollector(meter);
        var histogram = meter.CreateHistogram("wait", "s", "Waiting", tags: null, new InstrumentAdvice<double> { HistogramBucketBoundaries = [1, 2] });

        histogram.Record(0.5, new KeyValuePair<string, object?>("to", "b"));
        histogram.Record(1, new KeyValuePair<string, object?>("to", "a"));
        histogram.Record(1.5, new KeyValuePair<string, object?>("to", "a"));
        histogram.Record(2.5, new KeyValuePair<string, object?>("to", "a"));

        Assert.Equal(
            """
            # HELP wait_seconds Waiting
            # TYPE wait_seconds histogram
            wait_seconds_bucket{to="a",le="1"} 1
            wait_seconds_bucket{to="a",le="2"} 2
            wait_seconds_bucket{to="a",le="+Inf"} 3
            wait_seconds_sum{to="a"} 5
            wait_seconds_count{to="a"} 3
            wait_seconds_bucket{to="b",le="1"} 1
            wait_seconds_bucket{to="b",le="2"} 1
            wait_seconds_bucket{to="b",le="+Inf"} 1
            wait_seconds_sum{to="b"} 0.5
            wait_seconds_count{to="b"} 1

            """,
            collector.Collect());
    }

    [Fact]
    public void Collect_ObservedInstruments_AreAskedAnewEachTime()
    {
        using var meter = SidecarMeter.Create();
        using var collector = new MetricsCollector(meter);
        var value = 1L;
        meter.CreateObservableCounter("asked", () => value++, null, "Asked");

        Assert.EndsWith("asked_total 1\n", collector.Collect(), StringComparison.Ordinal);
        Assert.EndsWith("asked_total 2\n", collector.Collect(), StringComparison.Ordinal);
    }

    [Fact]
    public void Collect_AnotherMeterOfTheSameName_IsNotMixedIn()
    {
        using var meter = SidecarMeter.Create();
        using var other = SidecarMeter.Create();
        using var collector = new MetricsCollector(meter);
        using var otherCollector = new MetricsCollector(other);

        var runs = new RunMetrics(meter);
        var otherRuns = new RunMetrics(other);
        otherRuns.Started(5);
        otherRuns.Ended("/flow/x", "OK", TimeSpan.FromSeconds(1));
        runs.Started(7);

        Assert.Contains("genkit_sidecar_run_input_bytes_total 7\n", collector.Collect(), StringComparison.Ordinal);
        Assert.Contains("genkit_sidecar_run_active 1\n", collector.Collect(), StringComparison.Ordinal);
        Assert.DoesNotContain("duration", collector.Collect(), StringComparison.Ordinal);
        Assert.Contains("""genkit_sidecar_run_duration_seconds_count{genkit_action_type="flow",rpc_grpc_status_code="OK"} 1""", otherCollector.Collect(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Collect_ManyAtATimeWhileRunsEnd_LosesNothing()
    {
        const int Workers = 4;
        const int Each = 500;
        using var meter = SidecarMeter.Create();
        using var collector = new MetricsCollector(meter);
        var runs = new RunMetrics(meter);

        await Task.WhenAll(Enumerable.Range(0, Workers).Select(_ => Task.Run(() =>
        {
            for (var i = 0; i < Each; i++)
            {
                runs.Started(1);
                runs.Ended("/flow/x", "OK", TimeSpan.FromSeconds(1));
                Assert.Single(collector.Collect().Split('\n'), line => line.StartsWith("genkit_sidecar_run_active ", StringComparison.Ordinal));
            }
        })));

        Assert.Contains($"genkit_sidecar_run_duration_seconds_count{{genkit_action_type=\"flow\",rpc_grpc_status_code=\"OK\"}} {Workers * Each}\n", collector.Collect(), StringComparison.Ordinal);
        Assert.Contains($"genkit_sidecar_run_input_bytes_total {Workers * Each}\n", collector.Collect(), StringComparison.Ordinal);
    }
}
