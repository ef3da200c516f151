namespace Genkit.Sidecar.Configuration;

/// <summary>Addresses in messages: a user name, a password and a query are left out, for they may be secrets.</summary>
internal static class WebAddress
{
    /// <summary>One that has been parsed, and so has no user name.</summary>
    public static string Shown(Uri address) => address.GetLeftPart(UriPartial.Path);

    /// <summary>The given text of an address, in quotes.</summary>
    public static string Shown(string text)
    {
        var start = text.IndexOf("//", StringComparison.Ordinal) is var slashes and >= 0 ? slashes + 2 : 0;
        var query = text.AsSpan(start).IndexOfAny('?', '#');
        var shown = query < 0 ? text : text[..(start + query)];
        var at = shown.LastIndexOf('@');
        return QuotedText.Text(at < start ? shown : string.Concat(shown.AsSpan(0, start), shown.AsSpan(at + 1)));
    }
}
