namespace Genkit.Sidecar.Configuration;

/// <summary>A look at a PEM file before anything depends on it. Its content is never repeated.</summary>
internal static class PemFile
{
    public static Parsed<string?> Certificate(string path) => Check(path, text =>
        text.Contains("-----BEGIN CERTIFICATE-----", StringComparison.Ordinal) ? null : "holds no certificate in PEM form");

    public static Parsed<string?> PrivateKey(string path) => Check(path, text =>
        text.Contains("-----BEGIN ENCRYPTED PRIVATE KEY-----", StringComparison.Ordinal) ? "holds a key that needs a password"
        : text.Contains(" PRIVATE KEY-----", StringComparison.Ordinal) ? null
        : "holds no private key in PEM form");

    private static Parsed<string?> Check(string path, Func<string, string?> complaint)
    {
        try
        {
            return complaint(File.ReadAllText(path)) is { } problem
                ? Parsed<string?>.Bad($"{QuotedText.Text(path)} {problem}")
                : Parsed<string?>.Good(path);
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            return Parsed<string?>.Bad($"{QuotedText.Text(path)} does not exist");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return Parsed<string?>.Bad($"{QuotedText.Text(path)} cannot be read");
        }
    }
}
