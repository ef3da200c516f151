using System.Buffers;
using Genkit.Sidecar.Actions;
using Genkit.Sidecar.Application;

namespace Genkit.Sidecar.Runs;

internal enum RunEventKind
{
    /// <summary>The run has begun and has a trace id. Always first, exactly once.</summary>
    Started,
    Chunk,

    /// <summary>The run succeeded. Last.</summary>
    Result,

    /// <summary>The run failed. Last.</summary>
    Failure,
}

/// <summary>
/// One step of a run on its way to an endpoint. The reader of the outbox releases it, once, after sending it. The outbox releases events that are dropped.
/// </summary>
internal readonly struct RunEvent
{
    private readonly PayloadBuffer? _payload;

    private RunEvent(RunEventKind kind, PayloadBuffer? payload, ActionFailure? failure)
    {
        Kind = kind;
        _payload = payload;
        Failure = failure;
    }

    public RunEventKind Kind { get; }

    /// <summary>Chunk or result: one complete JSON value. Null for a result that the action did not return.</summary>
    public ReadOnlySequence<byte>? Payload => _payload?.Bytes;

    public ActionFailure? Failure { get; }

    public long Length => _payload?.Length ?? 0;

    public bool EndsRun => Kind is RunEventKind.Result or RunEventKind.Failure;

    public static RunEvent Started { get; } = new(RunEventKind.Started, null, null);

    public static RunEvent Failed(ActionFailure failure) => new(RunEventKind.Failure, null, failure);

    /// <summary>Makes an event that owns its payload.</summary>
    public static RunEvent WithPayload(RunEventKind kind, PayloadBuffer? payload) => new(kind, payload, null);

    public void Release() => _payload?.Dispose();
}
