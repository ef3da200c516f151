namespace Genkit.Sidecar.Configuration;

/// <summary>
/// One metadata entry that goes with every call to the application. The value is likely a credential: nothing here prints it.
/// A name that ends in <c>-bin</c> carries its bytes in base64, which is how they travel.
/// </summary>
internal sealed record AppHeader(string Name, string Value)
{
    // Set by the sidecar or by HTTP/2 for every call: a second value would be a contradiction, not an addition.
    private static readonly HashSet<string> s_reserved =
    [
        "connection", "content-length", "content-type", "host", "keep-alive", "proxy-connection", "te", "traceparent", "tracestate",
        "transfer-encoding", "upgrade", "user-agent",
    ];

    public static Parsed<IReadOnlyList<AppHeader>> ParseAll(IReadOnlyList<string> texts)
    {
        var headers = new List<AppHeader>(texts.Count);
        var problems = new List<string>();
        for (var i = 0; i < texts.Count; i++)
        {
            var parsed = Parse(texts[i]);
            if (parsed.Value is { } header)
            {
                headers.Add(header);
            }
            else
            {
                problems.Add(texts.Count == 1 ? parsed.Problem! : $"number {i + 1}: {parsed.Problem}");
            }
        }

        return problems.Count == 0
            ? Parsed<IReadOnlyList<AppHeader>>.Good(headers)
            : Parsed<IReadOnlyList<AppHeader>>.Bad(string.Join("; ", problems));
    }

    public static Parsed<AppHeader> Parse(string text)
    {
        var colon = text.IndexOf(':');
        if (colon < 0)
        {
            return Parsed<AppHeader>.Bad("has no colon between name and value");
        }

        var name = text[..colon].Trim().ToLowerInvariant();
        var value = text[(colon + 1)..].Trim();

        // A text with its colon in the wrong place has the secret in its "name", so only a legal name is repeated.
        if (name.Length == 0 || !name.All(c => char.IsAsciiLetterLower(c) || char.IsAsciiDigit(c) || c is '-' or '_' or '.'))
        {
            return Parsed<AppHeader>.Bad("the name is empty or has a character that gRPC metadata does not allow");
        }

        if (name.StartsWith("grpc-", StringComparison.Ordinal) || s_reserved.Contains(name))
        {
            return Parsed<AppHeader>.Bad($"the name {name} is reserved");
        }

        if (name.EndsWith("-bin", StringComparison.Ordinal))
        {
            var padded = value.PadRight((value.Length + 3) / 4 * 4, '=');
            return Convert.TryFromBase64String(padded, new byte[padded.Length], out _)
                ? Parsed<AppHeader>.Good(new(name, value))
                : Parsed<AppHeader>.Bad($"the value of {name} is not base64");
        }

        return value.All(c => c is >= ' ' and <= '~')
            ? Parsed<AppHeader>.Good(new(name, value))
            : Parsed<AppHeader>.Bad($"the value of {name} has a character that is not printable ASCII");
    }

    public override string ToString() => $"{Name}: ***";
}
