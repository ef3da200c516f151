namespace Genkit.Sidecar.Conformance.Reports;

/// <summary>The file of a report. Opened before any case runs, so that an invalid path fails early.</summary>
internal sealed class ReportFile : IDisposable
{
    private readonly string _name;
    private readonly FileStream? _file;
    private readonly MemoryStream _content = new();

    /// <param name="flag">The flag, for error messages.</param>
    /// <param name="path">The file, or null for no report.</param>
    /// <exception cref="UsageException">The file cannot be written.</exception>
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

    /// <summary>The content to write.</summary>
    public Stream Content => _content;

    /// <exception cref="UsageException">The file cannot be written.</exception>
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
