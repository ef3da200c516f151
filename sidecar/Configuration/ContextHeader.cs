namespace Genkit.Sidecar.Configuration;

/// <summary>Which request header becomes which member of a run's context: <c>auth.uid=X-User-Id</c>.</summary>
/// <param name="Path">The names of the member, from the outside in.</param>
/// <param name="Header">The header's name.</param>
internal sealed record ContextHeader(IReadOnlyList<string> Path, string Header)
{
    /// <summary>Whether a header can be called so: <see href="https://www.rfc-editor.org/rfc/rfc9110#name-tokens"/>.</summary>
    public static bool IsName(string text) => text.Length > 0 && text.All(c => char.IsAsciiLetterOrDigit(c) || "!#$%&'*+-.^_`|~".Contains(c, StringComparison.Ordinal));

    public static Parsed<IReadOnlyList<ContextHeader>> ParseAll(IReadOnlyList<string> texts)
    {
        var headers = new List<ContextHeader>(texts.Count);
        foreach (var text in texts)
        {
            var parsed = Parse(text);
            if (parsed.Value is not { } header)
            {
                return Parsed<IReadOnlyList<ContextHeader>>.Bad(parsed.Problem!);
            }

            if (headers.Any(other => other.Path.Zip(header.Path).All(names => names.First == names.Second)))
            {
                return Parsed<IReadOnlyList<ContextHeader>>.Bad($"{QuotedText.Text(text)} is for a member that has a value already, or is inside one that has");
            }

            headers.Add(header);
        }

        return Parsed<IReadOnlyList<ContextHeader>>.Good(headers);
    }

    private static Parsed<ContextHeader> Parse(string text)
    {
        var equals = text.IndexOf('=');
        if (equals < 0)
        {
            return Parsed<ContextHeader>.Bad($"{QuotedText.Text(text)} has no = between member and header");
        }

        var (path, header) = (text[..equals].Trim().Split('.'), text[(equals + 1)..].Trim());
        if (path.Any(name => name.Length == 0 || name.Any(char.IsControl)))
        {
            return Parsed<ContextHeader>.Bad($"{QuotedText.Text(text)} has a member without a name");
        }

        return IsName(header)
            ? Parsed<ContextHeader>.Good(new(path, header))
            : Parsed<ContextHeader>.Bad($"{QuotedText.Text(text)} does not name a header");
    }
}
