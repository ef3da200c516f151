using Genkit.Sidecar.Telemetry;
using Microsoft.Extensions.Time.Testing;

namespace Genkit.Sidecar.Tests.Telemetry;

public class CircuitBreakerTests
{
    [Fact]
    public void Breaker_FailureAfterFailure_ProbesMoreSeldom()
    {
        var time = new FakeTimeProvider();
        var breaker = new CircuitBreaker(time);
        Assert.False(breaker.IsOpen);

        var pauses = new List<double>();
        for (var i = 0; i < 7; i++)
        {
            breaker.Failed();
            pauses.Add(breaker.UntilProbe.TotalSeconds);
            time.Advance(breaker.UntilProbe);
            Assert.Equal(TimeSpan.Zero, breaker.UntilProbe);
            Assert.True(breaker.IsOpen);
        }

        Assert.Equal([0.5, 1, 2, 4, 8, 10, 10], pauses);

        breaker.Close();
        Assert.False(breaker.IsOpen);
        breaker.Failed();
        Assert.Equal(0.5, breaker.UntilProbe.TotalSeconds);
    }

    [Fact]
    public void Breaker_SlowServer_ProbesAtOnce()
    {
        var breaker = new CircuitBreaker(new FakeTimeProvider());

        breaker.Slow();

        Assert.True(breaker.IsOpen);
        Assert.InRange(breaker.UntilProbe, TimeSpan.MinValue, TimeSpan.Zero);
    }
}
