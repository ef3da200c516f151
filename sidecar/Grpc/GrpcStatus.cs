namespace Genkit.Sidecar.Grpc;

/// <summary>How a call ended.</summary>
/// <param name="Code">The canonical code.</param>
/// <param name="Message">The peer's own message, decoded, possibly empty; or what this side has to say about the failure.</param>
public sealed record GrpcStatus(GrpcStatusCode Code, string Message)
{
    /// <summary>Success, without a message.</summary>
    public static GrpcStatus OK { get; } = new(GrpcStatusCode.OK, "");

    /// <summary>The bytes of <c>grpc-status-details-bin</c>: usually a <c>google.rpc.Status</c>. Empty when there is none.</summary>
    public ReadOnlyMemory<byte> Details { get; init; }

    /// <summary>The exception behind a status that this side made, if there is one.</summary>
    public Exception? Cause { get; init; }

    /// <summary>Set when the call failed because connecting failed; the code is then <see cref="GrpcStatusCode.Unavailable"/>.</summary>
    public GrpcConnectFailure ConnectFailure { get; init; }

    /// <summary>Set when this side ended the call because a message was over <see cref="GrpcChannelOptions.MaxReceiveMessageBytes"/>; a peer's own RESOURCE_EXHAUSTED is something else.</summary>
    public bool IsOverReceiveLimit { get; init; }

    /// <summary>Whether the call succeeded.</summary>
    public bool IsOK => Code == GrpcStatusCode.OK;
}
