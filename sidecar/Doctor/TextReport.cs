using System.Globalization;
using System.Text;

namespace Genkit.Sidecar.Doctor;

/// <summary>An examination for a person at a terminal: lines of at most 96 columns, no colour, and what is to be typed unbroken.</summary>
internal static class TextReport
{
    private const int Width = 96;
    private const string Indent = "         ";

    public static string Heading(string version, string runtimeId, bool runsAnAction)
    {
        var text = new StringBuilder($"genkit-sidecar {version} doctor\n");
        AppendWrapped(
            text,
            "",
            "",
            $"It registers for a moment, as {runtimeId}, so that it replaces no running runtime{(runsAnAction ? "." : ", and runs none of your actions.")}");
        return text.Append('\n').ToString();
    }

    public static string Of(Step step)
    {
        var text = new StringBuilder();
        var status = StepStatusName.Of(step.Finding.Status).PadRight(Indent.Length);
        if (step.Finding.Status == StepStatus.Skipped)
        {
            AppendWrapped(text, status, Indent, $"{step.Name}: {step.Finding.Found}");
            return text.ToString();
        }

        AppendWrapped(text, status, Indent, string.Create(CultureInfo.InvariantCulture, $"{step.Name}: {step.Tried} ({step.Took.TotalMilliseconds:0} ms)"));
        AppendWrapped(text, Indent + "  ", Indent + "  ", step.Finding.Found);
        foreach (var remedy in step.Finding.Remedies)
        {
            AppendWrapped(text, Indent + "  > ", Indent + "    ", remedy);
        }

        return text.ToString();
    }

    public static string Summary(IReadOnlyList<Step> steps)
    {
        var counts = Enum.GetValues<StepStatus>()
            .Select(status => (status, count: steps.Count(step => step.Finding.Status == status)))
            .Where(row => row.count > 0)
            .Select(row => $"{row.count} {StepStatusName.Of(row.status)}");
        return $"\n{string.Join(", ", counts)}\n";
    }

    private static void AppendWrapped(StringBuilder text, string first, string rest, string paragraph)
    {
        text.Append(first);
        var column = first.Length;
        var isStart = true;
        foreach (var word in Words(paragraph))
        {
            if (!isStart && column + 1 + word.Length > Width)
            {
                text.Append('\n').Append(rest);
                column = rest.Length;
                isStart = true;
            }

            text.Append(isStart ? "" : " ").Append(word);
            column += word.Length + (isStart ? 0 : 1);
            isStart = false;
        }

        text.Append('\n');
    }

    /// <summary>Words, among them what stands between backticks as one, for who copies half a command types half a command.</summary>
    private static IEnumerable<string> Words(string paragraph)
    {
        var word = new StringBuilder();
        var isQuoted = false;
        foreach (var c in paragraph)
        {
            isQuoted ^= c == '`';
            if (c == ' ' && !isQuoted)
            {
                yield return word.ToString();
                word.Clear();
            }
            else
            {
                // What a peer says must not reach into the terminal.
                word.Append(char.IsControl(c) ? (char.IsWhiteSpace(c) ? ' ' : '?') : c);
            }
        }

        yield return word.ToString();
    }
}
