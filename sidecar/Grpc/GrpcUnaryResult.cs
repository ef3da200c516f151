using System.Buffers;

namespace Genkit.Sidecar.Grpc;

/// <summary>What a unary call gave. Dispose it to give the message's memory back.</summary>
public sealed class GrpcUnaryResult : IDisposable
{
    private PooledSegments? _owner;

    internal GrpcUnaryResult(GrpcStatus status, GrpcMetadata headers, GrpcMetadata trailers, ReadOnlySequence<byte> message, PooledSegments? owner)
    {
        Status = status;
        ResponseHeaders = headers;
        Trailers = trailers;
        Message = message;
        _owner = owner;
    }

    /// <summary>How the call ended.</summary>
    public GrpcStatus Status { get; }

    /// <summary>The response message, empty when <see cref="Status"/> is not OK. Valid until this is disposed.</summary>
    public ReadOnlySequence<byte> Message { get; private set; }

    /// <summary>The response's headers.</summary>
    public GrpcMetadata ResponseHeaders { get; }

    /// <summary>The response's trailers.</summary>
    public GrpcMetadata Trailers { get; }

    /// <exception cref="GrpcException">The call did not end with OK.</exception>
    public void ThrowIfFailed()
    {
        if (!Status.IsOK)
        {
            throw new GrpcException(Status);
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        Message = default;
        Interlocked.Exchange(ref _owner, null)?.Dispose();
    }
}
