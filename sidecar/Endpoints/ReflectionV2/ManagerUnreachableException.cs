namespace Genkit.Sidecar.Endpoints.ReflectionV2;

/// <summary>There is no WebSocket at the manager's address. The message says why, without the address.</summary>
internal sealed class ManagerUnreachableException(string reason, Exception? cause) : Exception(reason, cause)
{
    /// <summary>What was answered instead of a WebSocket; null if it was no HTTP, or nothing.</summary>
    public int? HttpStatus { get; init; }
}
