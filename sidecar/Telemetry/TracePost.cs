namespace Genkit.Sidecar.Telemetry;

/// <summary>One request to the telemetry server.</summary>
/// <param name="TraceId">Posts of one trace go out in their order.</param>
/// <param name="Body">JSON; the exporter releases it.</param>
/// <param name="IsEnd">Whether it tells of a span that has ended: the one that counts, and makes an earlier one of the span needless.</param>
/// <param name="TakenBytes">What its maker has taken of the exporter's bound for it.</param>
internal sealed record TracePost(string TraceId, SpanBody Body, bool IsEnd, long TakenBytes)
{
    private readonly TaskCompletionSource _settled = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>What it takes of the bound while it is queued.</summary>
    public long HeldBytes => Math.Max(TakenBytes, Body.Length);

    /// <summary>Requests that reached the server and had no answer.</summary>
    public int Unanswered { get; set; }

    /// <summary>Completes when there is nothing to wait for any more: it was taken, it is lost, or the server is away.</summary>
    public Task Settled => _settled.Task;

    public void Settle() => _settled.TrySetResult();
}
