using Genkit.Sidecar.Application;
using Genkit.Sidecar.Configuration;
using Genkit.Sidecar.Supervision;

namespace Genkit.Sidecar.Cli;

/// <summary><c>actions</c>: what the application offers, as the manager would see it.</summary>
internal sealed class ActionsVerb(Terminal terminal, ILoggerFactory logs)
{
    public async Task<int> RunAsync(ApplicationSettings settings, LimitSettings limits, CancellationToken stop)
    {
        await using var application = new ApplicationClient(
            ApplicationClientOptions.From(settings, limits, TimeProvider.System),
            logs.CreateLogger<ApplicationClient>());
        var answer = await application.ListActionsAsync(stop);
        if (answer.Value is not { } listed)
        {
            await FailureText.WriteAsync(terminal.Error, answer.Failure!);
            return ExitCode.Failure;
        }

        foreach (var (key, description) in listed.Actions)
        {
            await terminal.Out.WriteLineAsync(description is null ? key : $"{key}\t{description.ReplaceLineEndings(" ")}");
        }

        return ExitCode.Success;
    }
}
