namespace Genkit.Sidecar.Tests;

/// <summary>A directory for one test, which is deleted with it.</summary>
internal sealed class TemporaryDirectory : IDisposable
{
    private readonly DirectoryInfo _directory = Directory.CreateTempSubdirectory("genkit-sidecar-");

    public string File(string name) => Path.Combine(_directory.FullName, name);

    public string File(string name, string content)
    {
        System.IO.File.WriteAllText(File(name), content);
        return File(name);
    }

    public void Dispose() => _directory.Delete(recursive: true);
}
