using Genkit.Sidecar.Configuration;

namespace Genkit.Sidecar.Endpoints.ReflectionV2;

/// <param name="MaxMessageBytes">Largest message that is kept; a larger one is read, refused and forgotten.</param>
/// <param name="ConnectTimeout">Time for TCP, TLS and the upgrade together.</param>
/// <param name="KeepAliveInterval">Time without a word from the manager after which it is pinged.</param>
/// <param name="KeepAliveTimeout">Time for it to answer a ping.</param>
internal sealed record ManagerSocketOptions(
    long MaxMessageBytes,
    TimeSpan ConnectTimeout,
    TimeSpan KeepAliveInterval,
    TimeSpan KeepAliveTimeout)
{
    public static ManagerSocketOptions From(ManagerSettings settings, LimitSettings limits) =>
        new(limits.MaxFrameBytes, settings.RegisterTimeout, settings.KeepAliveInterval, settings.KeepAliveTimeout);
}
