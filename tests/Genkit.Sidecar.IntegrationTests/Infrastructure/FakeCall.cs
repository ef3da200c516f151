using System.Buffers.Binary;
using Google.Protobuf;
using Microsoft.AspNetCore.Http;

namespace Genkit.Sidecar.IntegrationTests.Infrastructure;

/// <summary>One call at the fake application: messages in, messages out, trailers.</summary>
internal sealed class FakeCall
{
    private readonly HttpContext _context;
    private bool _isEnded;

    public FakeCall(HttpContext context)
    {
        _context = context;
        context.Response.ContentType = "application/grpc";
        context.RequestAborted.Register(() => Cancelled.TrySetResult());
    }

    public IHeaderDictionary Metadata => _context.Request.Headers;

    /// <summary>Completes when the client has cancelled the call or disconnected.</summary>
    public TaskCompletionSource Cancelled { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public CancellationToken Aborted => _context.RequestAborted;

    /// <summary>Reads one message; null at the end of the requests.</summary>
    public async Task<byte[]?> ReadAsync()
    {
        var prefix = new byte[5];
        if (await _context.Request.Body.ReadAtLeastAsync(prefix, 5, throwOnEndOfStream: false, Aborted) < 5)
        {
            return null;
        }

        var message = new byte[BinaryPrimitives.ReadUInt32BigEndian(prefix.AsSpan(1))];
        await _context.Request.Body.ReadExactlyAsync(message, Aborted);
        return message;
    }

    /// <summary>Reads one chunk of streamed input as text; null at its end.</summary>
    public async Task<string?> ReadChunkAsync() =>
        await ReadAsync() is { } message ? V1.RunBidiActionRequest.Parser.ParseFrom(message).ChunkJson.ToStringUtf8() : null;

    public async Task WriteAsync(IMessage message)
    {
        var bytes = message.ToByteArray();
        var framed = new byte[5 + bytes.Length];
        BinaryPrimitives.WriteUInt32BigEndian(framed.AsSpan(1), (uint)bytes.Length);
        bytes.CopyTo(framed, 5);
        await WriteRawAsync(framed);
    }

    /// <summary>Writes bytes of the response as they are, prefix included.</summary>
    public async Task WriteRawAsync(ReadOnlyMemory<byte> bytes)
    {
        await _context.Response.Body.WriteAsync(bytes, Aborted);
        await _context.Response.Body.FlushAsync(Aborted);
    }

    /// <summary>Sends the response's headers before anything else does.</summary>
    public Task StartAsync() => _context.Response.Body.FlushAsync(Aborted);

    /// <summary>Sends the id of the application's own trace of the run.</summary>
    public Task StateAsync(string traceId) => WriteAsync(new V1.RunActionResponse { State = new V1.ActionState { TraceId = traceId } });

    public Task ChunkAsync(string json) => WriteAsync(new V1.RunActionResponse { ChunkJson = ByteString.CopyFromUtf8(json) });

    /// <summary>Sends the result; null for one that is absent.</summary>
    public Task ResultAsync(string? json)
    {
        var result = new V1.ActionResult();
        if (json is not null)
        {
            result.ResultJson = ByteString.CopyFromUtf8(json);
        }

        return WriteAsync(new V1.RunActionResponse { Result = result });
    }

    public Task ErrorAsync(int code, string message, string? detailsJson = null, string stack = "")
    {
        var error = new V1.ActionError { Code = code, Message = message, Stack = stack };
        if (detailsJson is not null)
        {
            error.DetailsJson = ByteString.CopyFromUtf8(detailsJson);
        }

        return WriteAsync(new V1.RunActionResponse { Error = error });
    }

    /// <summary>Answers a unary call.</summary>
    public async Task ReplyAsync(IMessage message)
    {
        await WriteAsync(message);
        End();
    }

    /// <summary>Sets the status that is sent when the handler returns.</summary>
    public void End(int status = 0, string message = "", byte[]? details = null)
    {
        _isEnded = true;
        var trailers = new List<(string Name, string Value)> { ("grpc-status", status.ToString(System.Globalization.CultureInfo.InvariantCulture)) };
        if (message.Length > 0)
        {
            trailers.Add(("grpc-message", Uri.EscapeDataString(message)));
        }

        if (details is not null)
        {
            trailers.Add(("grpc-status-details-bin", Convert.ToBase64String(details)));
        }

        foreach (var (name, value) in trailers)
        {
            if (_context.Response.HasStarted)
            {
                _context.Response.AppendTrailer(name, value);
            }
            else
            {
                _context.Response.Headers[name] = value;
            }
        }
    }

    /// <summary>Sets the status OK, unless the handler has set one.</summary>
    public void EndUnlessEnded()
    {
        if (!_isEnded && !Aborted.IsCancellationRequested)
        {
            End();
        }
    }

    /// <summary>Lets the call end without a status.</summary>
    public void LeaveWithoutStatus() => _isEnded = true;

    /// <summary>Waits until the client has cancelled the call or disconnected.</summary>
    public Task WaitForCancelAsync() => Cancelled.Task.WaitAsync(Timeouts.Default);

    /// <summary>Resets the call's stream.</summary>
    public void Reset() => _context.Abort();
}
