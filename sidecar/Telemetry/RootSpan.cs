using System.Buffers;
using System.Collections.ObjectModel;

namespace Genkit.Sidecar.Telemetry;

/// <summary>
/// The span of one run, from its start to its one end. Its content is encoded at once, so that it does not refer to a caller's buffers later.
/// </summary>
internal sealed class RootSpan
{
    /// <summary>What a span usually is without its payloads.</summary>
    private const long OtherBytes = TraceExporter.LeastBytes / 2;

    private readonly TraceExporter _exporter;
    private readonly RootSpanWriter _writer;
    private readonly TimeProvider _time;
    private readonly DateTimeOffset _startedAt;
    private readonly long _startStamp;
    private readonly string _traceId;
    private long _payloadBytes;
    private long _takenBytes = TraceExporter.LeastBytes;

    /// <param name="exporter">Of which <see cref="TraceExporter.LeastBytes"/> have been taken, which are given back if this throws.</param>
    /// <param name="run">What it tells of; its payloads are read here and now.</param>
    /// <param name="maxSpanBytes">Bound of what is posted.</param>
    /// <param name="isRealtime">Whether the start is posted too.</param>
    /// <param name="time">Whose clock and stamps it takes.</param>
    public RootSpan(TraceExporter exporter, in RootSpanStart run, long maxSpanBytes, bool isRealtime, TimeProvider time)
    {
        _exporter = exporter;
        _time = time;
        _traceId = run.Trace.TraceId;
        _startedAt = time.GetUtcNow();
        _startStamp = time.GetTimestamp();
        if (isRealtime && exporter.TryTake(TraceExporter.LeastBytes))
        {
            var start = new RootSpanWriter(run, _startedAt, maxSpanBytes);
            start.WriteStart();
            start.WriteRunning();
            exporter.Post(new TracePost(_traceId, start.Body, PostContent.RootStart, Items: 1, TraceExporter.LeastBytes));
        }

        _writer = new RootSpanWriter(run, _startedAt, maxSpanBytes);
        try
        {
            _writer.WriteStart();
            _writer.WriteNames();
            if (run.Context is { } context)
            {
                WriteContext(context, maxSpanBytes);
            }

            Write("\"genkit:input\""u8, run.Input);
            Write("\"genkit:init\""u8, run.Init);
        }
        catch
        {
            GiveUp();
            throw;
        }
    }

    /// <summary>Ends the span of a run that succeeded and posts it.</summary>
    /// <param name="output">JSON, read before this returns; null if the action returned nothing.</param>
    /// <param name="patience">How long the task may take.</param>
    /// <returns>Completes when the span can be read at the telemetry server, or that is not worth waiting for. Does not fail.</returns>
    public Task SucceedAsync(in ReadOnlySequence<byte>? output, TimeSpan patience) => EndAsync(output, null, patience);

    /// <summary>Ends the span of a run that failed and posts it.</summary>
    /// <inheritdoc cref="SucceedAsync"/>
    public Task FailAsync(in SpanFailure failure, TimeSpan patience) => EndAsync(null, failure, patience);

    private void WriteContext(in ReadOnlySequence<byte> context, long maxSpanBytes)
    {
        // Redacting makes a copy, which one that is too large to be shown is not worth.
        if (context.Length > maxSpanBytes)
        {
            _writer.WriteLeftOut("\"genkit:metadata:context\""u8, context.Length);
        }
        else
        {
            Write("\"genkit:metadata:context\""u8, TracedContext.Redact(context));
        }
    }

    private void Write(ReadOnlySpan<byte> attribute, in ReadOnlySequence<byte>? payload)
    {
        if (payload is { } json)
        {
            _writer.WritePayload(attribute, json, TryTake);
        }
    }

    private Task EndAsync(in ReadOnlySequence<byte>? output, SpanFailure? failure, TimeSpan patience)
    {
        try
        {
            return _exporter.PostAsync(Finish(output, failure), patience);
        }
        catch (Exception exception)
        {
            // The run has an answer to give, whatever is wrong here.
            _exporter.NoteFaulted(exception);
            return Task.CompletedTask;
        }
    }

    private TracePost Finish(in ReadOnlySequence<byte>? output, SpanFailure? failure)
    {
        try
        {
            Write("\"genkit:output\""u8, output);

            // Uses monotonic time: the wall clock may jump.
            _writer.WriteEnd(_startedAt + _time.GetElapsedTime(_startStamp), failure);
            return new TracePost(_traceId, _writer.Body, PostContent.RootEnd, Items: 1, _takenBytes);
        }
        catch
        {
            GiveUp();
            throw;
        }
    }

    private void GiveUp()
    {
        _writer.Body.Release();
        _exporter.GiveBack(_takenBytes);
    }

    private bool TryTake(long bytes)
    {
        var missing = OtherBytes + _payloadBytes + bytes - _takenBytes;
        if (missing > 0)
        {
            if (!_exporter.TryTake(missing))
            {
                return false;
            }

            _takenBytes += missing;
        }

        _payloadBytes += bytes;
        return true;
    }
}

/// <param name="Type">Name of the status, such as <c>NOT_FOUND</c>.</param>
/// <param name="Message">What went wrong, worded for users.</param>
/// <param name="Stack">Stack trace in the application's language, or null.</param>
internal readonly record struct SpanFailure(string Type, string Message, string? Stack);

/// <summary>What a root span tells of a run from its start. Payloads are JSON, read before the span's maker returns; null where there is none.</summary>
internal readonly record struct RootSpanStart(TraceContext Trace, string Key)
{
    public ReadOnlySequence<byte>? Input { get; init; }

    public ReadOnlySequence<byte>? Init { get; init; }

    public ReadOnlySequence<byte>? Context { get; init; }

    public IReadOnlyDictionary<string, string> Labels { get; init; } = ReadOnlyDictionary<string, string>.Empty;
}
