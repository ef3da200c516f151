using Genkit.Sidecar.Actions;
using Genkit.Sidecar.Application;
using Genkit.Sidecar.Configuration;
using Genkit.Sidecar.Metrics;
using Genkit.Sidecar.Runs;
using Grpc.Core;

namespace Genkit.Sidecar.Doctor;

/// <summary>What the sidecar asks of the application: its actions, a run, a run with a large input.</summary>
/// <param name="steps">Takes the steps.</param>
/// <param name="settings">What <c>run</c> would have, with the doctor's own time limits.</param>
/// <param name="action">What to run; null for a key that no application has.</param>
/// <param name="logs">Where the sidecar's parts log to.</param>
internal sealed class CallSteps(StepSequence steps, ApplicationSettings settings, LimitSettings limits, ActionToRun? action, ILoggerFactory logs)
{
    /// <summary>A key that no application has: its NOT_FOUND proves the way, and nothing is run.</summary>
    private const string UnlistedKey = "/doctor/genkit-sidecar";

    private const int MaxKeysShown = 5;

    // Enough over the limit for what surrounds an input in its message not to matter.
    private const int LargeInputBytes = ReceiveLimit.StockBytes + (64 * 1024);

    private StatusCode _smallRun = StatusCode.NotFound;

    public async Task ExamineAsync(CancellationToken stop)
    {
        // Without a way there is no application to make, and with a certificate that is none it could not be.
        await using var application = steps.Obstacle is null
            ? new ApplicationClient(ApplicationClientOptions.From(settings, limits with { RunTimeout = Limits.Call }, TimeProvider.System), logs.CreateLogger<ApplicationClient>())
            : null;
        using var meter = SidecarMeter.Create();
        var runs = application is null
            ? null
            : new ActiveRuns(application, limits, new RunMetrics(meter), tracer: null, TimeProvider.System, logs.CreateLogger<ActiveRuns>());
        var silence = ApplicationSilence.Remedies(ApplicationSettingTable.AppCallTimeout, settings.CallTimeout);
        await steps.ExamineAsync(
            StepName.ListActions, "asking for the actions", settings.CallTimeout + Limits.Slack, token => ListAsync(application!, token), silence, stop);
        await steps.ExamineAsync(
            StepName.Run, $"running {action?.Key ?? $"{UnlistedKey}, which no application lists"}", Limits.Call + Limits.Slack, token => RunAsync(runs!, token), silence, stop);
        await steps.ExamineAsync(
            StepName.LargeInput,
            $"running {UnlistedKey} with an input of {LargeInputBytes} bytes",
            Limits.Call + Limits.Slack,
            token => RunLargeAsync(runs!, token),
            silence,
            stop);
    }

    private async Task<Finding> ListAsync(ApplicationClient application, CancellationToken cancellationToken)
    {
        var answer = await application.ListActionsAsync(cancellationToken);
        if (answer.Value is not { } listed)
        {
            return Failed(answer.Failure!);
        }

        if (listed.Omissions.Count > 0)
        {
            return Finding.Warning(
                $"{Listed(listed)}; left out, for the manager would refuse them: {string.Join("; ", listed.Omissions)}",
                "Correct them in what the application answers to ListActions, as it says there");
        }

        return listed.Actions.Count == 0
            ? Finding.Warning("it lists no actions, so the Dev UI will show none", "Answer `ListActions` with the application's actions: see proto/README.md")
            : Finding.Ok(Listed(listed));
    }

    private static string Listed(ListedActions listed) =>
        $"{listed.Actions.Count} {(listed.Actions.Count == 1 ? "action" : "actions")}" +
        (listed.Actions.Count == 0 ? "" : $": {string.Join(", ", listed.Actions.Take(MaxKeysShown).Select(row => row.Key))}{(listed.Actions.Count > MaxKeysShown ? ", …" : "")}");

