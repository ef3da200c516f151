using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Genkit.Sidecar.Grpc;

namespace Genkit.Sidecar.Conformance.Subjects;

/// <summary>Where an application is, and by whose word it is known to be that one.</summary>
/// <param name="Target">The address.</param>
/// <param name="AuthoritiesFile">A file in PEM form with the authorities that its certificate may lead to; null for those that the system trusts.</param>
internal sealed record ApplicationAddress(GrpcTarget Target, string? AuthoritiesFile = null)
{
    /// <summary>The certificates of that file; null where there is none.</summary>
    public X509Certificate2Collection? Authorities { get; } = Read(AuthoritiesFile);

    /// <summary>The address as it was given.</summary>
    public override string ToString() => Target.ToString();

    /// <exception cref="CryptographicException">It holds none.</exception>
    /// <exception cref="IOException">It cannot be read.</exception>
    private static X509Certificate2Collection? Read(string? file)
    {
        if (file is null)
        {
            return null;
        }

        var authorities = new X509Certificate2Collection();
        authorities.ImportFromPemFile(file);
        return authorities.Count > 0 ? authorities : throw new CryptographicException("it has no certificate in PEM form");
    }
}
