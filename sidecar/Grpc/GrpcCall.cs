using System.Buffers;
using System.Net;
using System.Net.Http.Headers;
using System.Runtime.CompilerServices;

namespace Genkit.Sidecar.Grpc;

/// <summary>
/// One call, of any kind: messages out, messages in, one status. One writer and one reader may work at the same time, from different threads;
/// <see cref="Cancel"/> and <see cref="DisposeAsync"/> may come from anywhere at any moment.
/// </summary>
public sealed class GrpcCall : IAsyncDisposable
{
    // How often a request that did not get onto its connection looks for another one: each pooled connection can be lost only once.
    private const int MaxAttempts = 4;

    private readonly GrpcChannel _channel;
    private readonly Uri _address;
    private readonly GrpcCallOptions _options;
    private readonly CancellationTokenSource _ended = new();
    private readonly Lock _lock = new();

    // Completed once there is a response, or a status instead of one.
    private readonly TaskCompletionSource _responded = new();
    private readonly TaskCompletionSource _requestReleased = new(TaskCreationOptions.RunContinuationsAsynchronously);

    // For a request of several messages: its stream once the first one is written, null when that never happens.
    private TaskCompletionSource<Stream?>? _opened;

    private Deadline? _deadline;
    private CancellationTokenRegistration _cancellation;

    private Task _exchange = Task.CompletedTask;
    private RequestContent? _content;
    private PooledSegments? _compressedRequest;
    private Stream? _requestStream;
    private int _requestUsers = 1;
    private HttpResponseMessage? _response;
    private Stream? _body;
    private GrpcStatus? _status;

    private volatile bool _isDialling;
    private volatile bool _isOnUnprovenConnection;
    private int _connectionsMadeBefore;
    private bool _isReading;
    private bool _isWriting;
    private bool _isHalfClosed;
    private bool _isDisposed;
    private TaskCompletionSource? _idle;

    internal GrpcCall(GrpcChannel channel, Uri address, GrpcCallOptions options)
    {
        _channel = channel;
        _address = address;
        _options = options;
        Reader = new MessageReader("peer", channel.Options.MaxReceiveMessageBytes);
    }

    /// <summary>How the call ended; null while it goes on. Set once.</summary>
    public GrpcStatus? Status => Volatile.Read(ref _status);

    /// <summary>The message read last. Its memory is pooled: valid until the next <see cref="ReadAsync"/> or <see cref="DisposeAsync"/>.</summary>
    public ReadOnlySequence<byte> Message => Reader.Message;

    /// <summary>The response's headers; empty until <see cref="HeadersReceived"/> has completed, or when the call ended before them.</summary>
    public GrpcMetadata ResponseHeaders { get; private set; } = GrpcMetadata.Empty;

    /// <summary>What came after the last message; empty until <see cref="ReadAsync"/> has said false, or when the call ended without trailers.</summary>
    public GrpcMetadata Trailers { get; private set; } = GrpcMetadata.Empty;

    /// <summary>Completes when the response's headers are here, or the call has ended without. Never fails. Some peers send headers with their first message only.</summary>
    public Task HeadersReceived => _responded.Task;

    /// <summary>
    /// Completes when the memory of a message written with <c>endOfStream</c> as the call's first is not needed any more: until the peer has answered, HTTP/2 may
    /// give the request back unprocessed, and it is sent again. Never fails. After <see cref="DisposeAsync"/> it always is complete.
    /// </summary>
    public Task RequestReleased => _requestReleased.Task;

    internal MessageReader Reader { get; }

    /// <summary>Whether the request was handed over and has no connection yet, or one that has not proven to speak HTTP/2.</summary>
    internal bool IsConnecting => _isDialling || (_isOnUnprovenConnection && _channel.ConnectionsMade == _connectionsMadeBefore);

    /// <summary>Cancelled as soon as the call has a status.</summary>
    internal CancellationToken Ended => _ended.Token;

