using System.IO.Pipelines;
using Genkit.Sidecar.Actions;
using Genkit.Sidecar.Configuration;
using Genkit.Sidecar.Runs;
using Grpc.Core;

namespace Genkit.Sidecar.Endpoints.FlowServer;

/// <summary>A request as a run: its body in, its result or events out. The run ends with the request, at the latest.</summary>
internal sealed partial class FlowHandler(FlowServerSettings settings, bool showsInternal, ActiveRuns runs, TimeProvider time, ILogger logger)
{
    public const string TraceIdHeader = "x-genkit-trace-id";
    public const string SpanIdHeader = "x-genkit-span-id";

    /// <summary>Events are handed to the socket when no more are at hand, or when these are many.</summary>
    private const int UnflushedBytes = 16 * 1024;

    /// <summary>For the last answer, after the deadline. A client that does not read must not keep a place among the requests under way.</summary>
    private static readonly TimeSpan s_farewell = TimeSpan.FromSeconds(5);

    private readonly FlowContext _context = new(settings.Context);

    /// <summary>Whether a request is for a stream, as Genkit's own flow servers tell.</summary>
    public static bool WantsEvents(HttpRequest request) =>
        request.Headers.Accept.ToString().Contains("text/event-stream", StringComparison.OrdinalIgnoreCase) || request.Query["stream"] == "true";

    /// <summary>Answers a request.</summary>
    /// <exception cref="OperationCanceledException">The client is gone.</exception>
    /// <exception cref="IOException">The client is gone.</exception>
    public async Task HandleAsync(HttpContext context, string key, string requestId)
    {
        using var deadline = Deadline(TimeSpan.Zero);
        using var end = Deadline(s_farewell);
        await using var dropping = end.Token.Register(context.Abort);
        var (body, refusal) = await FlowBody.ReadAsync(context.Request, settings.MaxBodyBytes, deadline.Token);
        if (refusal is not null)
        {
            await FlowResponse.WriteRefusalAsync(context, refusal);
            return;
        }

        await RunAsync(context, key, requestId, body!, deadline.Token);
    }

    private CancellationTokenSource Deadline(TimeSpan later) =>
        settings.Timeout > TimeSpan.Zero ? new CancellationTokenSource(settings.Timeout + later, time) : new CancellationTokenSource();

    private async Task RunAsync(HttpContext context, string key, string requestId, FlowBody body, CancellationToken deadline)
    {
        var wantsEvents = WantsEvents(context.Request);
        var run = runs.Start(new RunRequest(key)
        {
            Input = body.Data,
            Init = body.Init,
            Context = _context.Read(context.Request.Headers),
            TelemetryLabels = new Dictionary<string, string> { [FlowEndpoints.RequestIdHeader] = requestId },
            Stream = wantsEvents,
            Owner = body,
        });
        using var events = new OutboxReader(run.Outbox);
        try
        {
            await using var late = deadline.Register(() => run.TryFail(new ActionFailure(
                StatusCode.DeadlineExceeded, $"{key} has taken longer than {settings.Timeout.TotalSeconds:0.###} s")));
            context.Response.Headers[TraceIdHeader] = run.Trace.TraceId;
            context.Response.Headers[SpanIdHeader] = run.Trace.SpanId;
            if (wantsEvents)
            {
                await SendEventsAsync(context, run, events, requestId);
            }
            else
            {
                await SendAnswerAsync(context, run, events, requestId);
            }
        }
        finally
        {
            // Has no effect after the last event. Before it, the client has gone.
            run.Abandon();
        }
    }

    private async Task SendAnswerAsync(HttpContext context, ActionRun run, OutboxReader events, string requestId)
    {
        while (true)
        {
            while (events.TryRead(out var runEvent))
            {
                try
                {
                    if (runEvent.Kind == RunEventKind.Result)
                    {
                        await FlowResponse.WriteResultAsync(context, runEvent.Payload, context.RequestAborted);
                        return;
                    }

                    if (runEvent.Kind == RunEventKind.Failure)
                    {
                        await FlowResponse.WriteFailureAsync(context, Shown(runEvent.Failure!, run, requestId), showsInternal, context.RequestAborted);
                        return;
                    }
                }
                finally
                {
                    runEvent.Release();
                }
            }

            await events.WaitAsync(context.RequestAborted);
        }
    }

    private async Task SendEventsAsync(HttpContext context, ActionRun run, OutboxReader events, string requestId)
    {
        FlowResponse.StartEvents(context);
        var output = context.Response.BodyWriter;
        while (true)
        {
            var unflushed = 0L;
            while (events.TryRead(out var runEvent))
            {
                try
                {
                    await SendEventAsync(output, run, runEvent, requestId, context.RequestAborted);
                }
                finally
                {
                    runEvent.Release();
                }

                unflushed += runEvent.Length;
                if (runEvent.EndsRun || unflushed > UnflushedBytes)
                {
                    await output.FlushAsync(context.RequestAborted);
                    unflushed = 0;
                }

                if (runEvent.EndsRun)
                {
                    return;
                }
            }

            // The first time, with the run's start: the headers.
            await output.FlushAsync(context.RequestAborted);
            await events.WaitAsync(context.RequestAborted);
        }
    }

    private async ValueTask SendEventAsync(PipeWriter output, ActionRun run, RunEvent runEvent, string requestId, CancellationToken aborted)
    {
        if (runEvent.Kind != RunEventKind.Started)
        {
            var shown = runEvent.Failure is { } failure ? Shown(failure, run, requestId) : null;
            await FlowResponse.WriteEventAsync(output, runEvent, shown, showsInternal, aborted);
        }
    }

    private ActionFailure Shown(ActionFailure failure, ActionRun run, string requestId)
    {
        if (failure.IsForOperator)
        {
            Log.Failed(logger, requestId, QuotedText.Text(run.Key), run.TraceId, failure.Message);
        }

        return showsInternal ? failure : FlowError.ForStrangers(failure);
    }

    private static partial class Log
    {
        [LoggerMessage(LogLevel.Warning, "Request {RequestId}: {Key} (run {TraceId}) failed: {Message}", EventName = "FlowRunFailed")]
        public static partial void Failed(ILogger logger, string requestId, string key, string traceId, string message);
    }
}
