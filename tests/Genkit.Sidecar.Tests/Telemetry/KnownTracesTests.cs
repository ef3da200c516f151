using System.Globalization;
using Genkit.Sidecar.Telemetry;
using Microsoft.Extensions.Logging.Abstractions;

namespace Genkit.Sidecar.Tests.Telemetry;

public class KnownTracesTests
{
    private readonly KnownTraces _traces = new(NullLogger<KnownTraces>.Instance);

    [Fact]
    public void Trace_OfARun_IsKnownFromItsStartUntilAfterItsEnd()
    {
        var run = TraceContext.Create();
        Assert.Null(Find(run.TraceId));

        _traces.Begin(run);
        Assert.Equal(run, Find(run.TraceId));

        _traces.End(run.TraceId);
        Assert.Equal(run, Find(run.TraceId));
    }

    [Fact]
    public void Trace_ManyEndedSince_IsForgottenWithItsAliasUnlessItsRunIsActive()
    {
        var active = TraceContext.Create();
        _traces.Begin(active);
        _traces.AddAlias(active.TraceId, Id(1));
        var ended = TraceContext.Create();
        _traces.Begin(ended);
        _traces.AddAlias(ended.TraceId, Id(2));
        _traces.End(ended.TraceId);
        _traces.End(ended.TraceId);

        for (var i = 1; i < KnownTraces.MaxEnded; i++)
        {
            RunOnce();
        }

        Assert.Equal(ended, Find(Id(2)));
        RunOnce();
        Assert.Null(Find(ended.TraceId));
        Assert.Null(Find(Id(2)));
        Assert.Equal(active, Find(active.TraceId));
        Assert.Equal(active, Find(Id(1)));
    }

    [Fact]
    public void Alias_OfAnotherRunOrOfNone_IsRefused()
    {
        var (one, other) = (TraceContext.Create(), TraceContext.Create());
        _traces.Begin(one);
        _traces.Begin(other);
        _traces.AddAlias(one.TraceId, Id(1));

        _traces.AddAlias(other.TraceId, one.TraceId);
        _traces.AddAlias(other.TraceId, Id(1));
        _traces.AddAlias(TraceContext.Create().TraceId, Id(2));

        Assert.Equal(one, Find(one.TraceId));
        Assert.Equal(one, Find(Id(1)));
        Assert.Null(Find(Id(2)));
    }

    [Theory]
    [InlineData("00000000000000000000000000000000")]
    [InlineData("0000000000000000000000000000001")]
    [InlineData("0000000000000000000000000000000A")]
    [InlineData("000000000000000000000000000000012")]
    [InlineData("../../../../../../../../../etc/x")]
    public void Alias_Malformed_IsRefused(string alias)
    {
        var run = TraceContext.Create();
        _traces.Begin(run);

        _traces.AddAlias(run.TraceId, alias);

        Assert.Null(Find(alias));
    }

    [Fact]
    public void Alias_OneAfterTheOther_AreBounded()
    {
        var run = TraceContext.Create();
        _traces.Begin(run);

        for (var i = 1; i <= KnownTraces.MaxAliases + 1; i++)
        {
            _traces.AddAlias(run.TraceId, Id(i));
            _traces.AddAlias(run.TraceId, Id(i));
        }

        Assert.Equal(run, Find(Id(KnownTraces.MaxAliases)));
        Assert.Null(Find(Id(KnownTraces.MaxAliases + 1)));
    }

    private static string Id(int number) => number.ToString("x32", CultureInfo.InvariantCulture);

    private void RunOnce()
    {
        var run = TraceContext.Create();
        _traces.Begin(run);
        _traces.End(run.TraceId);
    }

    private TraceContext? Find(string traceId) => _traces.TryFind(traceId, out var trace) ? trace : null;
}
