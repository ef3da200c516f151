using System.Buffers;
using System.Text;
using Genkit.Sidecar.Actions;
using Genkit.Sidecar.Application;
using Genkit.Sidecar.Configuration;
using Genkit.Sidecar.Json;
using Genkit.Sidecar.Metrics;
using Genkit.Sidecar.Runs;
using Genkit.Sidecar.Supervision;

namespace Genkit.Sidecar.Cli;

/// <summary><c>call</c>: one run of one action, without a manager. Chunks and the result go to stdout, a line each.</summary>
internal sealed class CallVerb(Terminal terminal, ILoggerFactory logs)
{
    private const string StandardInput = "-";

    public async Task<int> RunAsync(ApplicationSettings settings, LimitSettings limits, CallArguments arguments, CancellationToken stop)
    {
        var json = arguments.Json == StandardInput ? await terminal.In.ReadToEndAsync(stop) : arguments.Json;
        var input = json is null ? null : Encoding.UTF8.GetBytes(json);
        if (input is not null && JsonPayload.FindDefect(input, out _) is { } defect)
        {
            await terminal.Error.WriteLineAsync($"genkit-sidecar: the input is not one JSON value: {defect}. A string needs quotes: '\"text\"'");
            return ExitCode.Usage;
        }

        await using var application = new ApplicationClient(
            ApplicationClientOptions.From(settings, limits, TimeProvider.System),
            logs.CreateLogger<ApplicationClient>());
        using var meter = SidecarMeter.Create();
        var runs = new ActiveRuns(application, limits, new RunMetrics(meter), tracer: null, TimeProvider.System, logs.CreateLogger<ActiveRuns>());
        var run = runs.Start(new RunRequest(arguments.Key)
        {
            Input = input is null ? null : new ReadOnlySequence<byte>(input),
            Stream = arguments.IsStreaming,
        });

        await using var cancelling = stop.Register(() => runs.TryCancel(run.TraceId, beforeItEnds: () => { }));
        var exitCode = await PrintAsync(run);
        await runs.StopAsync();
        return exitCode;
    }

    private async Task<int> PrintAsync(ActionRun run)
    {
        using var readable = new SemaphoreSlim(0);
        run.Outbox.Attach(() => readable.Release());
        while (true)
        {
            await readable.WaitAsync(CancellationToken.None);
            while (run.Outbox.TryRead(out var runEvent))
            {
                switch (runEvent.Kind)
                {
                    case RunEventKind.Chunk or RunEventKind.Result when runEvent.Payload is { } payload:
                        await terminal.Out.WriteLineAsync(Encoding.UTF8.GetString(payload));
                        await terminal.Out.FlushAsync(CancellationToken.None);
                        break;
                    case RunEventKind.Failure:
                        await FailureText.WriteAsync(terminal.Error, runEvent.Failure!);
                        break;
                }

                runEvent.Release();
                if (runEvent.EndsRun)
                {
                    return runEvent.Kind == RunEventKind.Result ? ExitCode.Success : ExitCode.Failure;
                }
            }
        }
    }
}

/// <summary>What <c>call</c> was given. <paramref name="Json"/> is null when there was none, and <c>-</c> stands for standard input.</summary>
internal sealed record CallArguments(string Key, string? Json, bool IsStreaming);
