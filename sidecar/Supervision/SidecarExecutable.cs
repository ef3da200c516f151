namespace Genkit.Sidecar.Supervision;

/// <summary>How this program is started once more: by its own file, or by <c>dotnet</c> with the file of its code.</summary>
internal sealed record SidecarExecutable(string FileName, IReadOnlyList<string> Arguments)
{
    public static SidecarExecutable Current()
    {
        var path = Environment.ProcessPath ?? throw new InvalidOperationException("The system does not say which program this is.");
        return Path.GetFileNameWithoutExtension(path) == "dotnet"
            ? new(path, [Path.Combine(AppContext.BaseDirectory, "genkit-sidecar.dll")])
            : new(path, []);
    }
}
