using Genkit.Sidecar.Configuration;
using Genkit.Sidecar.Endpoints.Health;
using Genkit.Sidecar.Health;
using Genkit.Sidecar.Supervision;

namespace Genkit.Sidecar.Cli;

/// <summary><c>health</c>: how a sidecar that runs already is, for probes that can only execute something.</summary>
internal sealed class HealthVerb(Terminal terminal)
{
    public static readonly IReadOnlyCollection<string> Names = ["live", "ready", "startup"];

    public async Task<int> RunAsync(HealthSettings settings, string? name, CancellationToken stop)
    {
        var probe = name switch
        {
            "live" => Probe.Live,
            "startup" => Probe.Startup,
            _ => Probe.Ready,
        };
        var answer = await HealthClient.AskAsync(settings.Address, settings.AddressSource, probe, stop);
        await terminal.Out.WriteLineAsync(answer.Text);
        return answer.IsGood ? ExitCode.Success : ExitCode.Failure;
    }
}
