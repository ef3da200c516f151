namespace Genkit.Sidecar.Supervision;

/// <summary>Output of the application on our terminal: each line begins with a dim prefix, which tells it from log lines.</summary>
internal sealed class PrefixedLines(Stream destination)
{
    /// <summary>Columns that the prefix takes.</summary>
    public const int PrefixWidth = 6;

    // Ends with normal intensity alone, for a colour of the application's may go on to its next line.
    private static readonly byte[] s_prefix = "\e[2mapp |\e[22m "u8.ToArray();

    private bool _isInLine;
    private bool _hasReturn;
    private bool _isBroken;

    public void Write(ReadOnlySpan<byte> output)
    {
        using var shown = new MemoryStream(output.Length + s_prefix.Length);
        foreach (var character in output)
        {
            // The terminal that the application writes to has put a carriage return before each line feed, and ours puts its own.
            if (_hasReturn && character != '\n')
            {
                shown.WriteByte((byte)'\r');
            }

            if (!_isInLine)
            {
                shown.Write(s_prefix);
            }

            _isInLine = character != '\n';
            _hasReturn = character == '\r';
            if (!_hasReturn)
            {
                shown.WriteByte(character);
            }
        }

        Send(shown);
    }

    /// <summary>Ends a line that the application has left unfinished.</summary>
    public void End()
    {
        if (_isInLine)
        {
            Write("\n"u8);
        }
    }

    private void Send(MemoryStream shown)
    {
        if (_isBroken)
        {
            return;
        }

        try
        {
            shown.WriteTo(destination);
            destination.Flush();
        }
        catch (IOException)
        {
            // The terminal is gone. The application still has to be read, or it would wait for that.
            _isBroken = true;
        }
    }
}
