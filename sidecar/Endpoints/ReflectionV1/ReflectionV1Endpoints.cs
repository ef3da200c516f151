using System.Buffers;
using System.Net;
using Genkit.Sidecar.Actions;
using Genkit.Sidecar.Application;
using Genkit.Sidecar.Configuration;
using Genkit.Sidecar.JsonRpc;
using Genkit.Sidecar.Runs;
using Genkit.Sidecar.Telemetry;
using Grpc.Core;

namespace Genkit.Sidecar.Endpoints.ReflectionV1;

/// <summary>The methods of Reflection API v1, answered as the JS runtime answers them.</summary>
internal sealed partial class ReflectionV1Endpoints(
    RuntimeSettings runtimeSettings,
    LimitSettings limits,
    Callers callers,
    ApplicationClient application,
    ActiveRuns runs,
    TelemetryServer telemetry,
    Quit quit,
    TimeProvider time,
    ILogger<ReflectionV1Endpoints> logger)
{
    private static readonly string[] s_reads = [HttpMethods.Get, HttpMethods.Head];
    private static readonly byte[] s_cancelled = """{"message":"Action cancelled"}"""u8.ToArray();
    private static readonly byte[] s_notCancelled = """{"message":"Action not found or already completed"}"""u8.ToArray();
    private static readonly byte[] s_noTraceId = """{"error":"traceId is required"}"""u8.ToArray();

    /// <summary>Keys of the newest listing. An action that is not in it may have come since, and is asked for.</summary>
    private volatile HashSet<string> _listed = [];

    /// <summary>Adds the middleware and maps the methods.</summary>
    public void Map(IApplicationBuilder application)
    {
        application.Use(AnswerAlwaysAsync);
        application.Use(AdmitAsync);
        application.UseRouting();
        application.UseEndpoints(endpoints =>
        {
            endpoints.MapMethods("/api/__health", s_reads, HealthAsync);
            endpoints.MapMethods("/api/__quitquitquit", s_reads, QuitAsync);
            endpoints.MapMethods("/api/actions", s_reads, ListActionsAsync);
            endpoints.MapMethods("/api/values", s_reads, ListValuesAsync);
            endpoints.MapMethods("/api/envs", s_reads, context => ShortResponse.TextsAsync(context, Runtime().Environments));
            endpoints.MapPost("/api/notify", context => WithBodyAsync(context, NotifyAsync));
            endpoints.MapPost("/api/cancelAction", context => WithBodyAsync(context, CancelActionAsync));
            endpoints.MapPost("/api/runAction", RunActionAsync);

            // Wrong methods too, as in the JS runtime.
            endpoints.MapFallback("{**path}", context => ShortResponse.TextAsync(
                context, StatusCodes.Status404NotFound, $"Cannot {context.Request.Method} {context.Request.Path.Value}"));
        });
    }

    private RuntimeDescription Runtime() => RuntimeDescription.Of(runtimeSettings, application.Info);

    /// <summary>Adds the headers that all answers have. Never throws: the server would log a caller's mistake as an error of the sidecar's.</summary>
    private async Task AnswerAlwaysAsync(HttpContext context, RequestDelegate next)
    {
        context.Response.Headers["x-genkit-version"] = HeaderText(Runtime().GenkitVersion);
        context.Response.Headers.XContentTypeOptions = "nosniff";
        try
        {
            await next(context);
        }
        catch (BadHttpRequestException exception) when (!context.Response.HasStarted)
        {
            // A body that breaks off or comes too slowly.
            context.Response.Headers.Connection = "close";
            await ShortResponse.TextAsync(context, exception.StatusCode, exception.Message);
        }
        catch (Exception exception) when (exception is OperationCanceledException or IOException)
        {
            // The client has gone.
        }
        catch (Exception exception)
        {
            Log.Faulted(logger, exception, QuotedText.Text(context.Request.Path.Value ?? ""));
            if (context.Response.HasStarted)
            {
                context.Abort();
            }
            else
            {
                await ShortResponse.RunFailureAsync(context, new ActionFailure(StatusCode.Internal, $"The sidecar failed: {exception.GetType().Name}. Its log has the details"));
            }
        }
    }

    private Task AdmitAsync(HttpContext context, RequestDelegate next)
    {
        if (callers.WhyRefused(context) is not { } reason)
        {
            return next(context);
        }

        Log.Refused(logger, context.Connection.RemoteIpAddress, reason);
        return ShortResponse.TextAsync(context, StatusCodes.Status403Forbidden, reason);
    }

    /// <summary>The application may call its version what it likes, a header may not.</summary>
    private static string HeaderText(string text) => string.Concat(text.Select(character => character is >= ' ' and <= '~' ? character : '?'));

    /// <summary>Does not ask the application, for the tools delete the runtime file of one that is unwell, and it may only be away for a moment.</summary>
    private Task HealthAsync(HttpContext context)
    {
        var id = context.Request.Query["id"].ToString();
        return id.Length == 0 || id == Runtime().Id
            ? ShortResponse.TextAsync(context, StatusCodes.Status200OK, "OK")
            : ShortResponse.TextAsync(context, StatusCodes.Status503ServiceUnavailable, "Invalid runtime ID");
    }

    private async Task QuitAsync(HttpContext context)
    {
        Log.Quitting(logger);
        await ShortResponse.TextAsync(context, StatusCodes.Status200OK, "OK");
        await context.Response.CompleteAsync();
        quit();
    }

    private async Task ListActionsAsync(HttpContext context)
    {
        var answer = await application.ListActionsAsync(context.RequestAborted);
        if (answer.Value is not { } actions)
        {
            await ShortResponse.ListingFailureAsync(context, answer.Failure!);
            return;
        }

        _listed = Keys(actions);
        await ShortResponse.JsonAsync(context, StatusCodes.Status200OK, actions.Map);
    }

    private async Task ListValuesAsync(HttpContext context)
    {
        var type = context.Request.Query["type"].ToString();
        if (type.Length == 0)
        {
            await ShortResponse.TextAsync(context, StatusCodes.Status400BadRequest, "Query parameter \"type\" is required.");
        }
        else if (!ApplicationClient.IsValueType(type))
        {
            await ShortResponse.TextAsync(
                context, StatusCodes.Status400BadRequest, $"'type' {type} is not supported. Only 'defaultModel' and 'middleware' are supported");
        }
        else
        {
            var answer = await application.ListValuesAsync(type, context.RequestAborted);
            await (answer.Value is { } values
                ? ShortResponse.JsonAsync(context, StatusCodes.Status200OK, values.Json)
                : ShortResponse.ListingFailureAsync(context, answer.Failure!));
        }
    }

    private static async Task WithBodyAsync(HttpContext context, Func<HttpContext, ReceivedMessage, Task> handle)
    {
        var answer = await RequestBody.ReadAsync(context.Request, context.RequestAborted);
        if (answer.Value is null)
        {
            await ShortResponse.RunFailureAsync(context, answer.Failure!);
            return;
        }

        using (answer.Value)
        {
            await handle(context, answer.Value.Members);
        }
    }

    private Task NotifyAsync(HttpContext context, ReceivedMessage body)
    {
        if (body.ReflectionApiSpecVersion.IsPresent && !IsOurVersion(body.Bytes(body.ReflectionApiSpecVersion)))
        {
            Log.OtherVersion(logger);
        }

        if (body.String(body.TelemetryServerUrl) is { } url)
        {
            var manager = context.Connection.RemoteIpAddress ?? IPAddress.Loopback;
            telemetry.Notified(manager.IsIPv4MappedToIPv6 ? manager.MapToIPv4() : manager, url);
        }

        return ShortResponse.TextAsync(context, StatusCodes.Status200OK, "OK");
    }

    private static bool IsOurVersion(in ReadOnlySequence<byte> version) => version.Length == 1 && version.FirstSpan[0] == (byte)'1';

    private Task CancelActionAsync(HttpContext context, ReceivedMessage body)
    {
        if (body.String(body.TraceId) is not { Length: > 0 } traceId)
        {
            return ShortResponse.JsonAsync(context, StatusCodes.Status400BadRequest, s_noTraceId);
        }

        return runs.TryCancel(traceId)
            ? ShortResponse.JsonAsync(context, StatusCodes.Status200OK, s_cancelled)
            : ShortResponse.JsonAsync(context, StatusCodes.Status404NotFound, s_notCancelled);
    }

    private async Task RunActionAsync(HttpContext context)
    {
        var answer = await RequestBody.ReadAsync(context.Request, context.RequestAborted);
        if (answer.Value is not { } body)
        {
            await ShortResponse.RunFailureAsync(context, answer.Failure!);
            return;
        }

        if (RunActionParams.Read(body.Members, body, out var request) is { } problem)
        {
            body.Dispose();
            await ShortResponse.RunFailureAsync(context, new ActionFailure(StatusCode.InvalidArgument, problem));
            return;
        }

        var isStream = context.Request.Query["stream"] == "true";
        bool isListed;
        try
        {
            isListed = await IsListedAsync(request!.Key, context.RequestAborted);
        }
        catch
        {
            body.Dispose();
            throw;
        }

        var run = runs.Start(request with { Stream = isStream, StreamInput = false });
        var running = new RunResponseWriter(context, run, isStream, isListed);
        try
        {
            await running.WriteAsync();
        }
        finally
        {
            // The outbox must be read to its end although the response failed, or the run never ends.
            if (!running.HasEnded)
            {
                _ = OutliveCallerAsync(run);
            }
        }
    }

    private async Task<bool> IsListedAsync(string key, CancellationToken cancellationToken)
    {
        if (_listed.Contains(key))
        {
            return true;
        }

        var answer = await application.ListActionsAsync(cancellationToken);
        if (answer.Value is { } actions)
        {
            _listed = Keys(actions);
        }

        return _listed.Contains(key);
    }

    private static HashSet<string> Keys(ListedActions actions) => [.. actions.Actions.Select(action => action.Key)];

    /// <summary>
    /// Lets a run go on whose caller has gone, as the JS runtime does: its trace may be looked at, and cancelAction ends it. Unlike there, not for
    /// ever: for as long as a run outlives its connection at Reflection API v2.
    /// </summary>
    private async Task OutliveCallerAsync(ActionRun run)
    {
        if (!run.HasEnded)
        {
            Log.CallerGone(logger, run.TraceId, limits.RunGrace.TotalSeconds);
        }

        using var events = new OutboxReader(run.Outbox);
        using var grace = new CancellationTokenSource(limits.RunGrace, time);
        try
        {
            while (true)
            {
                while (events.TryRead(out var runEvent))
                {
                    runEvent.Release();
                    if (runEvent.EndsRun)
                    {
                        return;
                    }
                }

                await events.WaitAsync(grace.Token);
            }
        }
        catch (OperationCanceledException)
        {
            Log.Abandoned(logger, run.TraceId);
            run.Abandon();
        }
    }

    private static partial class Log
    {
        [LoggerMessage(LogLevel.Warning, "A request of Reflection API v1 from {Peer} was refused: {Reason}", EventName = "ReflectionV1RequestRefused")]
        public static partial void Refused(ILogger logger, IPAddress? peer, string reason);

        [LoggerMessage(LogLevel.Error, "{Path} of Reflection API v1 failed inside the sidecar", EventName = "ReflectionV1RequestFaulted")]
        public static partial void Faulted(ILogger logger, Exception exception, string path);

        [LoggerMessage(LogLevel.Warning, "The Genkit CLI speaks another version of Reflection API v1 than 1; some of its features may not work", EventName = "ReflectionV1VersionMismatch")]
        public static partial void OtherVersion(ILogger logger);

        [LoggerMessage(LogLevel.Information, "Told to stop, by __quitquitquit of Reflection API v1", EventName = "ReflectionV1QuitRequested")]
        public static partial void Quitting(ILogger logger);

        [LoggerMessage(LogLevel.Information, "Run {TraceId} goes on though its caller has gone, for {Seconds:0} s at most (--run-grace)", EventName = "ReflectionV1CallerDisconnected")]
        public static partial void CallerGone(ILogger logger, string traceId, double seconds);

        [LoggerMessage(LogLevel.Warning, "Run {TraceId} was cancelled: its caller has been gone for too long (--run-grace)", EventName = "ReflectionV1RunAbandoned")]
        public static partial void Abandoned(ILogger logger, string traceId);
    }
}

/// <summary>Asks the sidecar to stop as SIGTERM does: its command first, then runs, then itself. Returns at once.</summary>
internal delegate void Quit();
