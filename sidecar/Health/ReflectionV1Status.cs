namespace Genkit.Sidecar.Health;

/// <summary>State of the Reflection API v1 endpoint, for health checks. Written by its listener only.</summary>
internal sealed class ReflectionV1Status
{
    private volatile Uri? _address;

    /// <summary>Where the tools reach it; null while it does not listen.</summary>
    public Uri? Address => _address;

    public void Listening(Uri address) => _address = address;

    public void Closed() => _address = null;
}
