using System.Buffers;
using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.Logging;

namespace Genkit.Sidecar.Grpc.Server;

/// <summary>
/// One call that is being served, of any kind: messages in, messages out, one status. One reader and one writer may work at the same time, from different
/// threads. Reads and writes of a call that is over throw <see cref="OperationCanceledException"/>, which a handler may let go.
/// </summary>
[SuppressMessage("Design", "CA1001", Justification = "ServeAsync, in which a call lives, gives back what it owns; handlers have nothing to dispose of.")]
public sealed partial class GrpcServerCall
{
    // What HTTP/2 calls CANCEL.
    private const int CancelError = 0x8;

    private readonly GrpcServerOptions _options;
    private readonly ILogger _logger;
    private readonly CancellationTokenSource _ended = new();

    // Completed when the call ends while its handler runs.
    private readonly TaskCompletionSource _overtaken = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly Lock _lock = new();
    private readonly MessageReader _reader;
    private readonly ResponseWriter _writer;
    private readonly Deadline? _deadline;

    private GrpcMetadata? _requestHeaders;
    private PooledSegments? _single;
    private GrpcStatus? _status;
    private bool _isCompressing;
    private bool _isReading;
    private bool _isWriting;
    private TaskCompletionSource? _readEnded;
    private TaskCompletionSource? _writeEnded;

    internal GrpcServerCall(HttpContext context, GrpcServerOptions options, ILogger logger, TimeSpan? timeout)
    {
        HttpContext = context;
        Method = context.Request.Path.Value!;
        _options = options;
        _logger = logger;
        Compress = options.Compress;
        _reader = new MessageReader("caller", options.MaxReceiveMessageBytes) { Encoding = context.Request.Headers.GrpcEncoding };
        _writer = new ResponseWriter(context.Response);
        if (timeout is { } length)
        {
            _deadline = new Deadline(length, options.TimeProvider, End);
        }
    }

    /// <summary>The request as ASP.NET Core has it: the caller's address, its certificate, its user. Its body and the response are this call's.</summary>
    public HttpContext HttpContext { get; }

    /// <summary>The path of the method: <c>/package.Service/Method</c>.</summary>
    public string Method { get; }

    /// <summary>The request's headers as they came, gRPC's own among them.</summary>
    public GrpcMetadata RequestHeaders => _requestHeaders ??= ReadRequestHeaders();

    /// <summary>How long the caller still waits, null for no limit; negative once the deadline has passed.</summary>
    public TimeSpan? Remaining => _deadline?.Remaining;

    /// <summary>Cancelled when the call is over: the caller has cancelled it or is gone, the deadline has passed, a message was refused, or the handler has returned.</summary>
    public CancellationToken CancellationToken => _ended.Token;

    /// <summary>The message read last. Its memory is pooled: valid until the next <see cref="ReadAsync"/> or the end of the call.</summary>
    public ReadOnlySequence<byte> Message => _reader.Message;

    /// <summary>Metadata that is sent before the first message; what is added after that is lost.</summary>
    public GrpcMetadata ResponseHeaders { get; } = new();

    /// <summary>Metadata that is sent with the status that the handler returns or throws.</summary>
    public GrpcMetadata Trailers { get; } = new();

    /// <summary>Whether the messages that follow are compressed, if the caller takes gzip. To be set before the first of them, and to false at any time.</summary>
    public bool Compress { get; set; }

    /// <summary>Waits for the next message.</summary>
    /// <param name="cancellationToken">Gives up this wait; the call goes on, and the next read finds what came meanwhile.</param>
    /// <returns>True: <see cref="Message"/> is there. False: the caller sends no more.</returns>
    /// <exception cref="GrpcException">The message was refused, and the call with it: too large, not gzip, cut short.</exception>
    /// <exception cref="OperationCanceledException">The call is over, or the token was cancelled.</exception>
    /// <exception cref="InvalidOperationException">Another read is going on.</exception>
    public ValueTask<bool> ReadAsync(CancellationToken cancellationToken = default)
    {
        cancellationToken.ThrowIfCancellationRequested();
        lock (_lock)
        {
            if (_isReading)
            {
                throw new InvalidOperationException("another read of this call is going on");
            }

            ThrowIfOver();
            _isReading = true;
        }

        return ReadMoreAsync(cancellationToken);
    }

    /// <summary>Waits for the one message of a unary or server-streaming call.</summary>
    /// <returns>The message, whose memory is valid until the end of the call.</returns>
    /// <exception cref="GrpcException">The caller sent no message, or several, or one that was refused.</exception>
    /// <exception cref="OperationCanceledException">The call is over.</exception>
    public async ValueTask<ReadOnlySequence<byte>> ReadSingleAsync()
    {
        if (!await ReadAsync().ConfigureAwait(false))
        {
            throw Failure(new GrpcStatus(GrpcStatusCode.Unimplemented, $"{Method} takes one request message, the caller sent none"));
        }

        _single = _reader.Detach(out var message);
        return await ReadAsync().ConfigureAwait(false)
            ? throw Failure(new GrpcStatus(GrpcStatusCode.Unimplemented, $"{Method} takes one request message, the caller sent more"))
            : message;
    }

