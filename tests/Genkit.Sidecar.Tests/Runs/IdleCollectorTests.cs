using Genkit.Sidecar.Application;
using Genkit.Sidecar.Configuration;
using Genkit.Sidecar.GrpcClient;
using Genkit.Sidecar.Metrics;
using Genkit.Sidecar.Runs;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;

namespace Genkit.Sidecar.Tests.Runs;

public sealed class IdleCollectorTests : IDisposable
{
    private readonly FakeTimeProvider _time = new();
    private readonly IdleCollector _collector;
    private long _allocated = 10_000_000;
    private int _collections;

    public IdleCollectorTests()
    {
        var application = new ApplicationClient(
            new ApplicationClientOptions(new ClientChannelOptions { Target = GrpcTarget.Parse("http://127.0.0.1:1") }, TimeSpan.FromSeconds(1), TimeSpan.Zero, 1_000_000, "0"),
            NullLogger<ApplicationClient>.Instance);
        var runs = new ActiveRuns(
            application, new LimitSettings { MaxConcurrentRuns = 10, MaxInputQueueBytes = 1_000, MaxMessageBytes = 1_000_000 }, new RunMetrics(SidecarMeter.Create()), tracer: null, _time, NullLogger<ActiveRuns>.Instance);
        _collector = new IdleCollector(runs, _time, () => _collections++, () => _allocated);
    }

    [Fact]
    public void Touch_QuietAfterwards_CollectsAndOnceMoreForThePool()
    {
        _collector.Touch();
        Assert.Equal(0, Advance(0.4));
        Assert.Equal(1, Advance(1));
        Assert.Equal(1, Advance(30));
        Assert.Equal(2, Advance(10));
        Assert.Equal(2, Advance(3600));
    }

    [Fact]
    public void Touch_WhileThePoolIsWaitedFor_CollectsSoonAgain()
    {
        _collector.Touch();
        Assert.Equal(1, Advance(2));

        _allocated += 100_000_000;
        _collector.Touch();
        Assert.Equal(2, Advance(2));
    }

    [Fact]
    public void Touch_AgainAndAgain_WaitsUntilItIsQuiet()
    {
        for (var i = 0; i < 20; i++)
        {
            _collector.Touch();
            Assert.Equal(0, Advance(0.4));
        }

        Assert.Equal(1, Advance(1.5));
    }

    [Fact]
    public void Touch_LittleAllocatedSince_DoesNotCollect()
    {
        _collector.Touch();
        Assert.Equal(2, Advance(60));

        _allocated += 100_000;
        _collector.Touch();
        Assert.Equal(2, Advance(3600));

        _allocated += 5_000_000;
        _collector.Touch();
        Assert.Equal(3, Advance(1.5));
    }

    public void Dispose() => _collector.Dispose();

    private int Advance(double seconds)
    {
        // Each timer that fires starts the next one from the time at which it fired.
        for (var left = seconds; left > 0; left -= 0.1)
        {
            _time.Advance(TimeSpan.FromSeconds(Math.Min(left, 0.1)));
        }

        return _collections;
    }
}
