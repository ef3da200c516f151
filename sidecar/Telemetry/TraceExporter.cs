using Genkit.Sidecar.Metrics;

namespace Genkit.Sidecar.Telemetry;

/// <summary>
/// Posts spans in the background: those of one trace in their order, several traces at a time, out of a bounded queue. A server that fails
/// is asked with one request at a time until it answers again, and meanwhile no run waits for it.
/// </summary>
internal sealed partial class TraceExporter : IAsyncDisposable
{
    /// <summary>Counted for each span at least, so that many small ones are bounded too.</summary>
    public const long LeastBytes = 4 * 1024;

    /// <summary>The server is one thread of JavaScript that mostly waits for its disk; more requests would only wait there.</summary>
    private const int MaxRequests = 8;

    /// <summary>A span that the server never answers must not be tried for ever in front of all others.</summary>
    private const int MaxUnanswered = 3;

    /// <summary>One in so many parts of the queue is kept for the runs' own spans, however much an application exports.</summary>
    private const int ReservedPart = 4;

    /// <summary>One span may be at fault by itself; as many in a row are the server's fault.</summary>
    private const int RefusalsThatOpen = 3;

    private readonly TelemetryServer _server;
    private readonly TelemetryOptions _options;
    private readonly TelemetryMetrics _metrics;
    private readonly TimeProvider _time;
    private readonly ILogger<TraceExporter> _logger;
    private readonly TelemetryClient _client;
    private readonly CircuitBreaker _breaker;
    private readonly Complaint _away;
    private readonly Complaint _refused;
    private readonly Complaint _full;
    private readonly CancellationTokenSource _hurry = new();
    private readonly CancellationTokenSource _stop = new();
    private readonly TaskCompletionSource _drained = new(TaskCreationOptions.RunContinuationsAsynchronously);

    private readonly Lock _gate = new();
    private readonly Dictionary<string, Lane> _lanes = [];
    private readonly Queue<Lane> _ready = new();
    private readonly ITimer _probe;
    private Uri? _lastAddress;
    private int _requests;
    private int _refusals;
    private int _queued;
    private bool _isDraining;
    private bool _isStopped;
    private long _lostWhenLastWell;
    private long _takenBytes;

