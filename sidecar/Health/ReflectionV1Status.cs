namespace Genkit.Sidecar.Health;

/// <summary>How the door stands, for those who ask from outside. One writer, the listener.</summary>
internal sealed class ReflectionV1Status
{
    private volatile Uri? _address;

    /// <summary>Where the tools reach it; null while it does not listen.</summary>
    public Uri? Address => _address;

    public void Listening(Uri address) => _address = address;

    public void Closed() => _address = null;
}
