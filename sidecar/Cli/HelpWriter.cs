using System.Text;

namespace Genkit.Sidecar.Cli;

/// <summary>Text for a terminal of 80 columns.</summary>
internal sealed class HelpWriter
{
    private const int Width = 80;

    private readonly StringBuilder _text = new();

    public HelpWriter Line(string line = "")
    {
        _text.Append(line).Append('\n');
        return this;
    }

    /// <summary>Appends a paragraph, wrapped and indented.</summary>
    public HelpWriter Paragraph(int indent, string paragraph) => Wrap(0, indent, paragraph);

    /// <summary>Appends a term and what it means, which begins at <paramref name="column"/>: on the same line if the term leaves room.</summary>
    public HelpWriter Definition(string term, int column, string meaning)
    {
        _text.Append("  ").Append(term);
        var end = term.Length + 2;
        if (end > column - 2)
        {
            _text.Append('\n');
            end = 0;
        }

        return Wrap(end, column, meaning);
    }

    public override string ToString() => _text.ToString();

    /// <param name="end">Where the last line ends.</param>
    /// <param name="indent">Where lines begin.</param>
    /// <param name="paragraph">Words between single spaces.</param>
    private HelpWriter Wrap(int end, int indent, string paragraph)
    {
        var column = end;
        var isFirst = true;
        foreach (var word in paragraph.Split(' '))
        {
            if (!isFirst && column + 1 + word.Length > Width)
            {
                _text.Append('\n');
                column = 0;
                isFirst = true;
            }

            var gap = isFirst ? indent - column : 1;
            _text.Append(' ', gap).Append(word);
            column += gap + word.Length;
            isFirst = false;
        }

        return Line();
    }
}
