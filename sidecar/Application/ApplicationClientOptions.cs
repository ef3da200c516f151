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
    public static ApplicationClientOptions From(ApplicationSettings settings, LimitSettings limits, TimeProvider time)
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
        return new ApplicationClientOptions(channel, settings.CallTimeout, limits.RunTimeout, limits.MaxMessageBytes, SidecarVersion.Number);
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

