using System.Diagnostics;
using Genkit.Sidecar.V1;
using Google.Protobuf;

namespace Genkit.Sidecar.Benchmarks.Direct;

/// <summary>Keeps a number of runs in flight: each one that ends is followed by the next.</summary>
internal sealed class ClosedLoop(ActionService.ActionServiceClient client, Load load)
{
    private readonly RunActionRequest _request = new() { Key = load.Key, InputJson = ByteString.CopyFromUtf8(load.Input), Stream = true };
    private readonly Lock _gate = new();
    private readonly List<double> _latencies = [];
    private readonly List<double> _firstChunks = [];
    private long _chunks;
    private volatile bool _isMeasuring;
    private volatile bool _isOver;

    public async Task<Measurement> MeasureAsync(System.Action begin, System.Action end)
    {
        _isOver = load.Seconds == 0;
        _isMeasuring = _isOver;
        var started = Stopwatch.GetTimestamp();
        if (_isOver)
        {
            begin();
        }

        var workers = Enumerable.Range(0, load.InFlight).Select(_ => Task.Run(WorkAsync)).ToArray();
        if (!_isOver)
        {
            await Task.Delay(TimeSpan.FromSeconds(load.WarmUpSeconds));
            begin();
            started = Stopwatch.GetTimestamp();
            _isMeasuring = true;
            await Task.Delay(TimeSpan.FromSeconds(load.Seconds));
            _isMeasuring = false;
        }
        else
        {
            await Task.WhenAll(workers);
        }

        var seconds = Stopwatch.GetElapsedTime(started).TotalSeconds;
        end();
        _isOver = true;
        await Task.WhenAll(workers);
        return new Measurement(_latencies.Count, Interlocked.Read(ref _chunks), seconds, [.. _latencies], [.. _firstChunks]);
    }

    private async Task WorkAsync()
    {
        do
        {
            await RunAsync();
        }
        while (!_isOver);
    }

    private async Task RunAsync()
    {
        var started = Stopwatch.GetTimestamp();
        double? firstChunk = null;
        using var call = client.RunAction(_request);
        var responses = call.ResponseStream;
        while (await responses.MoveNext(CancellationToken.None))
        {
            if (responses.Current.UpdateCase == RunActionResponse.UpdateOneofCase.ChunkJson)
            {
                firstChunk ??= Stopwatch.GetElapsedTime(started).TotalMilliseconds;
                if (_isMeasuring)
                {
                    Interlocked.Increment(ref _chunks);
                }
            }
        }

        if (_isMeasuring)
        {
            var latency = Stopwatch.GetElapsedTime(started).TotalMilliseconds;
            lock (_gate)
            {
                _latencies.Add(latency);
                if (firstChunk is { } first)
                {
                    _firstChunks.Add(first);
                }
            }
        }
    }
}