    /// <summary>Sends the headers now. Without it they go with the first message, which leaves a caller that waits for them before it sends its own waiting.</summary>
    /// <exception cref="OperationCanceledException">The call is over.</exception>
    /// <exception cref="InvalidOperationException">A write is going on.</exception>
    public ValueTask SendHeadersAsync()
    {
        StartWriting();
        return SendAsync(null, flush: true);
    }

    /// <summary>Sends a message. Completes when the message is in the server's buffer, which is how a caller that does not read makes this wait.</summary>
    /// <param name="message">The bytes; an empty sequence is an empty message. They may be reused when this has completed.</param>
    /// <param name="flush">
    /// Whether the message goes out at once. Otherwise it may wait for the next ones, up to 32 KiB of them, or the status, which makes one packet of many. The
    /// last message before the handler returns needs no flush.
    /// </param>
    /// <exception cref="GrpcException">The message is over the limit, and the call has ended for it.</exception>
    /// <exception cref="OperationCanceledException">The call is over.</exception>
    /// <exception cref="InvalidOperationException">Another write is going on.</exception>
    public ValueTask WriteAsync(ReadOnlySequence<byte> message, bool flush)
    {
        StartWriting();
        if (message.Length > _options.MaxSendMessageBytes)
        {
            StopWriting();
            throw Failure(new GrpcStatus(
                GrpcStatusCode.ResourceExhausted,
                $"the message to send has {message.Length} bytes, the limit for messages sent is {_options.MaxSendMessageBytes} bytes"));
        }

        return SendAsync(message, flush);
    }

    /// <summary>Runs the handler and sends the status, which waits for no handler once the call is over. Returns when nothing uses the request any more.</summary>
    internal async Task ServeAsync(GrpcHandler handler)
    {
        var cancellation = HttpContext.RequestAborted.UnsafeRegister(
            static call => ((GrpcServerCall)call!).End(new GrpcStatus(GrpcStatusCode.Cancelled, "the caller cancelled the call or is gone")), this);
        _deadline?.Start();
        var handling = Volatile.Read(ref _status) is null ? HandleAsync(handler) : Task.CompletedTask;
        await Task.WhenAny(handling, _overtaken.Task).ConfigureAwait(false);
        cancellation.Unregister();
        await FinishAsync(handling).ConfigureAwait(false);
        await handling.ConfigureAwait(false);
        await ReadEndedAsync().ConfigureAwait(false);
        _single?.Dispose();
        _reader.Dispose();
    }

    private async Task HandleAsync(GrpcHandler handler)
    {
        GrpcStatus status;
        try
        {
            status = await handler(this).ConfigureAwait(false);
        }
        catch (GrpcException e)
        {
            status = e.Status;
        }
        catch (Exception e) when (_ended.IsCancellationRequested)
        {
            // What a handler trips over when its call is over is no fault of its own, whatever it throws.
            Log.HandlerFailedAfterwards(_logger, e, Method);
            return;
        }
        catch (Exception e)
        {
            Log.HandlerFailed(_logger, e, Method);
            status = new GrpcStatus(GrpcStatusCode.Unknown, _options.TellExceptions ? e.Message : "the method failed with an exception");
        }

        TrySetStatus(status);
    }

    /// <summary>Ends the call from outside its handler.</summary>
    private void End(GrpcStatus status)
    {
        if (TrySetStatus(status))
        {
            _overtaken.TrySetResult();
        }
    }

    private bool TrySetStatus(GrpcStatus status)
    {
        lock (_lock)
        {
            if (_status is not null)
            {
                return false;
            }

            _status = status;
        }

        _deadline?.Dispose();
        try
        {
            _ended.Cancel();
        }
        catch (AggregateException e)
        {
            // This may be a timer's thread, where it would end the process.
            Log.CallbackFailed(_logger, e, Method);
        }

        return true;
    }

    private GrpcException Failure(GrpcStatus status)
    {
        End(status);
        return new GrpcException(status);
    }

    private OperationCanceledException Gone(Exception cause)
    {
        End(new GrpcStatus(GrpcStatusCode.Cancelled, "the caller is gone") { Cause = cause });
        return new OperationCanceledException("the call is over", cause, _ended.Token);
    }

