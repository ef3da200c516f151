using System.Diagnostics;
using Genkit.Sidecar.EndToEndTests.Infrastructure;

namespace Genkit.Sidecar.EndToEndTests.Containers;

/// <summary>A container engine that has the images which `tests/e2e/setup containers` builds; see tests/containers/engine.</summary>
public sealed class ContainerEngine : IAsyncLifetime
{
    private const string Announcement = "DOCKER_HOST=";
    private readonly Dictionary<string, string> _environment = new()
    {
        ["GENKIT_UI_PORT"] = "0", // any that is free
    };

    private RunningProcess? _engine;

    public async ValueTask InitializeAsync()
    {
        // The engine exits when its standard input closes, and therefore with the test process.
        _engine = Start([Script("engine"), "sh", "-c", $"echo \"{Announcement}$DOCKER_HOST\"; read -r _"]);
        var line = await _engine.Output.FirstAsync(
            line => line.StartsWith(Announcement, StringComparison.Ordinal), "the address of the engine");
        if (line.Length > Announcement.Length)
        {
            _environment["DOCKER_HOST"] = line[Announcement.Length..];
        }
    }

    public async ValueTask DisposeAsync()
    {
        if (_engine is not null)
        {
            await _engine.WriteLineAsync("");
            await _engine.ExitAsync();
            await _engine.DisposeAsync();
        }
    }

    /// <summary>Runs `docker arguments` to its end and returns what it printed.</summary>
    internal Task<string> DockerAsync(params IEnumerable<string> arguments) => RunAsync(["docker", .. arguments]);

    /// <summary>Runs `docker compose arguments` to its end and returns what it printed.</summary>
    internal Task<string> ComposeAsync(params IEnumerable<string> arguments) => RunAsync([Script("compose"), .. arguments]);

    /// <summary>Runs `docker compose arguments` to its end and returns its exit code.</summary>
    internal Task<(int ExitCode, string Output, string Errors)> TryComposeAsync(IEnumerable<string> arguments) =>
        TryAsync([Script("compose"), .. arguments]);

    /// <summary>Runs a command to its end and returns its exit code.</summary>
    internal async Task<(int ExitCode, string Output, string Errors)> TryAsync(IEnumerable<string> command)
    {
        await using var process = Start(command);
        return (await process.ExitAsync(), $"{process.Output}", $"{process.Errors}");
    }

    /// <summary>Starts a command that prints while it runs; the caller disposes of it once it has ended.</summary>
    internal RunningProcess Start(IEnumerable<string> command)
    {
        var start = new ProcessStartInfo(command.First(), command.Skip(1))
        {
            WorkingDirectory = Repository.Root,
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        foreach (var (name, value) in _environment)
        {
            start.Environment[name] = value;
        }

        return RunningProcess.Start(start);
    }

    private static string Script(string name) => Path.Combine(Repository.Root, "tests/containers", name);

    private async Task<string> RunAsync(IReadOnlyList<string> command)
    {
        var (exitCode, output, errors) = await TryAsync(command);
        Assert.True(exitCode == 0, $"`{string.Join(' ', command)}` ended with {exitCode}:\n{errors}\n{output}");
        return output;
    }
}
