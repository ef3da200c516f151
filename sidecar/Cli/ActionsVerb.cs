using Genkit.Sidecar.Configuration;

namespace Genkit.Sidecar.Cli;

/// <summary><c>actions</c>: what the application offers, as the manager would see it.</summary>
internal sealed class ActionsVerb(Terminal terminal)
{
    public async Task<int> RunAsync(SidecarSettings settings, CancellationToken stop)
    {
        stop.ThrowIfCancellationRequested();
        await terminal.Error.WriteLineAsync($"genkit-sidecar: actions of {settings.App} cannot be listed yet");
        return ExitCode.Failure;
    }
}
