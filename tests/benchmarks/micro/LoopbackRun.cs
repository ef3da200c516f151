using System.Text;
using BenchmarkDotNet.Attributes;
using Genkit.Sidecar.Benchmarks.Application;
using Microsoft.AspNetCore.Builder;

namespace Genkit.Sidecar.Benchmarks.Micro;

/// <summary>Runs through an application in this process, over loopback. Its time and memory are both sides' together.</summary>
[MemoryDiagnoser]
public class LoopbackRun
{
    private const int Chunks = 1000;

    private readonly byte[] _input = Frames.Payload(200);
    private readonly byte[] _streamInput = Encoding.UTF8.GetBytes($$"""{"chunks":{{Chunks}}}""");
    private WebApplication _application = null!;
    private LoopbackCaller _caller = null!;

    [GlobalSetup]
    public async Task SetupAsync()
    {
        _application = await BenchmarkApplication.StartAsync();
        _caller = new LoopbackCaller(_application.Urls.First());
    }

    [GlobalCleanup]
    public async Task CleanupAsync()
    {
        await _caller.DisposeAsync();
        await _application.DisposeAsync();
    }

    [Benchmark]
    public Task<long> Plain() => _caller.RunAsync("/flow/echo", _input);

    [Benchmark(OperationsPerInvoke = Chunks)]
    public Task<long> StreamedChunk() => _caller.RunAsync("/flow/stream", _streamInput);
}
