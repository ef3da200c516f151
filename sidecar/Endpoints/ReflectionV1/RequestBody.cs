using System.Buffers;
using System.IO.Pipelines;
using System.Text.Json;
using Genkit.Sidecar.Actions;
using Genkit.Sidecar.Application;
using Genkit.Sidecar.Http;
using Genkit.Sidecar.JsonRpc;
using Grpc.Core;

namespace Genkit.Sidecar.Endpoints.ReflectionV1;

/// <summary>The JSON object that a POST brings, in pooled memory. Its owner disposes it, or the run that was given its payloads does.</summary>
internal sealed class RequestBody : IDisposable
{
    /// <summary>As in the JS runtime.</summary>
    public const int MaxBytes = 30 * 1024 * 1024;

    /// <summary>Buffers the whole body in pooled segments before it is read.</summary>
    private readonly Pipe _bytes = new(new PipeOptions(minimumSegmentSize: 16 * 1024, pauseWriterThreshold: 0, useSynchronizationContext: false));

    private RequestBody()
    {
    }

    public ReceivedMessage Members { get; private set; }

    /// <summary>Reads a request's body to its end.</summary>
    /// <returns>The body, or what is wrong with it.</returns>
    /// <exception cref="IOException">The caller has gone, was too slow, or sent bad HTTP; the server knows what to answer.</exception>
    public static async Task<Answer<RequestBody>> ReadAsync(HttpRequest request, CancellationToken cancellationToken)
    {
        if (WhyNotJson(request) is { } problem)
        {
            return new ActionFailure(StatusCode.InvalidArgument, problem);
        }

        var body = new RequestBody();
        var isGood = false;
        try
        {
            var answer = await body.FillAsync(request.BodyReader, cancellationToken) ?? body.Parse();
            isGood = answer is null;
            return answer is null ? body : answer;
        }
        finally
        {
            if (!isGood)
            {
                body.Dispose();
            }
        }
    }

    public void Dispose()
    {
        _bytes.Writer.Complete();
        _bytes.Reader.Complete();
    }

    private static string? WhyNotJson(HttpRequest request)
    {
        if (!JsonMediaType.Is(request.ContentType))
        {
            return "the body must be application/json in UTF-8";
        }

        return request.Headers.ContentEncoding.Count == 0 || request.Headers.ContentEncoding == "identity" ? null : "the body must not be compressed";
    }

    private static ActionFailure TooLarge() =>
        new(StatusCode.ResourceExhausted, $"request entity too large: Reflection API v1 takes {MaxBytes} bytes");

    /// <summary>Reads to the end of what is too large as well: a caller that still writes does not see an answer.</summary>
    private async Task<ActionFailure?> FillAsync(PipeReader source, CancellationToken cancellationToken)
    {
        var length = 0L;
        while (true)
        {
            var read = await source.ReadAsync(cancellationToken);
            length += read.Buffer.Length;
            if (length <= MaxBytes)
            {
                foreach (var segment in read.Buffer)
                {
                    _bytes.Writer.Write(segment.Span);
                }
            }

            source.AdvanceTo(read.Buffer.End);
            if (read.IsCompleted)
            {
                await _bytes.Writer.CompleteAsync();
                return length <= MaxBytes ? null : TooLarge();
            }
        }
    }

    private ActionFailure? Parse()
    {
        _bytes.Reader.TryRead(out var read);
        if (read.Buffer.IsEmpty)
        {
            return new ActionFailure(StatusCode.InvalidArgument, "the body is empty; a JSON object is required");
        }

        if (JsonRpcReader.ReadParams(read.Buffer, out var members) is { } defect)
        {
            return new ActionFailure(StatusCode.InvalidArgument, $"the body cannot be read: {defect}");
        }

        Members = members;
        return members.Params.Kind == JsonTokenType.StartObject ? null : new ActionFailure(StatusCode.InvalidArgument, "the body must be a JSON object");
    }
}
