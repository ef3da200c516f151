namespace Genkit.Sidecar.Telemetry;

/// <summary>
/// Begins the root spans of one runtime's runs, for as long as there is a server to post them to, and knows their traces for spans of
/// the application.
/// </summary>
internal sealed class Tracer(TelemetryServer server, KnownTraces traces, TraceExporter exporter, TelemetryOptions options, TimeProvider time)
{
    /// <summary>Who cancels looks at the answer, not at the trace, and a sidecar that stops has a second for all its last answers.</summary>
    private static readonly TimeSpan s_cancelledWait = TimeSpan.FromMilliseconds(500);

    /// <summary>How long a run's answer waits for its span.</summary>
    public TimeSpan Wait => options.Wait;

    /// <summary>The same for a run that was cancelled.</summary>
    public TimeSpan CancelledWait => options.Wait < s_cancelledWait ? options.Wait : s_cancelledWait;

    /// <summary>A run starts. Begins its span, or gives null if no server is known or there is no room for it.</summary>
    public RootSpan? Start(in RootSpanStart run)
    {
        traces.Begin(run.Trace);
        if (server.Address is null)
        {
            return null;
        }

        if (!exporter.TryTake(TraceExporter.LeastBytes))
        {
            exporter.NoteDropped();
            return null;
        }

        try
        {
            return new RootSpan(exporter, run, options.MaxSpanBytes, options.IsRealtime, time);
        }
        catch (Exception exception)
        {
            exporter.NoteFaulted(exception);
            return null;
        }
    }

    /// <inheritdoc cref="KnownTraces.AddAlias"/>
    public void AddAlias(string traceId, string alias) => traces.AddAlias(traceId, alias);

    /// <summary>A run has ended, whether it has a span or not.</summary>
    public void End(string traceId) => traces.End(traceId);

    /// <summary>Lets every answer go that waits for its span, and those to come.</summary>
    public void StopWaiting() => exporter.StopWaiting();
}
