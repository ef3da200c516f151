using System.Text;
using Genkit.Sidecar.Configuration;
using Genkit.Sidecar.Doctor;
using Genkit.Sidecar.Json;
using Genkit.Sidecar.Supervision;

namespace Genkit.Sidecar.Cli;

/// <summary><c>doctor</c>: what is wrong between the manager and the application, step by step, and what mends it.</summary>
internal sealed class DoctorVerb(Terminal terminal, IReadOnlyDictionary<string, string> environment, SidecarExecutable executable, ILoggerFactory logs)
{
    public async Task<int> RunAsync(PartialSettings reading, DoctorArguments arguments, Task hurry, CancellationToken stop)
    {
        var input = arguments.Json is null ? null : Encoding.UTF8.GetBytes(arguments.Json);
        if (input is not null && JsonPayload.FindDefect(input, out _) is { } defect)
        {
            await terminal.Error.WriteLineAsync($"genkit-sidecar: the input is not one JSON value: {defect}. A string needs quotes: '\"text\"'");
            return ExitCode.Usage;
        }

        if (arguments.Command.Count > 0)
        {
            StandardStreams.SendOutputToError();
        }

        var examination = new Examination(
            reading,
            Surroundings.Of(environment, File.Exists),
            arguments.Key is null ? null : new(arguments.Key, input),
            arguments.Command,
            executable,
            logs,
            hurry);
        var steps = new List<Step>();
        if (arguments.IsJson)
        {
            await examination.ExamineAsync(steps.Add, stop);
            await terminal.Out.WriteAsync(JsonReport.Of(SidecarVersion.Number, examination.RuntimeId, steps));
        }
        else
        {
            await terminal.Out.WriteAsync(TextReport.Heading(SidecarVersion.Number, examination.RuntimeId, runsAnAction: arguments.Key is not null));
            await examination.ExamineAsync(
                step =>
                {
                    steps.Add(step);
                    terminal.Out.Write(TextReport.Of(step));
                },
                stop);
            await terminal.Out.WriteAsync(TextReport.Summary(steps));
        }

        return steps.Any(step => step.Finding.Status == StepStatus.Failed) ? ExitCode.Failure : ExitCode.Success;
    }
}

/// <summary>What <c>doctor</c> was given.</summary>
/// <param name="IsJson">Whether the report is one JSON document.</param>
/// <param name="Key">The action to run; null for none.</param>
/// <param name="Json">Its input; null for none.</param>
/// <param name="Command">The command to start; empty for an application that runs by itself.</param>
internal sealed record DoctorArguments(bool IsJson, string? Key, string? Json, IReadOnlyList<string> Command);
