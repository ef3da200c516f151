using System.Buffers;
using System.Globalization;
using System.IO.Pipelines;
using Genkit.Sidecar.Actions;
using Genkit.Sidecar.Http;
using Genkit.Sidecar.Json;
using Genkit.Sidecar.Runs;

namespace Genkit.Sidecar.Endpoints.FlowServer;

/// <summary>Writes what callers get: one JSON document, or a stream of server-sent events.</summary>
internal static class FlowResponse
{
    private const string Json = "application/json; charset=utf-8";

    private static readonly byte[] s_emptyHead = "{"u8.ToArray();
    private static readonly byte[] s_resultHead = "{\"result\":"u8.ToArray();
    private static readonly byte[] s_tail = "}"u8.ToArray();

    public static void StartEvents(HttpContext context)
    {
        context.Response.ContentType = "text/event-stream";

        // nginx would hold events back until its buffer is full.
        context.Response.Headers["X-Accel-Buffering"] = "no";
    }

    /// <summary>One event of a stream; the pipe is left for the caller to flush.</summary>
    public static async ValueTask WriteEventAsync(PipeWriter output, RunEvent runEvent, ActionFailure? shown, bool keepStack, CancellationToken aborted)
    {
        if (shown is not null)
        {
            output.Put("data: {\"error\":"u8);
            var error = new ArrayBufferWriter<byte>();
            FlowError.Write(error, shown, keepStack);
            await SingleLine.WriteAsync(output, new ReadOnlySequence<byte>(error.WrittenMemory), aborted);
        }
        else
        {
            output.Put(runEvent.Kind == RunEventKind.Chunk ? "data: {\"message\":"u8 : "data: {\"result\":"u8);
            if (runEvent.Payload is { } payload)
            {
                await SingleLine.WriteAsync(output, payload, aborted);
            }
            else
            {
                // Genkit's own client takes no event without one of the three members.
                output.Put("null"u8);
            }
        }

        output.Put("}\n\n"u8);
    }

    /// <summary>The result of a run; null if it returned none.</summary>
    public static async Task WriteResultAsync(HttpContext context, ReadOnlySequence<byte>? result, CancellationToken aborted)
    {
        var response = context.Response;
        var head = result is null ? s_emptyHead : s_resultHead;
        response.ContentType = Json;
        response.ContentLength = head.Length + (result?.Length ?? 0) + s_tail.Length;
        await response.BodyWriter.WriteAsync(head, aborted);
        foreach (var segment in result ?? ReadOnlySequence<byte>.Empty)
        {
            await response.BodyWriter.WriteAsync(segment, aborted);
        }

        await response.BodyWriter.WriteAsync(s_tail, aborted);
    }

    public static Task WriteFailureAsync(HttpContext context, ActionFailure failure, bool keepStack, CancellationToken aborted) =>
        WriteAsync(context, FlowError.HttpStatus(failure.Code), failure, keepStack, aborted);

    public static Task WriteRefusalAsync(HttpContext context, Refusal refusal)
    {
        if (refusal.RetryAfter is { } wait)
        {
            context.Response.Headers.RetryAfter = Math.Max(1, Math.Ceiling(wait.TotalSeconds)).ToString(CultureInfo.InvariantCulture);
        }

        return WriteAsync(context, refusal.HttpStatus, new ActionFailure(refusal.Code, refusal.Message), keepStack: false, context.RequestAborted);
    }

    private static async Task WriteAsync(HttpContext context, int status, ActionFailure failure, bool keepStack, CancellationToken aborted)
    {
        var body = new ArrayBufferWriter<byte>();
        FlowError.Write(body, failure, keepStack);
        context.Response.StatusCode = status;
        context.Response.ContentType = Json;
        context.Response.ContentLength = body.WrittenCount;
        await context.Response.BodyWriter.WriteAsync(body.WrittenMemory, aborted);
    }
}
