using System.Buffers;
using Genkit.Sidecar.ApplicationTelemetry;
using Genkit.Sidecar.Configuration;
using Genkit.Sidecar.Metrics;
using Genkit.Sidecar.Otlp;
using Genkit.Sidecar.Otlp.Wire;
using Genkit.Sidecar.Telemetry;

namespace Genkit.Sidecar.Endpoints.Otlp;

/// <summary>
/// Takes what an application exports with OpenTelemetry: spans of runs and logs go to Genkit's telemetry server, whatever else comes is
/// accepted and dropped, for an application may export more than runs. May be called by several threads at once.
/// </summary>
internal sealed partial class OtlpReceiver(
    OtlpSettings settings, KnownTraces traces, TelemetryServer server, TraceExporter exporter, TelemetryOptions options, TelemetryMetrics metrics, ILogger<OtlpReceiver> logger)
{
    private static readonly OtlpReply s_accepted = new(OtlpVerdict.Accepted);

    private readonly long _maxDecodedBytes = settings.MaxRequestBytes * DecodedSize.MostPerByte;
    private int _saidUnknown;

    /// <summary>Decodes a request and queues what it holds. Does not throw, and does not keep the bytes.</summary>
    public OtlpReply Receive(OtlpSignal signal, OtlpEncoding encoding, in ReadOnlySequence<byte> request)
    {
        try
        {
            return signal switch
            {
                OtlpSignal.Traces => Receive(OtlpRequest.Traces(encoding, request, _maxDecodedBytes)),
                OtlpSignal.Logs => Receive(OtlpRequest.Logs(encoding, request, _maxDecodedBytes)),
                _ => Receive(OtlpRequest.Metrics(encoding, request, _maxDecodedBytes)),
            };
        }
        catch (InvalidDataException exception)
        {
            return new OtlpReply(OtlpVerdict.Malformed, Problem: exception.Message);
        }
        catch (Exception exception)
        {
            Log.Faulted(logger, exception, signal);
            return new OtlpReply(OtlpVerdict.Malformed, Problem: "The sidecar failed over the request. Its log has the details");
        }
    }

    private OtlpReply Receive(ExportTraceServiceRequest request)
    {
        var sorted = new SortedSpans(request, traces);
        long ignored = sorted.OfRuns.Count;
        if (server.Address is not null)
        {
            var builder = new TracePosts(new SpanWriter(traces, (int)options.MaxSpanBytes - TracePosts.Overhead), options.MaxSpanBytes);
            foreach (var span in sorted.OfRuns)
            {
                builder.Add(span);
            }

            if (Queue(builder.Build(), TelemetryItem.Span, sorted.Count) is { } refusal)
            {
                return refusal;
            }

            ignored = builder.Ignored;
        }

        metrics.Count(TelemetryItem.Span, TelemetryOutcome.Ignored, ignored);
        metrics.Count(TelemetryItem.Span, TelemetryOutcome.Rejected, sorted.Rejected);
        metrics.Count(TelemetryItem.Span, TelemetryOutcome.UnknownTrace, sorted.Unknown);
        if (sorted.UnknownTraceId is { } unknown && Interlocked.Exchange(ref _saidUnknown, 1) == 0)
        {
            Log.UnknownTrace(logger, unknown);
        }

        return s_accepted with { Rejected = sorted.Rejected, Problem = sorted.Problem };
    }

    private OtlpReply Receive(ExportLogsServiceRequest request)
    {
        var count = request.ResourceLogs.Sum(resource => resource.ScopeLogs.Sum(scope => (long)scope.LogRecords.Count));
        if (server.Address is null)
        {
            metrics.Count(TelemetryItem.LogRecord, TelemetryOutcome.Ignored, count);
            return s_accepted;
        }

        var builder = new LogPosts(new LogWriter(traces, (int)options.MaxSpanBytes - LogPosts.Overhead), options.MaxSpanBytes);
        return Queue(builder.Build(request), TelemetryItem.LogRecord, count) ?? s_accepted;
    }

    private OtlpReply Receive(ExportMetricsServiceRequest request)
    {
        var count = request.ResourceMetrics.Sum(resource => resource.ScopeMetrics.Sum(scope => (long)scope.Metrics.Count));
        metrics.Count(TelemetryItem.Metric, TelemetryOutcome.Ignored, count);
        return s_accepted;
    }

    /// <summary>Queues all posts, or none, and gives the refusal then. Makes no more of them once one finds no room.</summary>
    private OtlpReply? Queue(IEnumerable<TracePost> posts, TelemetryItem item, long count)
    {
        var made = new List<TracePost>();
        long taken = 0;
        var isQueued = false;
        try
        {
            foreach (var post in posts)
            {
                made.Add(post);
                if (!exporter.TryTakeForExported(post.TakenBytes))
                {
                    return taken + post.TakenBytes > exporter.MaxExportedBytes ? TooLarge(item, count) : Overloaded(item, count);
                }

                taken += post.TakenBytes;
            }

            isQueued = true;
        }
        finally
        {
            if (!isQueued)
            {
                made.ForEach(post => post.Body.Release());
                exporter.GiveBack(taken);
            }
        }

        made.ForEach(exporter.Post);
        return null;
    }

    /// <summary>It would find no room in an empty queue either, and must not be sent again and again.</summary>
    private OtlpReply TooLarge(TelemetryItem item, long count)
    {
        metrics.Count(item, TelemetryOutcome.Rejected, count);
        return new OtlpReply(
            OtlpVerdict.Malformed,
            Problem: $"As the telemetry server takes it, the request has more than the {exporter.MaxExportedBytes} bytes that --telemetry-max-queue-bytes has for the application; smaller batches do not");
    }

    private OtlpReply Overloaded(TelemetryItem item, long count)
    {
        metrics.Count(item, TelemetryOutcome.Overloaded, count);
        return new OtlpReply(OtlpVerdict.Overloaded, Problem: "As much waits for the telemetry server as --telemetry-max-queue-bytes allows");
    }

    private static partial class Log
    {
        [LoggerMessage(LogLevel.Information, "Ignoring spans outside known runs, for example of trace {TraceId}. Propagate `traceparent` from the call so that spans join their run", EventName = "UnknownTraceIgnored")]
        public static partial void UnknownTrace(ILogger logger, string traceId);

        [LoggerMessage(LogLevel.Error, "A request of OpenTelemetry's signal {Signal} failed inside the sidecar", EventName = "OtlpRequestFaulted")]
        public static partial void Faulted(ILogger logger, Exception exception, OtlpSignal signal);
    }
}