    /// <summary>
    /// Sends a message; the first one starts the request. Completes when the message is in HTTP/2's buffer, which is how a peer that does not read makes this
    /// wait. When the call has ended, or ends meanwhile, nothing is sent and nothing thrown: <see cref="ReadAsync"/> gives the status.
    /// </summary>
    /// <param name="message">The bytes; an empty sequence is an empty message.</param>
    /// <param name="endOfStream">
    /// Whether no other message follows. If that is so with the first message, this completes at once, the message is sent in the background, and its memory must
    /// stay as it is until <see cref="RequestReleased"/>. Otherwise the memory may be reused when this has completed.
    /// </param>
    /// <param name="cancellationToken">Gives up waiting, which cancels the call: half a message cannot be taken back.</param>
    /// <exception cref="OperationCanceledException">The token was cancelled.</exception>
    /// <exception cref="InvalidOperationException">Another write is going on, or the request is complete.</exception>
    public ValueTask WriteAsync(ReadOnlySequence<byte> message, bool endOfStream, CancellationToken cancellationToken) =>
        SendAsync(message, endOfStream, cancellationToken);

    /// <summary>Says that no message follows. Does nothing when that was said.</summary>
    /// <param name="cancellationToken">Gives up waiting, which cancels the call.</param>
    /// <exception cref="InvalidOperationException">A write is going on.</exception>
    public ValueTask CompleteAsync(CancellationToken cancellationToken)
    {
        lock (_lock)
        {
            if (_isHalfClosed)
            {
                return default;
            }
        }

        return SendAsync(null, endOfStream: true, cancellationToken);
    }

    /// <summary>Waits for the next message.</summary>
    /// <param name="cancellationToken">Gives up waiting, which cancels the call.</param>
    /// <returns>True: <see cref="Message"/> is there. False: the call has ended, <see cref="Status"/> and <see cref="Trailers"/> say how.</returns>
    /// <exception cref="OperationCanceledException">The token was cancelled.</exception>
    /// <exception cref="InvalidOperationException">Another read is going on.</exception>
    /// <exception cref="ObjectDisposedException">The call is disposed.</exception>
    public ValueTask<bool> ReadAsync(CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        lock (_lock)
        {
            ObjectDisposedException.ThrowIf(_isDisposed, this);
            if (_isReading)
            {
                throw new InvalidOperationException("another read of this call is going on");
            }

            _isReading = true;
        }

        if (Status is null && Reader.TryTake() == MessageReader.Outcome.Message)
        {
            StopReading();
            return new ValueTask<bool>(true);
        }

        return ReadMoreAsync(cancellationToken);
    }

    /// <summary>Cancels the call: the peer gets RST_STREAM(CANCEL), the status becomes <see cref="GrpcStatusCode.Cancelled"/> unless there is one.</summary>
    public void Cancel() => End(new GrpcStatus(GrpcStatusCode.Cancelled, "the call was cancelled"));

    /// <summary>Cancels the call if it goes on, waits until nothing uses its memory or the caller's any more, and gives its own back.</summary>
    public async ValueTask DisposeAsync()
    {
        Cancel();
        Task idle;
        lock (_lock)
        {
            _isDisposed = true;
            idle = _isReading || _isWriting
                ? (_idle ??= new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously)).Task
                : Task.CompletedTask;
        }

