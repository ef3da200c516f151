using Genkit.Sidecar.Configuration;

namespace Genkit.Sidecar.Cli;

/// <summary><c>call</c>: one run of one action, without a manager.</summary>
internal sealed class CallVerb(Terminal terminal)
{
    private const string StandardInput = "-";

    public async Task<int> RunAsync(SidecarSettings settings, CallArguments arguments, CancellationToken stop)
    {
        _ = await InputAsync(arguments, stop);
        await terminal.Error.WriteLineAsync($"genkit-sidecar: {arguments.Key} of {settings.App} cannot be called yet");
        return ExitCode.Failure;
    }

    private async Task<string?> InputAsync(CallArguments arguments, CancellationToken stop) =>
        arguments.Json == StandardInput ? await terminal.In.ReadToEndAsync(stop) : arguments.Json;
}
