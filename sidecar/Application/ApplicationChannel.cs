using System.Security.Cryptography.X509Certificates;
using Genkit.Sidecar.Configuration;
using Genkit.Sidecar.GrpcClient;

namespace Genkit.Sidecar.Application;

/// <summary>Turns settings into the options of the channel to the application.</summary>
internal static class ApplicationChannel
{
    public static GrpcApplicationOptions Options(ApplicationSettings settings, LimitSettings limits, TimeProvider time)
    {
        var channel = new ClientChannelOptions
        {
            Target = GrpcTarget.Parse(settings.Address.Text),
            Authority = settings.Authority,
            Metadata = [.. settings.Headers.Select(header => new KeyValuePair<string, string>(header.Name, header.Value.Trim(' ')))],
            CertificateAuthorities = Authorities(settings.CaFile),
            ClientCertificate = settings.CertificateFile is { } certificate
                ? X509Certificate2.CreateFromPemFile(certificate, settings.KeyFile)
                : null,
            MaxReceiveMessageBytes = checked((int)limits.MaxFrameBytes),
            ConnectTimeout = settings.ConnectTimeout,
            KeepAliveTimeout = settings.KeepAliveTimeout,
            StreamedMethods = [RunMethods.RunBidiAction.FullName],
            UserAgent = $"genkit-sidecar/{SidecarVersion.Number}",
            TimeProvider = time,
        };
        return new GrpcApplicationOptions(channel, settings.CallTimeout, limits.RunTimeout, limits.MaxMessageBytes, SidecarVersion.Number);
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
