using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Server.Kestrel.Core;

namespace Genkit.Sidecar.Client;

/// <summary>How an application is served on a server of its own.</summary>
public sealed record ServeOptions
{
    /// <summary>How long active runs may go on after a signal. Default 2 s.</summary>
    public TimeSpan Grace { get; init; } = TimeSpan.FromSeconds(2);

    /// <summary>Changes where it listens, such as <c>endpoint => endpoint.UseHttps("server.pfx")</c>.</summary>
    public Action<ListenOptions>? Endpoint { get; init; }

    /// <summary>Changes all else: services, logging, OpenTelemetry, Kestrel's limits. Warnings and errors go to stderr unless it says otherwise.</summary>
    public Action<WebApplicationBuilder>? Configure { get; init; }
}
