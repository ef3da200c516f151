namespace Genkit.Sidecar.Conformance.Reports;

/// <summary>A file that a flag asks for, opened before anything runs, so that nothing runs in vain.</summary>
internal sealed class ReportFile : IDisposable
{
    private readonly string _name;
    private readonly FileStream? _file;
    private readonly MemoryStream _content = new();

    /// <param name="flag">The flag, for people.</param>
    /// <param name="path">The file; null where none is wanted.</param>
    /// <exception cref="UsageException">It cannot be written.</exception>
    public ReportFile(string flag, string? path)
    {
        _name = $"{flag} {path}";
        try
        {
            _file = path is null ? null : File.Create(path, bufferSize: 0);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or ArgumentException)
        {
            throw new UsageException($"{_name}: {e.Message}");
        }
    }

    /// <summary>What will be in it.</summary>
    public Stream Content => _content;

    /// <exception cref="UsageException">It cannot be written.</exception>
    public void Save()
    {
        try
        {
            _content.WriteTo(_file ?? Stream.Null);
        }
        catch (IOException e)
        {
            throw new UsageException($"{_name}: {e.Message}");
        }
    }

    public void Dispose()
    {
        _file?.Dispose();
        _content.Dispose();
    }
}
