using Genkit.Sidecar.Endpoints.ReflectionV2;

namespace Genkit.Sidecar.Tests.Endpoints.ReflectionV2;

public class ReconnectBackoffTests
{
    private static readonly TimeSpan s_interval = TimeSpan.FromMilliseconds(500);
    private static readonly TimeSpan s_maxInterval = TimeSpan.FromSeconds(5);

    [Theory]
    [InlineData(0.0, 400)]
    [InlineData(0.5, 500)]
    [InlineData(0.999999, 599.9998)]
    public void NextDelay_FirstMinute_IsTheIntervalGiveOrTakeAFifth(double jitter, double milliseconds)
    {
        var backoff = new ReconnectBackoff(s_interval, s_maxInterval, () => jitter);

        foreach (var seconds in (int[])[0, 1, 30, 59])
        {
            Assert.Equal(milliseconds, backoff.NextDelay(TimeSpan.FromSeconds(seconds)).TotalMilliseconds, 3);
        }
    }

    [Fact]
    public void NextDelay_AfterTheFirstMinute_DoublesUpToTheMaximum()
    {
        var backoff = Backoff(s_interval, s_maxInterval);

        Assert.Equal([1, 2, 4, 5, 5, 5], Delays(backoff, TimeSpan.FromMinutes(1), 6));
    }

    [Fact]
    public void NextDelay_ForEver_StaysAtTheMaximum()
    {
        var backoff = Backoff(TimeSpan.FromMilliseconds(10), TimeSpan.FromHours(1));

        Assert.All(Delays(backoff, TimeSpan.MaxValue, 10_000).Skip(30), seconds => Assert.Equal(3600, seconds));
    }

    [Fact]
    public void Reset_AfterAnOutage_BeginsAnew()
    {
        var backoff = Backoff(s_interval, s_maxInterval);
        Delays(backoff, TimeSpan.FromHours(1), 5);

        backoff.Reset();

        Assert.Equal(0.5, backoff.NextDelay(TimeSpan.Zero).TotalSeconds);
        Assert.Equal(1, backoff.NextDelay(TimeSpan.FromMinutes(2)).TotalSeconds);
    }

    [Fact]
    public void NextDelay_ExtremeValues_NeverOverflows()
    {
        foreach (var elapsed in (TimeSpan[])[TimeSpan.MinValue, TimeSpan.FromTicks(-1), TimeSpan.Zero, TimeSpan.MaxValue])
        {
            var backoff = new ReconnectBackoff(TimeSpan.FromMilliseconds(10), TimeSpan.FromHours(1), () => 0.999);
            for (var i = 0; i < 200; i++)
            {
                Assert.InRange(backoff.NextDelay(elapsed), TimeSpan.FromMilliseconds(8), TimeSpan.FromMinutes(72));
            }
        }
    }

    [Fact]
    public void NextDelay_IntervalOverTheMaximum_IsTheMaximum()
    {
        Assert.Equal([5, 5], Delays(Backoff(TimeSpan.FromHours(1), s_maxInterval), TimeSpan.Zero, 2));
    }

    [Fact]
    public void NextDelay_RandomJitter_StaysWithinAFifth()
    {
        var backoff = new ReconnectBackoff(s_interval, s_maxInterval, new Random(20261129).NextDouble);
        var delays = Enumerable.Range(0, 1_000).Select(_ => backoff.NextDelay(TimeSpan.Zero).TotalMilliseconds).ToList();

        Assert.All(delays, delay => Assert.InRange(delay, 400, 600));
        Assert.InRange(delays.Average(), 490, 510);
    }

    private static ReconnectBackoff Backoff(TimeSpan interval, TimeSpan maxInterval) => new(interval, maxInterval, () => 0.5);

    private static List<double> Delays(ReconnectBackoff backoff, TimeSpan sinceLoss, int count) =>
        [.. Enumerable.Range(0, count).Select(_ => backoff.NextDelay(sinceLoss).TotalSeconds)];
}
