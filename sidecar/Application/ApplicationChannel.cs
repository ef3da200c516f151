using System.Security.Cryptography.X509Certificates;
using Genkit.Sidecar.Configuration;
using Genkit.Sidecar.Grpc;

namespace Genkit.Sidecar.Application;

/// <summary>Turns settings into what the wire layer dials with.</summary>
internal static class ApplicationChannel
{
    public static GrpcApplicationOptions Options(SidecarSettings settings, TimeProvider time)
    {
        var metadata = new GrpcMetadata();
        foreach (var header in settings.AppHeaders)
        {
            Add(metadata, header);
        }

        var channel = new GrpcChannelOptions
        {
            Target = GrpcTarget.Parse(settings.App.Text),
            Authority = settings.AppAuthority,
            Metadata = metadata,
            CertificateAuthorities = Authorities(settings.AppCaFile),
            ClientCertificate = settings.AppCertificateFile is { } certificate
                ? X509Certificate2.CreateFromPemFile(certificate, settings.AppKeyFile)
                : null,
            MaxReceiveMessageBytes = checked((int)settings.MaxFrameBytes),
            ConnectTimeout = settings.AppConnectTimeout,
            UserAgent = $"genkit-sidecar/{SidecarVersion.Number}",
            TimeProvider = time,
        };
        return new GrpcApplicationOptions(channel, settings.AppCallTimeout, settings.RunTimeout, settings.MaxMessageBytes, SidecarVersion.Number);
    }

    private static void Add(GrpcMetadata metadata, AppHeader header)
    {
        if (header.Name.EndsWith("-bin", StringComparison.Ordinal))
        {
            var padded = header.Value.PadRight((header.Value.Length + 3) / 4 * 4, '=');
            metadata.Add(header.Name, Convert.FromBase64String(padded));
        }
        else
        {
            metadata.Add(header.Name, header.Value);
        }
    }

    private static X509Certificate2Collection? Authorities(string? file)
    {
        if (file is null)
        {
            return null;
        }

        var authorities = new X509Certificate2Collection();
        authorities.ImportFromPemFile(file);
        return authorities;
    }
}
