using System.Diagnostics;
using System.Diagnostics.Metrics;

namespace Genkit.Sidecar.Metrics;

/// <summary>What every dashboard asks of a process, under the names that Prometheus' own clients give it.</summary>
internal static class ProcessMetrics
{
    public static void AddTo(Meter meter)
    {
        using var process = Process.GetCurrentProcess();
        var start = new DateTimeOffset(process.StartTime).ToUnixTimeMilliseconds() / 1000.0;
        var build = new Measurement<long>(1, new KeyValuePair<string, object?>("version", SidecarVersion.Number));
        meter.CreateObservableUpDownCounter<long>("genkit.sidecar.build.info", () => [build], null, "1, with the sidecar's version");
        meter.CreateObservableCounter("process.cpu", () => Environment.CpuUsage.TotalTime.TotalSeconds, "s", "User and system CPU time");
        meter.CreateObservableUpDownCounter("process.resident_memory", () => Environment.WorkingSet, "By", "Resident memory");
        meter.CreateObservableUpDownCounter("process.start_time", () => start, "s", "Start of the process, in seconds since 1970");
    }
}
