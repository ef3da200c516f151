using System.Text;

namespace Genkit.Sidecar;

/// <summary>A value as it may stand in a message: one line, not endless, no control characters for the terminal.</summary>
internal static class QuotedText
{
    private const int LongestText = 120;

    public static string Text(string text)
    {
        var quotedText = new StringBuilder("\"");
        foreach (var c in text.Length > LongestText ? string.Concat(text.AsSpan(0, LongestText), "…") : text)
        {
            quotedText.Append(char.IsControl(c) ? '?' : c);
        }

        return quotedText.Append('"').ToString();
    }
}
