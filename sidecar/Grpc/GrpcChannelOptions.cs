using System.Security.Cryptography.X509Certificates;

namespace Genkit.Sidecar.Grpc;

/// <summary>What a channel dials, and its limits.</summary>
public sealed class GrpcChannelOptions
{
    /// <summary>The address of the peer.</summary>
    public required GrpcTarget Target { get; init; }

    /// <summary>Replaces the <c>:authority</c> of each call, and its host the name that the peer's certificate must carry. Null: the target's.</summary>
    public string? Authority { get; init; }

    /// <summary>Metadata sent with each call.</summary>
    public GrpcMetadata? Metadata { get; init; }

    /// <summary>The only authorities that the peer's certificate may lead to; null or empty: those that the system trusts.</summary>
    public X509Certificate2Collection? CertificateAuthorities { get; init; }

    /// <summary>The certificate, with its private key, that this side shows when the peer asks for one.</summary>
    public X509Certificate2? ClientCertificate { get; init; }

    /// <summary>The largest response message taken, in bytes, after decompression too. Default 4 MiB, as in other implementations.</summary>
    public int MaxReceiveMessageBytes { get; init; } = 4 * 1024 * 1024;

    /// <summary>The largest request message sent, in bytes, before compression. Default: no limit.</summary>
    public int MaxSendMessageBytes { get; init; } = int.MaxValue;

    /// <summary>How long one attempt to connect may take, TLS handshake included. Default 5 s.</summary>
    public TimeSpan ConnectTimeout { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>The HTTP/2 window that each call starts with, in bytes (65,535 to 16 MiB): what the peer may send before this side reads. It grows on links that need more. Default 256 KiB.</summary>
    public int InitialStreamWindowBytes { get; init; } = 256 * 1024;

    /// <summary>The <c>user-agent</c> of each call.</summary>
    public string UserAgent { get; init; } = DefaultUserAgent;

    /// <summary>The clock of deadlines and connect timeouts.</summary>
    public TimeProvider TimeProvider { get; init; } = TimeProvider.System;

    // Its form is the specification's: "grpc-" language, "-" variant, "/" version.
    private static string DefaultUserAgent { get; } =
        $"grpc-csharp-genkit/{typeof(GrpcChannelOptions).Assembly.GetName().Version?.ToString(3) ?? "0"}";
}
