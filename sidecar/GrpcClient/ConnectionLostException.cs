namespace Genkit.Sidecar.GrpcClient;

/// <summary>A connection was closed because its peer sent nothing while a call waited.</summary>
/// <param name="message">What was found, and the setting that changes it.</param>
/// <param name="at">When, as a timestamp of the channel's clock.</param>
internal sealed class ConnectionLostException(string message, long at) : IOException(message)
{
    public long At { get; } = at;
}
