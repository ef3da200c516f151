using System.Buffers;
using BenchmarkDotNet.Attributes;
using Genkit.Sidecar.Endpoints.ReflectionV2;
using Genkit.Sidecar.JsonRpc;

namespace Genkit.Sidecar.Benchmarks.Micro;

/// <summary>Reads a <c>runAction</c> as it lies in the receive loop's buffers.</summary>
[MemoryDiagnoser]
public class JsonRpcReading
{
    private readonly ReceivedFrame _frame = new();

    [Params(200, 100_000)]
    public int InputBytes { get; set; }

    [GlobalSetup]
    public void Setup()
    {
        var rest = Frames.RunAction(InputBytes).AsSpan();
        while (!rest.IsEmpty)
        {
            var memory = _frame.GetMemory();
            var part = rest[..Math.Min(rest.Length, memory.Length)];
            part.CopyTo(memory.Span);
            _frame.Advance(part.Length);
            rest = rest[part.Length..];
        }
    }

    [GlobalCleanup]
    public void Cleanup() => _frame.Dispose();

    [Benchmark]
    public string? Read() => JsonRpcReader.Read(_frame.Bytes, out _);
}
