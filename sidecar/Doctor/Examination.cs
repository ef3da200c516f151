using System.Security.Cryptography;
using Genkit.Sidecar.Configuration;
using Genkit.Sidecar.Supervision;

namespace Genkit.Sidecar.Doctor;

/// <summary>
/// Walks the path that <c>run</c> would take, with its settings, on both sides: a side is examined whatever became of the other.
/// </summary>
/// <param name="reading">The settings, good and wrong.</param>
/// <param name="surroundings">Where this process runs.</param>
/// <param name="action">An action to run, or null: then none is.</param>
/// <param name="command">The command to start first; empty for an application that runs by itself.</param>
/// <param name="executable">Starts the command.</param>
/// <param name="logs">Where the sidecar's parts log to.</param>
/// <param name="hurry">Ends on a second signal: the command is then killed.</param>
internal sealed class Examination(
    PartialSettings reading,
    Surroundings surroundings,
    ActionToRun? action,
    IReadOnlyList<string> command,
    SidecarExecutable executable,
    ILoggerFactory logs,
    Task hurry)
{
    private readonly TimeBudget _budget = new(Limits.Total);

    /// <summary>The id that the doctor registers with, never the runtime's own: the manager would replace that.</summary>
    public string RuntimeId { get; } = $"doctor-{RandomNumberGenerator.GetHexString(8, lowercase: true)}";

    /// <param name="examined">Called for each step, in order, as soon as it has been examined.</param>
    /// <param name="stop">Ends the examination.</param>
    /// <exception cref="OperationCanceledException"><paramref name="stop"/> was cancelled.</exception>
    public async Task ExamineAsync(Action<Step> examined, CancellationToken stop)
    {
        var settings = new SettingsStep(reading, surroundings);
        await new StepSequence(examined, _budget, TimeProvider.System)
            .ExamineAsync(StepName.Settings, "reading flags, environment and file", Limits.Connect, settings.ExamineAsync, SettingsStep.Silence, stop);

        var managerSide = new StepSequence(examined, _budget, TimeProvider.System);
        if (settings.Manager is null)
        {
            managerSide.Block(EnabledEndpoints.Of(reading.Settings) is { ReflectionV2: false, ReflectionV1: true } ? "Reflection API v1 alone is open: no manager is called" : "no address of the manager is known");
        }

        await new ManagerSteps(managerSide, reading.Settings, settings.Manager, surroundings, RuntimeId).ExamineAsync(stop);

        if (EnabledEndpoints.Of(reading.Settings).ReflectionV1)
        {
            await new StepSequence(examined, _budget, TimeProvider.System).ExamineAsync(
                StepName.ReflectionV1,
                "whether Reflection API v1 can be served, and found",
                Limits.Connect,
                _ => Task.FromResult(new ReflectionV1Step(reading.Settings.ReflectionV1, reading.Settings.Runtime).Examine()),
                [$"`{RuntimeSettingTable.ProjectRoot.Flag}` with a folder on a disk that answers"],
                stop);
        }

        var applicationSide = new StepSequence(examined, _budget, TimeProvider.System);
        if (reading.Wrong.Contains(ApplicationSettingTable.App))
        {
            applicationSide.Block($"{ApplicationSettingTable.App.Flag} is wrong");
        }

        await ExamineApplicationAsync(applicationSide, examined, stop);
    }

    private async Task ExamineApplicationAsync(StepSequence steps, Action<Step> examined, CancellationToken stop)
    {
        var settings = reading.Settings.Application;
        settings = settings with
        {
            ConnectTimeout = Limits.Least(settings.ConnectTimeout, Limits.Connect),
            CallTimeout = Limits.Least(settings.CallTimeout, Limits.Call),
        };
        await using var starting = new CommandStep(command, executable, logs, hurry);
        if (command.Count > 0)
        {
            var address = ListenAddress.Choose(settings, logs.CreateLogger<Examination>());
            settings = settings with { Address = address.Value ?? settings.Address };
            await StartAsync(starting, address, settings, steps, examined, stop);
        }

        await new ConnectionSteps(steps, settings, reading.Settings.Limits, reading.Wrong, surroundings, logs.CreateLogger<ConnectionSteps>()).ExamineAsync(stop);
        await new CallSteps(steps, settings, reading.Settings.Limits, action, logs).ExamineAsync(stop);
    }

    private async Task StartAsync(
        CommandStep starting, Parsed<ApplicationAddress> address, ApplicationSettings settings, StepSequence steps, Action<Step> examined, CancellationToken stop)
    {
        // It has a setting of its own, and takes nothing from the time of the other steps.
        var limit = Limits.Most(settings.StartTimeout, Limits.Start);
        var start = new StepSequence(examined, new TimeBudget(limit), TimeProvider.System);
        if (steps.Obstacle is { } obstacle)
        {
            start.Block(obstacle);
        }

        await start.ExamineAsync(
            StepName.ApplicationStart,
            $"starting {QuotedText.Text(command[0])}",
            limit,
            token => starting.StartAsync(address, reading.Settings.Process, token),
            CommandStep.Silence(settings.Address),
            stop);
        if (start.Obstacle is { } failure)
        {
            steps.Block(failure);
        }
    }
}
