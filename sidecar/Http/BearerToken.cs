using System.Security.Cryptography;
using System.Text;

namespace Genkit.Sidecar.Http;

/// <summary>A secret that callers show as <c>Authorization: Bearer TOKEN</c>.</summary>
internal sealed class BearerToken(string token)
{
    private const string Scheme = "Bearer ";

    private readonly byte[] _hash = Hash(token);

    /// <summary>Whether a request shows the token, in a time that tells nothing about it.</summary>
    public bool IsShownBy(HttpRequest request)
    {
        var authorization = request.Headers.Authorization.ToString();

        // Of hashes, so that not even the token's length shows in the time that this takes.
        return authorization.StartsWith(Scheme, StringComparison.OrdinalIgnoreCase)
            && CryptographicOperations.FixedTimeEquals(Hash(authorization[Scheme.Length..].Trim()), _hash);
    }

    private static byte[] Hash(string text) => SHA256.HashData(Encoding.UTF8.GetBytes(text));
}
