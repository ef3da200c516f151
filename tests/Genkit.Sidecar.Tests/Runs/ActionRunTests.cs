using System.Buffers;
using System.Text.RegularExpressions;
using Genkit.Sidecar.Actions;
using Genkit.Sidecar.Application;
using Genkit.Sidecar.Configuration;
using Genkit.Sidecar.GrpcClient;
using Genkit.Sidecar.Metrics;
using Genkit.Sidecar.Runs;
using Grpc.Core;
using Microsoft.Extensions.Logging.Abstractions;

namespace Genkit.Sidecar.Tests.Runs;

/// <summary>The behaviour of a run without a call.</summary>
public class RunTests
{
    [Fact]
    public void Run_New_HasStartedUnderATraceIdOfItsOwn()
    {
        var run = Create(new RunRequest("/flow/a"));

        Assert.Equal([RunEventKind.Started], Kinds(run));
        Assert.Matches(new Regex("^[0-9a-f]{32}$"), run.TraceId);
        Assert.Matches(new Regex($"^00-{run.TraceId}-[0-9a-f]{{16}}-01$"), run.Trace.TraceParent);
        Assert.NotEqual(run.TraceId, Create(new RunRequest("/flow/a")).TraceId);
        Assert.Null(run.Input);
    }

    [Fact]
    public void TryFail_Twice_TheFirstDecides()
    {
        var run = Create(new RunRequest("/flow/a") { StreamInput = true });
        var failure = new ActionFailure(StatusCode.Internal, "first");
        var seenAtCall = -1;

        Assert.True(run.TryFail(failure, () => seenAtCall = Kinds(run).Count));
        Assert.False(run.TryFail(ActionFailure.Cancelled, () => seenAtCall = -2));

        Assert.Equal(1, seenAtCall);
        Assert.True(run.Outbox.TryRead(out var last));
        Assert.Equal(failure, last.Failure);
        Assert.False(run.Outbox.TryRead(out _));
        Assert.Equal(RunInput.AddResult.Ended, run.Input!.Add(Chunk));
    }

    [Fact]
    public void AddInput_PastTheBound_FailsTheRunNamingTheSetting()
    {
        var run = Create(new RunRequest("/flow/a") { StreamInput = true });
        for (var i = 0; i < 100; i++)
        {
            run.AddInput(Chunk);
        }

        Assert.True(run.Outbox.TryRead(out _));
        Assert.True(run.Outbox.TryRead(out var last));
        Assert.Equal(StatusCode.ResourceExhausted, last.Failure!.Code);
        Assert.Contains("--max-input-queue-bytes", last.Failure.Message, StringComparison.Ordinal);
        Assert.Contains("1000", last.Failure.Message, StringComparison.Ordinal);
        Assert.False(run.Outbox.TryRead(out _));
    }

    [Fact]
    public void AddInput_AfterTheEndOfTheInput_DoesNotFailTheRun()
    {
        var run = Create(new RunRequest("/flow/a") { StreamInput = true });
        run.Input!.Complete();
        for (var i = 0; i < 100; i++)
        {
            run.AddInput(Chunk);
        }

        Assert.Equal([RunEventKind.Started], Kinds(run));
    }

    [Fact]
    public void AddInput_RunWithoutStreamedInput_IsIgnored()
    {
        var run = Create(new RunRequest("/flow/a"));

        run.AddInput(Chunk);

        Assert.Equal([RunEventKind.Started], Kinds(run));
    }

    [Fact]
    public void Abandon_Run_SaysNothingMore()
    {
        var run = Create(new RunRequest("/flow/a"));

        run.Abandon();

        Assert.Empty(Kinds(run));
        Assert.False(run.TryFail(ActionFailure.Cancelled));
    }

    [Fact]
    public async Task ActiveRuns_AsManyAsAllowed_TheNextOneFailsAndGivesItsFrameBack()
    {
        await using var application = Application();
        var runs = new ActiveRuns(application, Limits with { MaxConcurrentRuns = 0 }, Metrics, tracer: null, TimeProvider.System, NullLogger<ActiveRuns>.Instance);
        var owner = new Owner();

        var run = runs.Start(new RunRequest("/flow/a") { Owner = owner });

        Assert.Equal(1, owner.Disposals);
        Assert.Equal(0, runs.Count);
        Assert.True(run.Outbox.TryRead(out _));
        Assert.True(run.Outbox.TryRead(out var last));
        Assert.Equal(StatusCode.ResourceExhausted, last.Failure!.Code);
        Assert.Contains("--max-concurrent-runs", last.Failure.Message, StringComparison.Ordinal);
        Assert.False(runs.TryCancel(run.TraceId, () => Assert.Fail("There is nothing to cancel")));
    }

    private static RunMetrics Metrics { get; } = new(SidecarMeter.Create());

    private static LimitSettings Limits { get; } = new() { MaxConcurrentRuns = 10, MaxInputQueueBytes = 1_000, MaxMessageBytes = 1_000_000 };

    private static ReadOnlySequence<byte> Chunk { get; } = new("1"u8.ToArray());

    private static ActionRun Create(RunRequest request) => new(request, Limits, Metrics, tracer: null, TimeProvider.System, NullLogger.Instance);

    /// <summary>A channel that is never connected.</summary>
    private static ApplicationClient Application() => new(
        new ApplicationClientOptions(
            new ClientChannelOptions { Target = GrpcTarget.Parse("http://127.0.0.1:1") },
            TimeSpan.FromSeconds(1),
            TimeSpan.Zero,
            1_000_000,
            "0"),
        NullLogger<ApplicationClient>.Instance);

    private static List<RunEventKind> Kinds(ActionRun run)
    {
        var kinds = new List<RunEventKind>();
        while (run.Outbox.TryRead(out var runEvent))
        {
            kinds.Add(runEvent.Kind);
        }

        return kinds;
    }

    private sealed class Owner : IDisposable
    {
        public int Disposals { get; private set; }

        public void Dispose() => Disposals++;
    }
}
