using Genkit.Sidecar.ApplicationTelemetry;
using Genkit.Sidecar.Otlp.Wire;
using Genkit.Sidecar.Tests.Otlp;

namespace Genkit.Sidecar.Tests.ApplicationTelemetry;

public class SortedSpansTests
{
    private readonly Spans _spans = new();

    [Fact]
    public void Span_OfARun_IsKept()
    {
        var sorted = Sort(_ => { });

        Assert.Equal((1, 0, 0, ""), (sorted.OfRuns.Count, sorted.Unknown, sorted.Rejected, sorted.Problem));
    }

    [Fact]
    public void Span_OfAnotherTrace_IsUnknownButNotRejected()
    {
        var sorted = Sort(span => span.TraceId = Spans.Id("11111111111111111111111111111111"));

        Assert.Equal((0, 1, 0), (sorted.OfRuns.Count, sorted.Unknown, sorted.Rejected));
        Assert.Equal("11111111111111111111111111111111", sorted.UnknownTraceId);
    }

    [Theory]
    [InlineData("00f067aa0ba902", "span id")]
    [InlineData("0000000000000000", "span id")]
    [InlineData("b7ad6b7169203331", "run's own span")]
    public void Span_WithAnIdThatCannotBe_IsRejected(string spanId, string problem)
    {
        var sorted = Sort(span => span.SpanId = Spans.Id(spanId));

        Assert.Equal((0, 1), (sorted.OfRuns.Count, sorted.Rejected));
        Assert.Contains(problem, sorted.Problem, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("")]
    [InlineData("00000000000000000000000000000000")]
    [InlineData("0af7651916cd43dd8448eb211c80319c00")]
    public void Span_WithATraceIdThatCannotBe_IsRejected(string traceId)
    {
        var sorted = Sort(span => span.TraceId = Spans.Id(traceId));

        Assert.Equal((0, 1), (sorted.OfRuns.Count, sorted.Rejected));
        Assert.Contains("trace id", sorted.Problem, StringComparison.Ordinal);
    }

    [Fact]
    public void Span_WithoutAnyTime_IsRejected()
    {
        var sorted = Sort(span => span.StartTimeUnixNano = span.EndTimeUnixNano = 0);

        Assert.Equal(1, sorted.Rejected);
        Assert.Contains("time", sorted.Problem, StringComparison.Ordinal);
    }

    private SortedSpans Sort(Action<Span> change)
    {
        var span = _spans.Span();
        change(span);
        return _spans.Sort(Spans.Request(span));
    }
}
