namespace Genkit.Sidecar.Grpc;

/// <summary>A status as an exception, for callers that want one. Nothing in this library throws it by itself but <see cref="GrpcUnaryResult.ThrowIfFailed"/>.</summary>
public class GrpcException : Exception
{
    /// <summary>Makes an exception of a status.</summary>
    public GrpcException(GrpcStatus status)
        : base($"{Checked(status).Code}: {status.Message}", status.Cause) => Status = status;

    /// <summary>The status.</summary>
    public GrpcStatus Status { get; }

    private static GrpcStatus Checked(GrpcStatus status)
    {
        ArgumentNullException.ThrowIfNull(status);
        return status;
    }
}
