using System.Text;

namespace Genkit.Sidecar.Conformance.Running;

/// <summary>The last lines that a process has printed. Safe for use by several threads.</summary>
internal sealed class OutputTail
{
    private const int MaxLines = 20;

    // What never ends its line must not fill the memory.
    private const int MaxLetters = 4096;

    private readonly StringBuilder _text = new();

    public void Add(ReadOnlySpan<char> text)
    {
        lock (_text)
        {
            _text.Append(text.Length > MaxLetters ? text[^MaxLetters..] : text);
            if (_text.Length > MaxLetters)
            {
                _text.Remove(0, _text.Length - MaxLetters);
            }
        }
    }

    public override string ToString()
    {
        lock (_text)
        {
            var lines = _text.ToString().Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
            return lines.Length == 0 ? "It printed nothing." : $"It printed:\n{string.Join('\n', lines.TakeLast(MaxLines).Select(line => $"  {line}"))}";
        }
    }
}