    private async Task<Finding> RunAsync(ActiveRuns runs, CancellationToken cancellationToken)
    {
        var run = new DoctorRun(runs);
        var failure = await run.ExecuteAsync(action?.Key ?? UnlistedKey, action?.Input, cancellationToken);
        _smallRun = failure?.Code ?? StatusCode.OK;
        if (action is not null)
        {
            return failure is null
                ? Finding.Ok($"it succeeded: {run.Chunks} {(run.Chunks == 1 ? "chunk" : "chunks")} and a result of {run.ResultBytes} bytes")
                : Failed(failure, $"`genkit-sidecar call {action.Key} JSON` runs it alone, without a deadline and with all that it says");
        }

        return failure?.Code switch
        {
            StatusCode.NotFound => Finding.Ok("NOT_FOUND, as it should be: the way is open"),
            null => Finding.Warning("it succeeded, though there is no such action", "Let `RunAction` end with NOT_FOUND for a key that the application does not know"),
            StatusCode.Unimplemented or StatusCode.Unavailable or StatusCode.DeadlineExceeded or StatusCode.Unauthenticated or StatusCode.PermissionDenied =>
                Failed(failure),
            _ => Finding.Warning(
                $"{Said(failure)}, where NOT_FOUND was expected; the way is open",
                "Let `RunAction` end with NOT_FOUND for a key that the application does not know: see proto/README.md"),
        };
    }

    private async Task<Finding> RunLargeAsync(ActiveRuns runs, CancellationToken cancellationToken)
    {
        if (limits.MaxMessageBytes < LargeInputBytes)
        {
            return Finding.Skipped($"`--max-message-bytes` is {limits.MaxMessageBytes}: no such input gets as far as the application");
        }

        var input = new byte[LargeInputBytes];
        input.AsSpan().Fill((byte)'x');
        (input[0], input[^1]) = ((byte)'"', (byte)'"');
        var failure = await new DoctorRun(runs).ExecuteAsync(UnlistedKey, input, cancellationToken);
        return failure?.Code switch
        {
            // grpc-java cancels the call instead.
            StatusCode.ResourceExhausted or StatusCode.Cancelled =>
                Finding.Warning($"{Said(failure)}: the application takes no input that large", ReceiveLimit.HowToRaise),
            StatusCode.Unavailable or StatusCode.DeadlineExceeded or StatusCode.Internal when failure.Code != _smallRun => Failed(failure),
            _ => Finding.Ok("the application took it"),
        };
    }

    private Finding Failed(ActionFailure failure, params IReadOnlyList<string> more) => Finding.Failed(
        Said(failure),
        [
            .. failure.Code switch
            {
                StatusCode.Unimplemented =>
                    [$"Register a {ApplicationClient.Service} with the server, as proto/README.md tells", "Or `--app` with the address of the application that has one"],
                StatusCode.Unauthenticated or StatusCode.PermissionDenied =>
                    [$"`--app-header \"authorization: Bearer …\"`, better in the variable {ApplicationSettingTable.AppHeader.EnvironmentVariable}"],
                StatusCode.DeadlineExceeded when more.Count == 0 => ApplicationSilence.Remedies(ApplicationSettingTable.AppCallTimeout, settings.CallTimeout),
                StatusCode.ResourceExhausted => ["`--max-message-bytes SIZE`, should it be the sidecar's limit"],
                _ when more.Count > 0 => [],
                _ => ["Look into the application's log", $"`genkit-sidecar actions --app {settings.Address}` asks it again"],
            },
            .. more,
        ]);

    private static string Said(ActionFailure failure) => $"{GrpcStatusName.Of(failure.Code)}: {failure.Message}";
}

/// <summary>The action that the user wants run, with its input in UTF-8, one JSON value; null for none.</summary>
internal sealed record ActionToRun(string Key, byte[]? Input);

/// <summary>How an application takes messages over gRPC's stock limit of 4 MiB, in the languages that have it.</summary>
internal static class ReceiveLimit
{
    /// <summary>What stock servers take at most.</summary>
    public const int StockBytes = 4 * 1024 * 1024;

    public static readonly IReadOnlyList<string> HowToRaise =
    [
        "Python: `grpc.aio.server(options=[(\"grpc.max_receive_message_length\", 100 << 20)])`, and the same for `grpc.server`",
        "Node: `new grpc.Server({ \"grpc.max_receive_message_length\": 100 << 20 })`",
        "Go: `grpc.NewServer(grpc.MaxRecvMsgSize(100 << 20))`",
        "Java: `ServerBuilder.forPort(port).maxInboundMessageSize(100 << 20)`",
        "C#: `services.AddGrpc(grpc => grpc.MaxReceiveMessageSize = 100 << 20)`",
        "The sidecar's own bound is `--max-message-bytes`, 90MiB unless set",
    ];
}
