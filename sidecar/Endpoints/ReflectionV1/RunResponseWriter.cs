using System.Buffers;
using System.IO.Pipelines;
using System.Text;
using Genkit.Sidecar.Http;
using Genkit.Sidecar.Json;
using Genkit.Sidecar.Runs;
using Grpc.Core;

namespace Genkit.Sidecar.Endpoints.ReflectionV1;

/// <summary>
/// A run's way into the answer of <c>runAction</c>: its ids in headers as soon as it has begun, chunks as lines where they were asked for,
/// and one object without a line break after it, by which the tools tell the end from a chunk.
/// </summary>
/// <param name="context">The request.</param>
/// <param name="run">Its run.</param>
/// <param name="isStream">Whether chunks were asked for.</param>
/// <param name="isListed">
/// Whether the application lists the action. Of one that it does not list, it may still know; so the headers wait for its first word, which can be
/// that there is no such action.
/// </param>
internal sealed class RunResponseWriter(HttpContext context, ActionRun run, bool isStream, bool isListed)
{
    /// <summary>Gathered for one write, as long as there is more at once.</summary>
    private const int UnflushedBytes = 32 * 1024;

    private readonly PipeWriter _output = context.Response.BodyWriter;
    private bool _hasBegun;

    /// <summary>Whether the run's last event has been read from its outbox, which another reader may take over until then.</summary>
    public bool HasEnded { get; private set; }

    /// <summary>Writes the run to its end.</summary>
    /// <exception cref="OperationCanceledException">The caller has gone.</exception>
    /// <exception cref="IOException">The caller has gone.</exception>
    public async Task WriteAsync()
    {
        using var events = new OutboxReader(run.Outbox);
        while (true)
        {
            while (events.TryRead(out var runEvent))
            {
                HasEnded = runEvent.EndsRun;
                try
                {
                    await WriteAsync(runEvent);
                }
                finally
                {
                    runEvent.Release();
                }

                if (HasEnded)
                {
                    await _output.CompleteAsync();
                    return;
                }
            }

            await FlushAsync();
            await events.WaitAsync(context.RequestAborted);
        }
    }

    private async ValueTask WriteAsync(RunEvent runEvent)
    {
        if (runEvent.Kind == RunEventKind.Failure && !_hasBegun && runEvent.Failure!.Code == StatusCode.NotFound)
        {
            await ShortResponse.TextAsync(context, StatusCodes.Status404NotFound, runEvent.Failure.Message);
            return;
        }

        if (!_hasBegun && (isListed || runEvent.Kind != RunEventKind.Started))
        {
            await BeginAsync();
        }

        switch (runEvent.Kind)
        {
            case RunEventKind.Chunk:
                await WriteChunkAsync(runEvent.Payload!.Value);
                break;
            case RunEventKind.Result:
                await WriteResultAsync(runEvent.Payload);
                break;
            case RunEventKind.Failure:
                await WritePayloadAsync(new ReadOnlySequence<byte>(ShortResponse.RunFailure(runEvent.Failure!, run.TraceId).WrittenMemory));
                break;
        }
    }

    private Task BeginAsync()
    {
        _hasBegun = true;
        context.Response.Headers["X-Genkit-Trace-Id"] = run.TraceId;
        context.Response.Headers["X-Genkit-Span-Id"] = run.Trace.SpanId;
        context.Response.ContentType = isStream ? "text/plain" : "application/json";
        return context.Response.StartAsync(context.RequestAborted);
    }

    private async ValueTask WriteChunkAsync(ReadOnlySequence<byte> chunk)
    {
        await SingleLine.WriteAsync(_output, chunk, context.RequestAborted);
        _output.Put("\n"u8);
        if (_output.UnflushedBytes >= UnflushedBytes)
        {
            await FlushAsync();
        }
    }

    private async ValueTask WriteResultAsync(ReadOnlySequence<byte>? result)
    {
        _output.Put("{"u8);
        if (result is { } payload)
        {
            _output.Put("\"result\":"u8);
            await WritePayloadAsync(payload);
            _output.Put(","u8);
        }

        _output.Put("\"telemetry\":{\"traceId\":\""u8);
        _output.Put(Encoding.ASCII.GetBytes(run.TraceId));
        _output.Put("\"}}"u8);
    }

    private async ValueTask WritePayloadAsync(ReadOnlySequence<byte> payload)
    {
        if (isStream)
        {
            await SingleLine.WriteAsync(_output, payload, context.RequestAborted);
            return;
        }

        foreach (var segment in payload)
        {
            await _output.WriteAsync(segment, context.RequestAborted);
        }
    }

    private async ValueTask FlushAsync()
    {
        if (_hasBegun)
        {
            await _output.FlushAsync(context.RequestAborted);
        }

        context.RequestAborted.ThrowIfCancellationRequested();
    }
}
