using System.Buffers;
using System.Globalization;
using System.IO.Pipelines;
using Genkit.Sidecar.Application;
using Genkit.Sidecar.Json;
using Genkit.Sidecar.Runs;

namespace Genkit.Sidecar.FlowServer;

/// <summary>Writes what callers get: one JSON document, or a stream of server-sent events.</summary>
internal static class FlowResponse
{
    private const string Json = "application/json; charset=utf-8";

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
            Put(output, "data: {\"error\":"u8);
            var error = new ArrayBufferWriter<byte>();
            FlowError.Write(error, shown, keepStack);
            await SingleLine.WriteAsync(output, new ReadOnlySequence<byte>(error.WrittenMemory), aborted);
        }
        else
        {
            Put(output, runEvent.Kind == RunEventKind.Chunk ? "data: {\"message\":"u8 : "data: {\"result\":"u8);
            if (runEvent.Payload is { } payload)
            {
                await SingleLine.WriteAsync(output, payload, aborted);
            }
            else
            {
                // Genkit's own client takes no event without one of the three members.
                Put(output, "null"u8);
            }
        }

        Put(output, "}\n\n"u8);
    }

    /// <summary>The result of a run; null if it returned none.</summary>
    public static async Task WriteResultAsync(HttpContext context, ReadOnlySequence<byte>? result, CancellationToken aborted)
    {
        var response = context.Response;
        var (head, tail) = result is null ? ("{"u8.ToArray(), "}"u8.ToArray()) : ("{\"result\":"u8.ToArray(), "}"u8.ToArray());
        response.ContentType = Json;
        response.ContentLength = head.Length + (result?.Length ?? 0) + tail.Length;
        await response.BodyWriter.WriteAsync(head, aborted);
        foreach (var segment in result ?? ReadOnlySequence<byte>.Empty)
        {
            await response.BodyWriter.WriteAsync(segment, aborted);
        }

        await response.BodyWriter.WriteAsync(tail, aborted);
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

    /// <summary>Writes a few bytes. <see cref="BuffersExtensions"/> throws on a client that has gone, for which Kestrel has no room unless it is asked for some.</summary>
    private static void Put(PipeWriter output, ReadOnlySpan<byte> bytes)
    {
        bytes.CopyTo(output.GetSpan(bytes.Length));
        output.Advance(bytes.Length);
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
