using System.Diagnostics;
using System.IO.Compression;
using System.Text.Json;

namespace Genkit.Sidecar.EndToEndTests.Infrastructure;

/// <summary>
/// A temporary project folder and the processes that run in it. A variable in their environment marks these processes, so that
/// disposing finds and kills all of them, even if their parent was killed.
/// </summary>
internal sealed class Workspace : IAsyncDisposable
{
    /// <summary>The variable that marks what belongs to a workspace, with its folder as the value.</summary>
    public const string Marker = "GENKIT_E2E_WORKSPACE";

    private readonly List<RunningProcess> _started = [];

    public Workspace()
    {
        Folder = Directory.CreateTempSubdirectory("genkit-sidecar-e2e-").FullName;
        SidecarLog = new SidecarLog(Path.Combine(Folder, "sidecar.log"));
        File.WriteAllText(Path.Combine(Folder, "package.json"), "{}"); // makes it the project's root
        WriteEmptyDevUi();
        WriteEmptyDocs();
    }

    public string Folder { get; }

    /// <summary>What all sidecars of this workspace, and their applications, write to stderr.</summary>
    public SidecarLog SidecarLog { get; }

    public string Transcript => string.Join(
        '\n', [.. _started.Select(process => process.Transcript), $"--- sidecar's stderr\n{SidecarLog}"]);

    public RunningProcess Start(
        IEnumerable<string> command, IReadOnlyDictionary<string, string>? environment = null)
    {
        var start = new ProcessStartInfo(command.First(), command.Skip(1))
        {
            WorkingDirectory = Folder,
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        string[] ours = ["GENKIT_", "OTEL_"];
        foreach (var name in start.Environment.Keys.Where(name => ours.Any(prefix => name.StartsWith(prefix, StringComparison.Ordinal))).ToList())
        {
            start.Environment.Remove(name);
        }

        start.Environment[Marker] = Folder;

        // The default ports are shared by the whole machine.
        start.Environment["GENKIT_SIDECAR_HEALTH"] = "off";
        start.Environment["GENKIT_SIDECAR_OTLP_GRPC"] = "127.0.0.1:0";
        start.Environment["GENKIT_SIDECAR_OTLP_HTTP"] = "127.0.0.1:0";

        // Tests wait for events by their names, which only this format has.
        start.Environment["GENKIT_SIDECAR_LOG_FORMAT"] = "json";
        start.Environment["HOME"] = Folder;
        start.Environment["XDG_CONFIG_HOME"] = Folder;
        start.Environment["NO_COLOR"] = "1";
        start.Environment["GENKIT_CLI_DISABLE_UPDATE_NOTIFICATIONS"] = "true";
        foreach (var (name, value) in environment ?? new Dictionary<string, string>())
        {
            start.Environment[name] = value;
        }

        var process = RunningProcess.Start(start);
        _started.Add(process);
        return process;
    }

    /// <summary>Waits until a sidecar has written its runtime file. Polls the folder.</summary>
    public async Task<JsonElement> RuntimeAsync(string id = "")
    {
        using var timeout = new CancellationTokenSource(Timeouts.Default);
        using var poll = new PeriodicTimer(TimeSpan.FromMilliseconds(100));
        var folder = Directory.CreateDirectory(Path.Combine(Folder, ".genkit/runtimes"));
        while (true)
        {
            if (folder.EnumerateFiles($"{id}*.json").FirstOrDefault() is { } file)
            {
                return JsonSerializer.Deserialize<JsonElement>(await File.ReadAllTextAsync(file.FullName, timeout.Token));
            }

            await poll.WaitForNextTickAsync(timeout.Token);
        }
    }

    /// <summary>Returns the ids of the running processes that were started here, and of their descendants.</summary>
    public IReadOnlyList<int> ProcessIds() =>
        [.. Directory.EnumerateDirectories("/proc").Select(Path.GetFileName).Select(Id).Where(IsMarked)];

    public async ValueTask DisposeAsync()
    {
        // Loops, because a process may start another one while it is being killed.
        while (ProcessIds() is { Count: > 0 } ids)
        {
            foreach (var id in ids)
            {
                Signal.Kill.Send(id);
            }

            await Task.WhenAll(_started.Select(process => process.ExitAsync()));
        }

        foreach (var process in _started)
        {
            await process.DisposeAsync();
        }

        Directory.Delete(Folder, recursive: true);
    }

    private static int Id(string? name) => int.TryParse(name, out var id) ? id : 0;

    private bool IsMarked(int id)
    {
        try
        {
            return File.ReadAllText($"/proc/{id}/environ").Split('\0').Contains($"{Marker}={Folder}");
        }
        catch (Exception gone) when (gone is IOException or UnauthorizedAccessException)
        {
            return false;
        }
    }

    // `genkit start` downloads the Dev UI unless the home folder has an archive of it.
    private void WriteEmptyDevUi()
    {
        var assets = Path.Combine(Folder, ".genkit/assets", GenkitCli.Version);
        Directory.CreateDirectory(assets);
        using var archive = ZipFile.Open(Path.Combine(assets, $"{GenkitCli.Version}.zip"), ZipArchiveMode.Create);
        archive.CreateEntry("ui/browser/index.html");
    }

    // `genkit mcp` downloads the documentation in the same way.
    private void WriteEmptyDocs()
    {
        var docs = Directory.CreateDirectory(Path.Combine(Folder, ".genkit/docs", GenkitCli.Version));
        File.WriteAllText(Path.Combine(docs.FullName, "bundle.json"), "{}");
    }
}
