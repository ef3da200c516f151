using System.Net;
using System.Net.Sockets;
using Genkit.Sidecar.EndToEndTests.Infrastructure;

namespace Genkit.Sidecar.EndToEndTests.Documentation;

/// <summary>Runs commands of the pages as they are written, in a workspace that has what the pages require on the PATH.</summary>
internal sealed class DocumentedShell
{
    private readonly Workspace _workspace;
    private readonly string _programs;

    public DocumentedShell(Workspace workspace)
    {
        _workspace = workspace;
        _programs = Directory.CreateDirectory(Path.Combine(workspace.Folder, "bin")).FullName;
        AddProgram("genkit", $"exec node {Repository.Require("tests/e2e/node_modules/genkit-cli/dist/bin/genkit.js", "tests/e2e/setup cli")} --non-interactive \"$@\"");

        // The CLI hides the stderr of its command. The log of the workspace must have no errors.
        AddProgram("genkit-sidecar", $"exec {Repository.Require(Repository.Sidecar, "tests/e2e/setup sidecar")} \"$@\" 2>>{workspace.SidecarLog.Path}");

        // Debian's packages of gRPC are for Debian's Python.
        AddProgram("python3", "exec /usr/bin/python3 \"$@\"");
    }

    /// <summary>Writes a file into the folder in which the commands run.</summary>
    public Task AddFileAsync(string name, string text) => File.WriteAllTextAsync(Path.Combine(_workspace.Folder, name), text, TestContext.Current.CancellationToken);

    /// <summary>Adds the README's application as app.py.</summary>
    public Task AddApplicationAsync()
    {
        Repository.Require("clients/python/src/genkit_sidecar/__init__.py", "git checkout clients/python");
        return AddFileAsync("app.py", new DocumentedPage("README.md").Blocks("python").First());
    }

    /// <summary>Starts the README's application at a free address.</summary>
    /// <returns>The address, which takes the place of the default in commands.</returns>
    public async Task<string> StartApplicationAsync()
    {
        await AddApplicationAsync();
        var address = FreeAddress();
        var application = Start("python3 app.py", new Dictionary<string, string> { ["GENKIT_SIDECAR_LISTEN"] = address });
        await application.Errors.FirstAsync(line => line.Contains(address, StringComparison.Ordinal), "its address");
        return address;
    }

    public RunningProcess Start(string command, IReadOnlyDictionary<string, string>? environment = null)
    {
        var variables = new Dictionary<string, string>(environment ?? new Dictionary<string, string>())
        {
            ["PATH"] = $"{_programs}:{Environment.GetEnvironmentVariable("PATH")}",
            ["PYTHONPATH"] = Path.Combine(Repository.Root, "clients/python/src"),
        };
        return _workspace.Start(["bash", "-c", command], variables);
    }

    /// <summary>Runs a command, which has to exit with 0, and returns its output.</summary>
    public async Task<string> RunAsync(string command, IReadOnlyDictionary<string, string>? environment = null)
    {
        var process = Start(command, environment);
        Assert.True(await process.ExitAsync() == 0, process.Transcript);
        return string.Join('\n', process.Output.Snapshot());
    }

    /// <summary>Repeats a command until it exits with 0, because the process that it calls may still be starting, and returns its output.</summary>
    public async Task<string> RetryAsync(string command, IReadOnlyDictionary<string, string>? environment = null)
    {
        using var timeout = new CancellationTokenSource(Timeouts.Default);
        using var poll = new PeriodicTimer(TimeSpan.FromMilliseconds(100));
        while (true)
        {
            var process = Start(command, environment);
            if (await process.ExitAsync() == 0)
            {
                return string.Join('\n', process.Output.Snapshot());
            }

            Assert.False(timeout.IsCancellationRequested, process.Transcript);
            await poll.WaitForNextTickAsync(TestContext.Current.CancellationToken);
        }
    }

    /// <summary>Returns an address of loopback that was free a moment ago, for commands that name a fixed port.</summary>
    public static string FreeAddress()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return $"{listener.LocalEndpoint}";
    }

    private void AddProgram(string name, string script)
    {
        var path = Path.Combine(_programs, name);
        File.WriteAllText(path, $"#!/bin/sh\n{script}\n");
        if (!OperatingSystem.IsWindows())
        {
            File.SetUnixFileMode(path, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        }
    }
}
