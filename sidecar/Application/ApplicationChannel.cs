using System.Security.Cryptography.X509Certificates;
using Genkit.Sidecar.Configuration;
using Genkit.Sidecar.GrpcClient;

namespace Genkit.Sidecar.Application;

/// <summary>Turns settings into the options of the channel to the application.</summary>
internal static class ApplicationChannel
{
    public static ApplicationClientOptions Options(SidecarSettings settings, TimeProvider time)
    {
        var channel = new ClientChannelOptions
        {
            Target = GrpcTarget.Parse(settings.App.Text),
            Authority = settings.AppAuthority,
            Metadata = [.. settings.AppHeaders.Select(header => new KeyValuePair<string, string>(header.Name, header.Value.Trim(' ')))],
            CertificateAuthorities = Authorities(settings.AppCaFile),
            ClientCertificate = settings.AppCertificateFile is { } certificate
                ? X509Certificate2.CreateFromPemFile(certificate, settings.AppKeyFile)
                : null,
            MaxReceiveMessageBytes = checked((int)settings.MaxFrameBytes),
            ConnectTimeout = settings.AppConnectTimeout,
            KeepAliveTimeout = settings.AppKeepAliveTimeout,
            StreamedMethods = [RunMethods.RunBidiAction.FullName],
            UserAgent = $"genkit-sidecar/{SidecarVersion.Number}",
            TimeProvider = time,
        };
        return new ApplicationClientOptions(channel, settings.AppCallTimeout, settings.RunTimeout, settings.MaxMessageBytes, SidecarVersion.Number);
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
