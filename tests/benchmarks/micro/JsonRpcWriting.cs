using System.Buffers;
using BenchmarkDotNet.Attributes;
using Genkit.Sidecar.Json;
using Genkit.Sidecar.JsonRpc;

namespace Genkit.Sidecar.Benchmarks.Micro;

/// <summary>Writes the frames of a run. Those with a payload check it first, as the sidecar does.</summary>
[MemoryDiagnoser]
public class JsonRpcWriting
{
    private const string TraceId = "0af7651916cd43dd8448eb211c80319c";

    private readonly OutgoingFrame _frame = new();
    private readonly RequestId _request = new("\"12345\""u8.ToArray());
    private readonly ReadOnlySequence<byte> _chunk = new(Frames.Payload(60));
    private readonly ReadOnlySequence<byte> _result = new(Frames.Payload(200));
    private readonly ReadOnlySequence<byte> _largeResult = new(Frames.Payload(100_000));

    [Benchmark]
    public long RunActionState()
    {
        _frame.Clear();
        JsonRpcWriter.RunActionState(_frame, _request, TraceId);
        return _frame.Length;
    }

    [Benchmark]
    public long StreamChunk()
    {
        Check(_chunk);
        _frame.Clear();
        JsonRpcWriter.StreamChunk(_frame, _request, _chunk);
        return _frame.Length;
    }

    [Benchmark]
    public long Result200Bytes() => Result(_result);

    [Benchmark]
    public long Result100Kilobytes() => Result(_largeResult);

    private long Result(in ReadOnlySequence<byte> result)
    {
        Check(result);
        _frame.Clear();
        JsonRpcWriter.RunActionResult(_frame, _request, result, TraceId);
        return _frame.Length;
    }

    private static void Check(in ReadOnlySequence<byte> payload)
    {
        if (JsonPayload.FindDefect(payload, out _) is { } defect)
        {
            throw new InvalidOperationException(defect);
        }
    }
}