    private async Task FinishAsync(Task handling)
    {
        var isOvertaken = !handling.IsCompleted;
        await WriteEndedAsync(interrupt: isOvertaken).ConfigureAwait(false);
        if (HttpContext.RequestAborted.IsCancellationRequested)
        {
            return;
        }

        var response = HttpContext.Response;
        if (_writer.IsStuck && _deadline is { HasPassed: true })
        {
            // A caller that does not read would leave the trailers where the messages are.
            HttpContext.Features.Get<IHttpResetFeature>()?.Reset(CancelError);
            return;
        }

        // A handler that still runs may be changing its metadata.
        var trailers = isOvertaken ? null : Trailers;
        if (!isOvertaken && !response.HasStarted)
        {
            StatusHeaders.Add(response.Headers, ResponseHeaders);
        }

        if (response.HasStarted)
        {
            StatusHeaders.Write(HttpContext.Features.GetRequiredFeature<IHttpResponseTrailersFeature>().Trailers, _status!, trailers);
        }
        else
        {
            StatusHeaders.Write(response.Headers, _status!, trailers);
        }

        if (isOvertaken)
        {
            // The response ends now, and not when the handler does.
            await response.CompleteAsync().ConfigureAwait(false);
        }
    }

    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    private async ValueTask<bool> ReadMoreAsync(CancellationToken cancellationToken)
    {
        CancellationTokenSource? either = null;
        try
        {
            while (true)
            {
                switch (_reader.TryTake())
                {
                    case MessageReader.Outcome.Message:
                        return true;
                    case MessageReader.Outcome.Failed:
                        throw Failure(_reader.Error!);
                    default:
                        break;
                }

                if (cancellationToken.CanBeCanceled)
                {
                    either ??= CancellationTokenSource.CreateLinkedTokenSource(_ended.Token, cancellationToken);
                }

                if (!await _reader.FillAsync(HttpContext.Request.Body, either?.Token ?? _ended.Token).ConfigureAwait(false))
                {
                    return _reader.IsInsideMessage
                        ? throw Failure(new GrpcStatus(GrpcStatusCode.Internal, "the caller ended the request in the middle of a message"))
                        : false;
                }
            }
        }
        catch (Exception e) when (e is IOException or OperationCanceledException)
        {
            cancellationToken.ThrowIfCancellationRequested();
            throw Gone(e);
        }
        finally
        {
            either?.Dispose();
            lock (_lock)
            {
                _isReading = false;
                _readEnded?.TrySetResult();
            }
        }
    }

    private void StartWriting()
    {
        lock (_lock)
        {
            if (_isWriting)
            {
                throw new InvalidOperationException("another write of this call is going on");
            }

            ThrowIfOver();
            _isWriting = true;
        }
    }

    private void StopWriting()
    {
        lock (_lock)
        {
            _isWriting = false;
            _writeEnded?.TrySetResult();
        }
    }

    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder))]
    private async ValueTask SendAsync(ReadOnlySequence<byte>? message, bool flush)
    {
        PooledSegments? compressed = null;
        try
        {
            if (!HttpContext.Response.HasStarted)
            {
                await StartResponseAsync().ConfigureAwait(false);
            }

            if (message is { } plain)
            {
                compressed = _isCompressing && Compress && !plain.IsEmpty ? Gzip.Compress(plain) : null;
                await _writer.WriteAsync(compressed?.Sequence ?? plain, compressed is not null, flush).ConfigureAwait(false);
            }
            else
            {
                await _writer.FlushAsync().ConfigureAwait(false);
            }
        }
        catch (Exception e) when (e is IOException or OperationCanceledException)
        {
            throw Gone(e);
        }
        finally
        {
            compressed?.Dispose();
            StopWriting();
        }
    }

    private Task StartResponseAsync()
    {
        var headers = HttpContext.Response.Headers;
        if (Compress && HeaderList.Contains(HttpContext.Request.Headers.GrpcAcceptEncoding, Gzip.Name))
        {
            _isCompressing = true;
            headers.GrpcEncoding = Gzip.Name;
        }

        StatusHeaders.Add(headers, ResponseHeaders);
        return HttpContext.Response.StartAsync(CancellationToken.None);
    }

    private void ThrowIfOver()
    {
        if (_status is not null)
        {
            throw new OperationCanceledException("the call is over", _ended.Token);
        }
    }

    // Once the call has its status, no read and no write starts any more.
    private Task ReadEndedAsync()
    {
        lock (_lock)
        {
            return _isReading ? (_readEnded = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously)).Task : Task.CompletedTask;
        }
    }

    private Task WriteEndedAsync(bool interrupt)
    {
        lock (_lock)
        {
            if (!_isWriting)
            {
                return Task.CompletedTask;
            }

            _writeEnded = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        }

        if (interrupt)
        {
            // What waits for the write may go on right here.
            _writer.Interrupt();
        }

        return _writeEnded.Task;
    }

    private GrpcMetadata ReadRequestHeaders()
    {
        var metadata = new GrpcMetadata();
        foreach (var (name, values) in HttpContext.Request.Headers)
        {
            // Of HTTP/2's own, Kestrel lists some here.
            if (!name.StartsWith(':'))
            {
                foreach (var value in values)
                {
                    metadata.AddReceived(name, value ?? "");
                }
            }
        }

        return metadata;
    }

    private static partial class Log
    {
        [LoggerMessage(LogLevel.Error, "The handler of {Method} failed")]
        public static partial void HandlerFailed(ILogger logger, Exception exception, string method);

        [LoggerMessage(LogLevel.Debug, "The handler of {Method} failed after its call was over")]
        public static partial void HandlerFailedAfterwards(ILogger logger, Exception exception, string method);

        [LoggerMessage(LogLevel.Error, "A callback on the cancellation of {Method} failed")]
        public static partial void CallbackFailed(ILogger logger, Exception exception, string method);
    }
}
