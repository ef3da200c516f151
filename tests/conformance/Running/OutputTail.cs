namespace Genkit.Sidecar.Conformance.Running;

/// <summary>The last lines that a process has printed. Safe for use by several threads.</summary>
internal sealed class OutputTail
{
    private const int MaxLines = 20;

    private readonly Queue<string> _lines = new();

    public void Add(string? line)
    {
        if (line is null)
        {
            return;
        }

        lock (_lines)
        {
            _lines.Enqueue(line);
            if (_lines.Count > MaxLines)
            {
                _lines.Dequeue();
            }
        }
    }

    public override string ToString()
    {
        lock (_lines)
        {
            return _lines.Count == 0 ? "It printed nothing." : $"It printed:\n{string.Join('\n', _lines.Select(line => $"  {line}"))}";
        }
    }
}
