using Grpc.Core;

namespace Genkit.Sidecar.GrpcClient;

/// <summary>How a call ended.</summary>
/// <param name="Code">The canonical code.</param>
/// <param name="Message">The peer's own message, at most <see cref="MaxMessageLength"/> characters of it; or what this side found.</param>
internal sealed record CallStatus(StatusCode Code, string Message)
{
    /// <summary>How much of a peer's message is kept, in characters.</summary>
    public const int MaxMessageLength = 1024 * 1024;

    /// <summary>Success, without a message.</summary>
    public static CallStatus OK { get; } = new(StatusCode.OK, "");

    /// <summary>The call's trailers, of which <c>grpc-status-details-bin</c> matters here.</summary>
    public Metadata Trailers { get; init; } = Metadata.Empty;

    /// <summary>Set when the call failed because connecting failed; the code is then <see cref="StatusCode.Unavailable"/>.</summary>
    public ConnectFailure ConnectFailure { get; init; }

    /// <summary>Set when this side ended the call because a message was over <see cref="ClientChannelOptions.MaxReceiveMessageBytes"/>; a peer's own RESOURCE_EXHAUSTED is something else.</summary>
    public bool IsOverReceiveLimit { get; init; }

    /// <summary>Whether the call succeeded.</summary>
    public bool IsOK => Code == StatusCode.OK;
}
