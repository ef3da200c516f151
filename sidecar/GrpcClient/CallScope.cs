using Grpc.Core;

namespace Genkit.Sidecar.GrpcClient;

/// <summary>One call, from its start until it is disposed of.</summary>
internal readonly struct CallScope : IDisposable
{
    private readonly ConnectionWatch? _watch;
    private readonly CallFailure _failure;
    private readonly long _startedAt;
    private readonly TimeSpan? _deadline;

    public CallScope(ConnectionWatch? watch, CallFailure failure, long startedAt, TimeSpan? deadline)
    {
        _watch = watch;
        _failure = failure;
        _startedAt = startedAt;
        _deadline = deadline;
        watch?.CallStarted();
    }

    /// <summary>The deadline as grpc-dotnet takes it, which has no other clock than the system's.</summary>
    public DateTime? Deadline => _deadline is { } length ? TimeProvider.System.GetUtcNow().UtcDateTime + length : null;

    /// <summary>Says how the call ended.</summary>
    public CallStatus StatusOf(RpcException exception) => _failure.From(exception, _startedAt, _deadline);

    public void Dispose() => _watch?.CallEnded();
}
