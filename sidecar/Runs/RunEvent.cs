using System.Buffers;
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
/// One step of a run on its way to a door. Whoever takes it from the outbox releases it, once, after sending it.
/// </summary>
internal readonly struct RunEvent
{
    /// <summary>
    /// Up to this many bytes a payload is copied, so that the application's next message can be read at once. Past it the copy
    /// costs more than waiting until the payload has been sent from where it is.
    /// </summary>
    public const int CopyLimit = 32 * 1024;

    private readonly byte[]? _rented;
    private readonly TaskCompletionSource? _sent;

    private RunEvent(RunEventKind kind, ReadOnlySequence<byte>? payload, ActionFailure? failure, byte[]? rented, TaskCompletionSource? sent)
    {
        Kind = kind;
        Payload = payload;
        Failure = failure;
        _rented = rented;
        _sent = sent;
    }

    public RunEventKind Kind { get; }

    /// <summary>Chunk or result: one complete JSON value. Null for a result that the action did not return.</summary>
    public ReadOnlySequence<byte>? Payload { get; }

    public ActionFailure? Failure { get; }

    public long Length => Payload?.Length ?? 0;

    /// <summary>Completes when the payload's memory is no longer needed.</summary>
    public Task Sent => _sent?.Task ?? Task.CompletedTask;

    public bool EndsRun => Kind is RunEventKind.Result or RunEventKind.Failure;

    public static RunEvent Started { get; } = new(RunEventKind.Started, null, null, null, null);

    public static RunEvent Failed(ActionFailure failure) => new(RunEventKind.Failure, null, failure, null, null);

    public static RunEvent WithPayload(RunEventKind kind, in ReadOnlySequence<byte>? payload)
    {
        if (payload is not { } bytes)
        {
            return new RunEvent(kind, null, null, null, null);
        }

        if (bytes.Length > CopyLimit)
        {
            return new RunEvent(kind, bytes, null, null, new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously));
        }

        var length = (int)bytes.Length;
        var rented = ArrayPool<byte>.Shared.Rent(length);
        bytes.CopyTo(rented);
        return new RunEvent(kind, new ReadOnlySequence<byte>(rented, 0, length), null, rented, null);
    }

    public void Release()
    {
        if (_rented is not null)
        {
            ArrayPool<byte>.Shared.Return(_rented);
        }

        _sent?.TrySetResult();
    }
}
