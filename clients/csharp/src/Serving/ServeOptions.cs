using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Server.Kestrel.Core;

namespace Genkit.Sidecar.Client;

/// <summary>Options of the server that <see cref="Application.ServeAsync"/> and <see cref="Application.StartAsync"/> start.</summary>
public sealed record ServeOptions
{
    /// <summary>Time that active runs may continue after a signal. Defaults to 2 s.</summary>
    public TimeSpan Grace { get; init; } = TimeSpan.FromSeconds(2);

    /// <summary>Configures the Kestrel endpoint, such as <c>endpoint => endpoint.UseHttps("server.pfx")</c>.</summary>
    public Action<ListenOptions>? Endpoint { get; init; }

    /// <summary>Configures the host: services, logging, OpenTelemetry and Kestrel limits. By default, warnings and errors are logged to stderr.</summary>
    public Action<WebApplicationBuilder>? Configure { get; init; }
}
