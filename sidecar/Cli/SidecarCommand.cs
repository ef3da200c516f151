using Genkit.Sidecar.Configuration;
using Genkit.Sidecar.Supervision;

namespace Genkit.Sidecar.Cli;

/// <summary>From the words of the command line to the exit code.</summary>
internal sealed class SidecarCommand(Terminal terminal, IReadOnlyDictionary<string, string> environment, ServeDelegate serve)
{
    /// <summary>Time that a verb has after a second signal, which is enough to kill a command that it has started.</summary>
    private static readonly TimeSpan s_lastMoment = TimeSpan.FromMilliseconds(250);

    public async Task<int> RunAsync(IReadOnlyList<string> words)
    {
        var line = CommandLine.Parse(words);
        try
        {
            return await RunAsync(line);
        }
        catch (Exception exception) when (line.Verb != Verb.Run && exception is IOException or UnauthorizedAccessException)
        {
            // The second is what .NET makes of a stream that was closed before the start.
            await ComplainOfOutputAsync(exception.GetBaseException().Message);
            return ExitCode.Failure;
        }
    }

    private async Task<int> RunAsync(CommandLine line)
    {
        if (line.WantsHelp || line is { Verb: Verb.Help, Problems.Count: 0 })
        {
            await terminal.Out.WriteAsync(HelpOn(line));
            return ExitCode.Success;
        }

        if (line is { Verb: null, Problems.Count: 0 })
        {
            await terminal.Error.WriteAsync(HelpText.Overview());
            return ExitCode.Usage;
        }

        if (line is { Verb: Verb.Version, Problems.Count: 0 })
        {
            await terminal.Out.WriteLineAsync($"genkit-sidecar {SidecarVersion.Number}");
            return ExitCode.Success;
        }

        if (line is { Verb: Verb.Doctor, Problems.Count: 0 })
        {
            return await RunDoctorAsync(line);
        }

        var reading = SettingsReader.Read(line.Flags, environment, needsEndpoint: line.Verb == Verb.Run && line.Command.Count == 0);
        string[] problems = [.. line.Problems, .. reading.Problems];
        if (problems.Length > 0 || !reading.IsGood)
        {
            await ComplainAsync(problems);
            return ExitCode.Usage;
        }

        return await RunVerbAsync(line, reading.Settings);
    }

    private static string HelpOn(CommandLine line) => line switch
    {
        { Verb: Verb.Help, Arguments: [HelpText.SettingsTopic, ..] } => HelpText.Settings(),
        { Verb: Verb.Help, Arguments: [var topic, ..] } when VerbTable.Find(topic) is { } verb => HelpText.Of(verb),
        { Verb: { } verb and not Verb.Help } => HelpText.Of(verb),
        _ => HelpText.Overview(),
    };

    private async Task<int> RunVerbAsync(CommandLine line, SidecarSettings settings)
    {
        if (line.Verb == Verb.Health)
        {
            return await UntilStoppedAsync(stop => new HealthVerb(terminal).RunAsync(settings.Health, line.Arguments.ElementAtOrDefault(0), stop));
        }

        using var logs = LogOutput.Create(settings.Logging, terminal.HasColor);
        if (line.Verb == Verb.Run)
        {
            var run = new RunVerb(serve, SidecarExecutable.Current(), logs, terminal.HasColor);
            return await run.RunAsync(settings, line.Command, CancellationToken.None);
        }

        return await UntilStoppedAsync(stop => line.Verb == Verb.Actions
            ? new ActionsVerb(terminal, logs).RunAsync(settings.Application, settings.Limits, stop)
            : new CallVerb(terminal, logs).RunAsync(settings.Application, settings.Limits, new(line.Arguments[0], line.Arguments.ElementAtOrDefault(1), line.IsStreaming), stop));
    }

    private async Task<int> RunDoctorAsync(CommandLine line)
    {
        // Wrong settings are its first finding. What the sidecar's parts would log of a peer, the report says.
        var reading = SettingsReader.ReadGood(line.Flags, environment);
        var level = reading.Settings.Logging.Level;
        using var logs = LogOutput.Create(reading.Settings.Logging with { Level = level is LogLevel.Trace or LogLevel.Debug ? level : LogLevel.Error }, terminal.HasColor);
        var doctor = new DoctorVerb(terminal, environment, SidecarExecutable.Current(), logs);
        return await UntilStoppedAsync((stop, hurry) => doctor.RunAsync(reading, new(line.IsJson, line.RunKey, line.Arguments.ElementAtOrDefault(0), line.Command), hurry, stop));
    }

    private static Task<int> UntilStoppedAsync(Func<CancellationToken, Task<int>> verb) => UntilStoppedAsync((stop, _) => verb(stop));

    /// <param name="verb">Receives a token of the first signal and one of the second.</param>
    private static async Task<int> UntilStoppedAsync(Func<CancellationToken, Task, Task<int>> verb)
    {
        using var signals = new StopSignals();
        using var stop = new CancellationTokenSource();
        var running = verb(stop.Token, signals.Second);
        if (await Task.WhenAny(running, signals.First) == running)
        {
            return await running;
        }

        // A verb that cancels its call reports that and exits by itself. A second signal ends it at once.
        await stop.CancelAsync();
        await Task.WhenAny(running, signals.Second);
        await Task.WhenAny(running, Task.Delay(s_lastMoment, TimeProvider.System, CancellationToken.None));
        return ExitCode.Signal + await signals.First;
    }

    private async Task ComplainOfOutputAsync(string reason)
    {
        try
        {
            await terminal.Error.WriteLineAsync($"genkit-sidecar: the output cannot be written: {reason}");
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            // Then only the exit code is left to say it.
        }
    }

    private async Task ComplainAsync(IReadOnlyList<string> problems)
    {
        await terminal.Error.WriteLineAsync("genkit-sidecar: cannot start:");
        foreach (var problem in problems)
        {
            await terminal.Error.WriteLineAsync($"  {problem}");
        }

        await terminal.Error.WriteLineAsync("See genkit-sidecar --help.");
    }
}