    public TraceExporter(TelemetryServer server, TelemetryOptions options, TelemetryMetrics metrics, TimeProvider time, ILogger<TraceExporter> logger)
    {
        _server = server;
        _options = options;
        _metrics = metrics;
        _time = time;
        _logger = logger;
        _client = new TelemetryClient(options.Timeout, time);
        _breaker = new CircuitBreaker(time);
        _away = new Complaint(time);
        _refused = new Complaint(time);
        _full = new Complaint(time);
        _probe = time.CreateTimer(static exporter => ((TraceExporter)exporter!).Probe(), this, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
        metrics.WatchQueue(() => Volatile.Read(ref _queued), () => Interlocked.Read(ref _takenBytes));
    }

    /// <summary>Part of the bound that is for what the application exported.</summary>
    public long MaxExportedBytes => _options.MaxQueueBytes - (_options.MaxQueueBytes / ReservedPart);

    /// <summary>Takes bytes of the bound, for a span that will be posted. False if there are not so many left.</summary>
    public bool TryTake(long bytes) => TryTake(bytes, _options.MaxQueueBytes);

    /// <summary>Does so for what the application exported, which leaves some of the bound to the runs' own spans.</summary>
    public bool TryTakeForExported(long bytes)
    {
        if (TryTake(bytes, MaxExportedBytes))
        {
            return true;
        }

        SayFull();
        return false;
    }

    /// <summary>Gives back what was taken for something that will not be posted.</summary>
    public void GiveBack(long bytes) => Interlocked.Add(ref _takenBytes, -bytes);

    /// <summary>Counts a span for which there was no room.</summary>
    public void NoteDropped()
    {
        _metrics.Count(TelemetryItem.RootSpan, TelemetryOutcome.Dropped);
        SayFull();
    }

    /// <summary>Says that a span was lost by a fault of the sidecar's own.</summary>
    public void NoteFaulted(Exception exception)
    {
        _metrics.Count(TelemetryItem.RootSpan, TelemetryOutcome.Dropped);
        Log.Faulted(_logger, exception);
    }

    /// <summary>Queues a post, and takes its body over.</summary>
    public void Post(TracePost post)
    {
        Interlocked.Add(ref _takenBytes, post.HeldBytes - post.TakenBytes);
        lock (_gate)
        {
            if (_isStopped)
            {
                Lose(post, TelemetryOutcome.Dropped);
                return;
            }

            if (!_lanes.TryGetValue(post.Order, out var lane))
            {
                _lanes[post.Order] = lane = new Lane(post.Order);
                _ready.Enqueue(lane);
            }

            if (post.Content == PostContent.RootEnd && lane.DropNeedlessStart() is { } start)
            {
                _queued--;
                Free(start);
            }

            lane.Posts.Enqueue(post);
            _queued++;
            Advance();
            if (_breaker.IsOpen || _server.Address is null)
            {
                post.Settle();
            }
        }
    }

    /// <summary>Queues a post and waits until it was taken, or waiting is of no use. Does not fail.</summary>
    /// <param name="post">Whose body is taken over.</param>
    /// <param name="patience">The longest wait. A post that takes all of <c>--telemetry-wait</c> shows that the server is too slow to be waited for.</param>
    public Task PostAsync(TracePost post, TimeSpan patience)
    {
        Post(post);
        return patience == TimeSpan.Zero || post.Settled.IsCompleted ? Task.CompletedTask : WaitAsync(post, patience);
    }

    /// <summary>Ends every wait, and lets none begin.</summary>
    public void StopWaiting() => _hurry.Cancel();

    /// <summary>Posts what is queued. Gives up when the time is over or the server fails, and counts what is left as lost.</summary>
    public async Task DrainAsync(CancellationToken cancellationToken)
    {
        StopWaiting();
        lock (_gate)
        {
            _isDraining = true;
            if (_lanes.Count == 0 || _server.Address is null)
            {
                _drained.TrySetResult();
            }

            // One more request, even if it is not time for a probe yet: there will be no later one.
            Advance();
        }

        try
        {
            await _drained.Task.WaitAsync(cancellationToken);
        }
        catch (OperationCanceledException)
        {
            // What is left is lost.
        }

        await StopAsync();
    }

    public async ValueTask DisposeAsync()
    {
        await StopAsync();
        await _probe.DisposeAsync();
        _client.Dispose();
        _hurry.Dispose();
    }

    private bool TryTake(long bytes, long most)
    {
        // Never more than there is, even for a moment: it would refuse a span for which there is room.
        long taken;
        do
        {
            taken = Interlocked.Read(ref _takenBytes);
            if (taken + bytes > most)
            {
                return false;
            }
        }
        while (Interlocked.CompareExchange(ref _takenBytes, taken + bytes, taken) != taken);

        return true;
    }

    private async Task StopAsync()
    {
        lock (_gate)
        {
            if (_isStopped)
            {
                return;
            }

            _isStopped = true;
            var underWay = 0;
            foreach (var lane in _lanes.Values)
            {
                // What is under way is its sender's to count.
                if (lane.IsSending && lane.Posts.Peek() is { Content: not PostContent.RootStart } sending)
                {
                    underWay += sending.Items;
                }

                foreach (var post in lane.Posts.Skip(lane.IsSending ? 1 : 0))
                {
                    _queued--;
                    Lose(post, TelemetryOutcome.Dropped);
                }
            }

            // Includes losses that have not been logged yet.
            var lost = _metrics.Lost - _lostWhenLastWell + underWay;
            if (lost > 0)
            {
                Log.LostAtEnd(_logger, lost);
            }
        }

        await _stop.CancelAsync();
    }

    private async Task WaitAsync(TracePost post, TimeSpan patience)
    {
        try
        {
            await post.Settled.WaitAsync(patience, _time, _hurry.Token);
        }
        catch (TimeoutException) when (patience >= _options.Wait)
        {
            lock (_gate)
            {
                Open(static breaker => breaker.Slow());
                SayAway($"took longer than {patience.TotalSeconds:0.###} s (--telemetry-wait)");
            }
        }
        catch (Exception exception) when (exception is TimeoutException or OperationCanceledException)
        {
            // The stop is urgent.
        }
    }

    private void Probe()
    {
        lock (_gate)
        {
            Advance();
        }
    }

    /// <summary>Starts the requests that may go out now.</summary>
    private void Advance()
    {
        while (_ready.Count > 0 && !_isStopped && _server.Address is { } address && _requests < (_breaker.IsOpen ? 1 : MaxRequests))
        {
            if (address != _lastAddress)
            {
                // Another server, of which nothing bad is known.
                _lastAddress = address;
                _breaker.Close();
            }

            if (!_isDraining && _breaker.UntilProbe is var pause && pause > TimeSpan.Zero)
            {
                // Rounded up, for a timer takes whole milliseconds and must not fire before its time.
                _probe.Change(TimeSpan.FromMilliseconds(Math.Ceiling(pause.TotalMilliseconds)), Timeout.InfiniteTimeSpan);
                return;
            }

            var lane = _ready.Dequeue();
            var post = lane.Posts.Peek();
            lane.IsSending = true;
            _requests++;
            _ = Task.Run(() => SendAsync(lane, post, address));
        }
    }

    private async Task SendAsync(Lane lane, TracePost post, Uri address)
    {
        var sentAt = _time.GetTimestamp();
        var (outcome, problem) = await _client.PostAsync(address, post.Content == PostContent.Logs ? "api/otlp/v1/logs" : "api/traces", post.Body, _stop.Token);
        var isQuick = _options.Wait == TimeSpan.Zero || _time.GetElapsedTime(sentAt) < _options.Wait;
        lock (_gate)
        {
            _requests--;
            lane.IsSending = false;

            // A server that is not asked any more says nothing of the one that is, which gets the post next.
            var isOutdated = address != _lastAddress && outcome != PostOutcome.Accepted && !_isStopped;
            if (!isOutdated && Judge(post, outcome, problem, isQuick))
            {
                _queued--;
                lane.Posts.Dequeue();
            }

            if (_isStopped)
            {
                return;
            }

            if (lane.Posts.Count > 0)
            {
                _ready.Enqueue(lane);
            }
            else
            {
                _lanes.Remove(lane.Order);
            }

            if (_isDraining && (_lanes.Count == 0 || outcome is PostOutcome.Unanswered or PostOutcome.Unreachable))
            {
                _drained.TrySetResult();
            }

            Advance();
        }
    }

    /// <returns>Whether the post is over and done with; else it will be sent again.</returns>
    private bool Judge(TracePost post, PostOutcome outcome, string problem, bool isQuick)
    {
        switch (outcome)
        {
            case PostOutcome.Accepted:
                _refusals = 0;
                if (isQuick && _breaker.IsOpen)
                {
                    _breaker.Close();
                }

                Count(post, TelemetryOutcome.Accepted);
                post.Settle();
                Free(post);
                SayWell();
                return true;

            case PostOutcome.Refused:
                if (++_refusals >= RefusalsThatOpen)
                {
                    Open(static breaker => breaker.Failed());
                }

                SayRefused(problem);
                Lose(post, TelemetryOutcome.Refused);
                return true;

            case PostOutcome.Unanswered when _isStopped || ++post.Unanswered >= MaxUnanswered:
                Open(static breaker => breaker.Failed());
                SayAway(problem);
                Lose(post, _isStopped ? TelemetryOutcome.Dropped : TelemetryOutcome.Unanswered);
                return true;

            default:
                Open(static breaker => breaker.Failed());
                SayAway(problem);
                if (_isStopped)
                {
                    Lose(post, TelemetryOutcome.Dropped);
                }

                return _isStopped;
        }
    }

    /// <summary>Runs do not wait for a server that fails.</summary>
    private void Open(Action<CircuitBreaker> how)
    {
        how(_breaker);
        foreach (var lane in _lanes.Values)
        {
            foreach (var post in lane.Posts)
            {
                post.Settle();
            }
        }
    }

    private void Count(TracePost post, TelemetryOutcome outcome)
    {
        if (post.Content != PostContent.RootStart)
        {
            var item = post.Content switch
            {
                PostContent.RootEnd => TelemetryItem.RootSpan,
                PostContent.Spans => TelemetryItem.Span,
                _ => TelemetryItem.LogRecord,
            };
            _metrics.Count(item, outcome, post.Items);
        }
    }

    private void Lose(TracePost post, TelemetryOutcome outcome)
    {
        Count(post, outcome);
        post.Settle();
        Free(post);
    }

    private void Free(TracePost post)
    {
        GiveBack(post.HeldBytes);
        post.Body.Release();
    }

    private void SayAway(string problem)
    {
        if (!_isStopped && _away.TryOpen())
        {
            Log.Away(_logger, _lastAddress, problem, _options.MaxQueueBytes);
        }
    }

    private void SayFull()
    {
        lock (_gate)
        {
            if (_full.TryOpen())
            {
                Log.Full(_logger, _options.MaxQueueBytes);
            }
        }
    }

    private void SayRefused(string problem)
    {
        if (_refused.TryOpen())
        {
            Log.Refused(_logger, _lastAddress, problem);
        }
    }

    private void SayWell()
    {
        if ((_away.IsOpen || _full.IsOpen || _refused.IsOpen) && !_breaker.IsOpen)
        {
            Log.Well(_logger, _lastAddress, _metrics.Lost - _lostWhenLastWell);
            _lostWhenLastWell = _metrics.Lost;
            _away.Close();
            _full.Close();
            _refused.Close();
        }
    }

    /// <summary>Posts of one order. In <see cref="_ready"/> unless one of them is being sent.</summary>
    private sealed class Lane(string order)
    {
        public string Order { get; } = order;

        public Queue<TracePost> Posts { get; } = new();

        /// <summary>Whether the first one is being sent.</summary>
        public bool IsSending { get; set; }

        /// <summary>Removes the post of a start that has not been sent; the span's end tells all of it. A start is always the first.</summary>
        public TracePost? DropNeedlessStart() =>
            !IsSending && Posts.TryPeek(out var first) && first.Content == PostContent.RootStart ? Posts.Dequeue() : null;
    }

    private static partial class Log
    {
        [LoggerMessage(LogLevel.Warning, "The telemetry server at {Address} {Problem}. Traces wait for it, {Bytes} bytes at most (--telemetry-max-queue-bytes), and runs do not", EventName = "TelemetryServerUnavailable")]
        public static partial void Away(ILogger logger, Uri? address, string problem, long bytes);

        [LoggerMessage(LogLevel.Warning, "The telemetry server at {Address} refused spans or logs: it {Problem}", EventName = "TelemetryRejected")]
        public static partial void Refused(ILogger logger, Uri? address, string problem);

        [LoggerMessage(LogLevel.Warning, "Traces lose spans, and the application is asked to send its own again: there is no room for more than the {Bytes} bytes that --telemetry-max-queue-bytes allows to wait for the telemetry server", EventName = "TelemetryQueueFull")]
        public static partial void Full(ILogger logger, long bytes);

        [LoggerMessage(LogLevel.Error, "A span was lost inside the sidecar", EventName = "TelemetryExportFaulted")]
        public static partial void Faulted(ILogger logger, Exception exception);

        [LoggerMessage(LogLevel.Information, "The telemetry server at {Address} takes traces again; {Lost} spans and log records were lost", EventName = "TelemetryServerRecovered")]
        public static partial void Well(ILogger logger, Uri? address, long lost);

        [LoggerMessage(LogLevel.Warning, "{Count} spans and log records were lost: the telemetry server had not taken them when the sidecar stopped", EventName = "TelemetryLostAtShutdown")]
        public static partial void LostAtEnd(ILogger logger, long count);
    }
}