        await idle.ConfigureAwait(false);
        await _exchange.ConfigureAwait(false);
        await _requestReleased.Task.ConfigureAwait(false);
        lock (_lock)
        {
            Reader.Dispose();
        }
    }

    internal void Start(CancellationToken cancellationToken)
    {
        if (_options.Deadline is { } length)
        {
            _deadline = new Deadline(length, _channel.Options.TimeProvider, End);
            _deadline.Start();
            if (Status is not null)
            {
                _deadline.Dispose();
            }
        }

        if (cancellationToken.CanBeCanceled)
        {
            _cancellation = cancellationToken.UnsafeRegister(static call => ((GrpcCall)call!).Cancel(), this);
            if (Status is not null)
            {
                _cancellation.Unregister();
            }
        }
    }

    /// <summary>Gives the call its status unless it has one, and lets go of the HTTP/2 stream.</summary>
    internal void End(GrpcStatus status)
    {
        if (Interlocked.CompareExchange(ref _status, status, null) is not null)
        {
            return;
        }

        _channel.Remove(this);
        _deadline?.Dispose();
        _cancellation.Unregister();
        _ended.Cancel();
        RequestContent? content;
        lock (_lock)
        {
            content = _content;
        }

        if (content is null)
        {
            // Nothing was sent and nothing will be.
            ReleaseRequest();
            SignalResponded();
        }
        else
        {
            content.Abort();
            Volatile.Read(ref _response)?.Dispose();
        }
    }

    internal void RequestBodyStarted()
    {
        // The handler does not say which connection it took. But while none is proven, this is one that is not.
        _connectionsMadeBefore = _channel.ConnectionsMade;
        _isOnUnprovenConnection = _channel.ConnectionsOpen == 0;
        _isDialling = false;
        Interlocked.Increment(ref _requestUsers);
    }

    internal void RequestBodyIsOpen(Stream stream) => _opened!.TrySetResult(stream);

    internal void RequestBodyEnded() => ReleaseRequest();

    private ValueTask SendAsync(ReadOnlySequence<byte>? message, bool endOfStream, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        lock (_lock)
        {
            if (_isWriting)
            {
                throw new InvalidOperationException("another write of this call is going on");
            }

            if (_isHalfClosed)
            {
                throw new InvalidOperationException("the request of this call is complete");
            }

            _isHalfClosed = endOfStream;
            if (Status is not null || _isDisposed)
            {
                return default;
            }

            _isWriting = true;
        }

        var isPending = false;
        try
        {
            if (message is { } m && m.Length > _channel.Options.MaxSendMessageBytes)
            {
                End(new GrpcStatus(
                    GrpcStatusCode.ResourceExhausted,
                    $"the message to send has {m.Length} bytes, the limit for messages sent is {_channel.Options.MaxSendMessageBytes} bytes"));
                return default;
            }

            var isFirst = _content is null;
            if (isFirst)
            {
                StartRequest(message, endOfStream);
            }

            if (isFirst && endOfStream)
            {
                return default;
            }

            if (message is null && _requestStream is not null)
            {
                _content!.HalfClose();
                return default;
            }

            isPending = true;
            return ContinueRequestAsync(message, isFirst, endOfStream, cancellationToken);
        }
        finally
        {
            if (!isPending)
            {
                StopWriting();
            }
        }
    }

    private void StartRequest(ReadOnlySequence<byte>? message, bool endOfStream)
    {
        var isCompressed = false;
        if (_options.Compress && message is { IsEmpty: false } plain)
        {
            _compressedRequest = Gzip.Compress(plain);
            message = _compressedRequest.Sequence;
            isCompressed = true;
        }

        if (!endOfStream)
        {
            _opened = new TaskCompletionSource<Stream?>(TaskCreationOptions.RunContinuationsAsynchronously);
        }

        var content = new RequestContent(this, message, isCompressed, endOfStream);
        lock (_lock)
        {
            if (Status is null)
            {
                _isDialling = true;
                _content = content;
            }
        }

        if (_content is null)
        {
            // Ended before anything was sent, so nobody else will.
            Interlocked.Exchange(ref _compressedRequest, null)?.Dispose();
            _opened?.TrySetResult(null);
            return;
        }

        _exchange = ExchangeAsync(content);
    }

    /// <summary>Writes what follows the first message; for the first one itself, waits until the content has written it.</summary>
    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder))]
    private async ValueTask ContinueRequestAsync(ReadOnlySequence<byte>? message, bool isFirst, bool endOfStream, CancellationToken cancellationToken)
    {
        var cancellation = RegisterWait(cancellationToken);
        PooledSegments? compressed = null;
        try
        {
            _requestStream ??= await _opened!.Task.ConfigureAwait(false);
            if (_requestStream is null || isFirst)
            {
                return;
            }

            if (message is { } plain)
            {
                if (_options.Compress && !plain.IsEmpty)
                {
                    compressed = Gzip.Compress(plain);
                }

                await MessageWriter.WriteAsync(_requestStream, compressed?.Sequence ?? plain, compressed is not null, Ended).ConfigureAwait(false);
                if (!endOfStream)
                {
                    await _requestStream.FlushAsync(Ended).ConfigureAwait(false);
                }
            }

            if (endOfStream)
            {
                _content!.HalfClose();
            }
        }
        catch (Exception e) when (e is IOException or HttpRequestException or OperationCanceledException or ObjectDisposedException or InvalidOperationException)
        {
            // The peer or this side has ended the call; how, is the reader's to find.
        }
        finally
        {
            compressed?.Dispose();
            cancellation.Unregister();
            StopWriting();
        }

        cancellationToken.ThrowIfCancellationRequested();
    }

    /// <summary>Sends the request and takes the response's headers. Runs beside the caller; never fails.</summary>
    private async Task ExchangeAsync(RequestContent content)
    {
        try
        {
            var response = await SendAsync(content).ConfigureAwait(false);
            Interlocked.Exchange(ref _response, response);
            if (Status is null)
            {
                TakeHeaders(response);
            }
            else
            {
                response.Dispose();
            }
        }
        catch (Exception e)
        {
            // Whatever the handler throws is the end of this call and of nothing else.
            End(StatusFrom(e));
        }
        finally
        {
            _isDialling = _isOnUnprovenConnection = false;
            ReleaseRequest();
            SignalResponded();
        }
    }

    private async Task<HttpResponseMessage> SendAsync(RequestContent content)
    {
        for (var attempt = 1; ; attempt++)
        {
            try
            {
                var request = RequestMessage.Create(_address, _channel.Options, _options, _deadline?.Remaining, content);
                return await _channel.SendAsync(request, Ended).ConfigureAwait(false);
            }
            catch (HttpRequestException e) when (attempt < MaxAttempts && _isDialling && Status is null && !CallFailure.IsConnectFailure(e))
            {
                // The handler took a pooled connection that was being lost in that moment. Nothing of the request was sent, so that another connection may take it.
            }
        }
    }

    private void TakeHeaders(HttpResponseMessage response)
    {
        var headers = new GrpcMetadata();
        AddReceived(headers, response.Headers.NonValidated);
        ResponseHeaders = headers;

        var contentType = response.Content.Headers.NonValidated.TryGetValues("content-type", out var values) ? values.ToString() : null;
        if (response.StatusCode != HttpStatusCode.OK || !IsGrpc(contentType))
        {
            End(ResponseStatus.Read(headers) ?? CallFailure.FromHttpStatus((int)response.StatusCode, contentType, _channel.Options.Target));
            return;
        }

        Reader.Encoding = headers.Get("grpc-encoding");
        _body = response.Content.ReadAsStream();
    }

    private static void AddReceived(GrpcMetadata metadata, HttpHeadersNonValidated headers)
    {
        foreach (var header in headers)
        {
            foreach (var value in header.Value)
            {
                metadata.AddReceived(header.Key, value);
            }
        }
    }

    // application/grpc, +proto and other formats, with or without parameters; not application/grpc-web.
    private static bool IsGrpc(string? contentType) =>
        contentType is not null
        && contentType.StartsWith("application/grpc", StringComparison.OrdinalIgnoreCase)
        && (contentType.Length == "application/grpc".Length || contentType["application/grpc".Length] is '+' or ';' or ' ');

    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    private async ValueTask<bool> ReadMoreAsync(CancellationToken cancellationToken)
    {
        var cancellation = RegisterWait(cancellationToken);
        var hasMessage = false;
        try
        {
            await _responded.Task.ConfigureAwait(false);
            while (Status is null && !hasMessage)
            {
                switch (Reader.TryTake())
                {
                    case MessageReader.Outcome.Message:
                        hasMessage = true;
                        break;
                    case MessageReader.Outcome.Failed:
                        End(Reader.Error!);
                        break;
                    default:
                        if (!await Reader.FillAsync(_body!, Ended).ConfigureAwait(false))
                        {
                            TakeTrailers();
                        }

                        break;
                }
            }
        }
        catch (Exception e) when (e is IOException or HttpRequestException or OperationCanceledException or ObjectDisposedException or InvalidOperationException)
        {
            End(StatusFrom(e));
        }
        finally
        {
            cancellation.Unregister();
            if (!hasMessage)
            {
                Reader.Dispose();
            }

            StopReading();
        }

        if (!hasMessage)
        {
            cancellationToken.ThrowIfCancellationRequested();
        }

        return hasMessage;
    }

    private void TakeTrailers()
    {
        var trailers = new GrpcMetadata();
        AddReceived(trailers, _response!.TrailingHeaders.NonValidated);
        var status = ResponseStatus.Read(trailers);
        if (status is null && ResponseStatus.Read(ResponseHeaders) is { } inHeaders)
        {
            // "Trailers-Only": a peer that has no message to send puts everything into one block.
            status = inHeaders;
            trailers = ResponseHeaders;
        }

        Trailers = trailers;
        if (Reader.IsInsideMessage && status is null or { IsOK: true })
        {
            status = new GrpcStatus(GrpcStatusCode.Internal, "the peer ended the response in the middle of a message");
        }

        End(status ?? new GrpcStatus(GrpcStatusCode.Unknown, "the peer ended the response without a grpc-status"));
    }

    private GrpcStatus StatusFrom(Exception exception)
    {
        var status = CallFailure.From(exception, _channel.Options.Target, wasSent: !_isDialling, _content!.WasResent, _channel.LastConnectFailure);

        // A peer that keeps the deadline too may reset the stream a moment before this side's timer fires.
        return status.Code == GrpcStatusCode.Cancelled && _deadline is { HasPassed: true } deadline ? deadline.ToStatus() : status;
    }

    private CancellationTokenRegistration RegisterWait(CancellationToken cancellationToken) =>
        cancellationToken.UnsafeRegister(static call => ((GrpcCall)call!).Cancel(), this);

    /// <summary>One of those that use the request's memory does not any more: the handler, or a body being written.</summary>
    private void ReleaseRequest()
    {
        if (Interlocked.Decrement(ref _requestUsers) == 0)
        {
            Interlocked.Exchange(ref _compressedRequest, null)?.Dispose();
            _opened?.TrySetResult(null);
            _requestReleased.TrySetResult();
        }
    }

    private void SignalResponded()
    {
        if (Status is null)
        {
            // A response has come over the network, so this is a pool thread: the reader goes on right here, which saves a change of threads per call.
            _responded.TrySetResult();
        }
        else
        {
            // This may be any thread, for instance the caller's in Cancel.
            ThreadPool.UnsafeQueueUserWorkItem(static responded => responded.TrySetResult(), _responded, preferLocal: false);
        }
    }

    private void StopReading()
    {
        lock (_lock)
        {
            _isReading = false;
            SignalIdle();
        }
    }

    private void StopWriting()
    {
        lock (_lock)
        {
            _isWriting = false;
            SignalIdle();
        }
    }

    private void SignalIdle()
    {
        if (!_isReading && !_isWriting)
        {
            _idle?.TrySetResult();
        }
    }
}
