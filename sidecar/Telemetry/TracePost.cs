namespace Genkit.Sidecar.Telemetry;

/// <summary>One request to the telemetry server.</summary>
/// <param name="Order">Posts of the same order go out one after the other: a trace id, or <see cref="LogOrder"/>.</param>
/// <param name="Body">JSON; the exporter releases it.</param>
/// <param name="Content">What the body tells of.</param>
/// <param name="Items">How many spans or log records it holds.</param>
/// <param name="TakenBytes">What its maker has taken of the exporter's bound for it.</param>
internal sealed record TracePost(string Order, SpanBody Body, PostContent Content, int Items, long TakenBytes)
{
    /// <summary>Of all logs together, for the server keeps them in one file.</summary>
    public const string LogOrder = "logs";

    private readonly TaskCompletionSource _settled = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>What it takes of the bound while it is queued.</summary>
    public long HeldBytes => Math.Max(TakenBytes, Body.Length);

    /// <summary>Requests that reached the server and had no answer.</summary>
    public int Unanswered { get; set; }

    /// <summary>Completes when there is nothing to wait for any more: it was taken, it is lost, or the server is away.</summary>
    public Task Settled => _settled.Task;

    public void Settle() => _settled.TrySetResult();
}

internal enum PostContent
{
    /// <summary>The root span of a run that goes on. Needless once the end can be posted, which tells all of it.</summary>
    RootStart,

    RootEnd,

    /// <summary>Other spans of a trace.</summary>
    Spans,

    /// <summary>Log records, as OTLP in JSON.</summary>
    Logs,
}
