namespace Genkit.Sidecar.Grpc;

/// <summary>A status as an exception, for those who want one: on the client side nothing throws it but <see cref="GrpcUnaryResult.ThrowIfFailed"/>, on a server it ends the call of the handler that throws it.</summary>
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
