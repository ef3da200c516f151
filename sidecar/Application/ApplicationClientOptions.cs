using System.Security.Cryptography.X509Certificates;
using Genkit.Sidecar.Configuration;
using Genkit.Sidecar.GrpcClient;

namespace Genkit.Sidecar.Application;

/// <summary>How the client calls the application.</summary>
/// <param name="Channel">What is dialled, and how.</param>
/// <param name="CallTimeout">Deadline of every method but those that run an action.</param>
/// <param name="RunTimeout">Deadline of a run; zero for none.</param>
/// <param name="MaxMessageBytes">Largest message either way.</param>
/// <param name="Version">Version of the sidecar, which the application is told.</param>
internal sealed record ApplicationClientOptions(
    ClientChannelOptions Channel,
    TimeSpan CallTimeout,
    TimeSpan RunTimeout,
    long MaxMessageBytes,
    string Version)
{
    /// <summary>Reads the files that the settings name.</summary>
    public static ApplicationClientOptions From(SidecarSettings settings, TimeProvider time)
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
        return new(channel, settings.AppCallTimeout, settings.RunTimeout, settings.MaxMessageBytes, SidecarVersion.Number);
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

