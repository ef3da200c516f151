using System.Security.Cryptography;
using System.Text;

namespace Genkit.Sidecar.Configuration;

/// <summary>A secret that callers show as <c>Authorization: Bearer TOKEN</c>. Nothing here prints it.</summary>
internal sealed class BearerToken
{
    private const string Scheme = "Bearer ";

    private readonly byte[] _hash;

    private BearerToken(string text) => (Text, _hash) = (text, Hash(text));

    /// <summary>The secret itself.</summary>
    public string Text { get; }

    public static Parsed<BearerToken?> Parse(string text) => text.All(character => character is > ' ' and <= '~')
        ? Parsed<BearerToken?>.Good(new(text))
        : Parsed<BearerToken?>.Bad("has a character that a token cannot have");

    /// <summary>Whether a header's value shows this token.</summary>
    public bool IsIn(string authorization) =>
        authorization.StartsWith(Scheme, StringComparison.OrdinalIgnoreCase)
        && CryptographicOperations.FixedTimeEquals(Hash(authorization[Scheme.Length..].Trim()), _hash);

    public override string ToString() => "***";

    // Hashes are compared, so that not even the token's length shows in the time that it takes.
    private static byte[] Hash(string text) => SHA256.HashData(Encoding.UTF8.GetBytes(text));
}
