using System.Buffers;
using System.Diagnostics.Metrics;
using Genkit.Sidecar.Metrics;
using Genkit.Sidecar.Telemetry;
using Genkit.Sidecar.Tests.Configuration;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;

namespace Genkit.Sidecar.Tests.Telemetry;

/// <summary>Cases that neither the real nor the fake telemetry server can produce.</summary>
public sealed class TraceExporterTests : IAsyncDisposable
{
    private const long QueueBytes = 64 * 1024;

    private readonly Meter _meter = new("test");
    private readonly FakeTimeProvider _time = new();
    private readonly TelemetryOptions _options = new(TimeSpan.FromMinutes(1), TimeSpan.FromSeconds(10), 16 * 1024 * 1024, 64 * 1024, IsRealtime: false);
    private readonly TelemetryServer _server = new(Reading.Good().Telemetry, NullLogger<TelemetryServer>.Instance);
    private readonly TraceExporter _exporter;

    public TraceExporterTests() =>
        _exporter = new TraceExporter(_server, _options, new TelemetryMetrics(_meter), _time, NullLogger<TraceExporter>.Instance);

    public async ValueTask DisposeAsync()
    {
        await _exporter.DisposeAsync();
        _meter.Dispose();
    }

    [Fact]
    public void End_OfARunWhoseServerIsNoLongerNamed_IsNotWaitedFor()
    {
        Name("http://localhost:4033");
        var span = Tracer().Start(new RootSpanStart(TraceContext.Create(), "/flow/x"))!;
        Name(null);

        Assert.True(span.SucceedAsync(output: null, TimeSpan.FromMinutes(1)).IsCompletedSuccessfully);
    }

    [Fact]
    public void Span_ThatCannotBeMade_GivesItsRoomBack()
    {
        Name("http://localhost:4033");

        Assert.Null(Tracer().Start(new RootSpanStart(TraceContext.Create(), "/flow/x") { Context = new ReadOnlySequence<byte>("{\"a\""u8.ToArray()) }));

        Assert.True(_exporter.TryTake(QueueBytes));
    }

    private void Name(string? url)
    {
        _server.Connected(new Uri("ws://localhost:3200"));
        _server.Registered(url);
    }

    private Tracer Tracer() => new(_server, new KnownTraces(NullLogger<KnownTraces>.Instance), _exporter, _options, _time);
}
