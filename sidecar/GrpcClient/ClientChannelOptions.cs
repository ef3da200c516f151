using System.Security.Cryptography.X509Certificates;

namespace Genkit.Sidecar.GrpcClient;

/// <summary>What a channel dials, and its limits.</summary>
internal sealed class ClientChannelOptions
{
    /// <summary>The address of the peer.</summary>
    public required GrpcTarget Target { get; init; }

    /// <summary>Replaces the <c>:authority</c> of each call, and its host the name that the peer's certificate must carry. Null: the target's.</summary>
    public string? Authority { get; init; }

    /// <summary>Metadata sent with each call: lower-case names, and values as they travel, so base64 where the name ends in <c>-bin</c>.</summary>
    public IReadOnlyList<KeyValuePair<string, string>> Metadata { get; init; } = [];

    /// <summary>The only authorities that the peer's certificate may lead to; null or empty: those that the system trusts.</summary>
    public X509Certificate2Collection? CertificateAuthorities { get; init; }

    /// <summary>The certificate, with its private key, that this side shows when the peer asks for one.</summary>
    public X509Certificate2? ClientCertificate { get; init; }

    /// <summary>The largest response message accepted, in bytes, after decompression too. It bounds a response's headers and trailers as well.</summary>
    public int MaxReceiveMessageBytes { get; init; } = 4 * 1024 * 1024;

    /// <summary>How long one attempt to connect may take, TLS handshake included.</summary>
    public TimeSpan ConnectTimeout { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>
    /// Time without a byte from the peer, while a call waits, after which the connection is closed. Zero never closes it, which suits an application
    /// that stops at a breakpoint.
    /// </summary>
    public TimeSpan KeepAliveTimeout { get; init; } = TimeSpan.FromSeconds(15);

    /// <summary>
    /// Paths of methods whose request is a stream. Such a request cannot be sent a second time, because its first messages are gone by then.
    /// </summary>
    public IReadOnlyCollection<string> StreamedMethods { get; init; } = [];

    /// <summary>Precedes grpc-dotnet's own text in the <c>user-agent</c> of each call.</summary>
    public string UserAgent { get; init; } = "genkit-sidecar";

    /// <summary>The clock of connect timeouts and of <see cref="KeepAliveTimeout"/>.</summary>
    public TimeProvider TimeProvider { get; init; } = TimeProvider.System;
}
