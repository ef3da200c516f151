using Genkit.Sidecar.Conformance.Running;

namespace Genkit.Sidecar.Conformance.Tests;

/// <summary>Cases of the sidecar alone can fail too, and a manager holds every run to the protocol.</summary>
public class WrongSidecarTests
{
    public static TheoryData<string, SidecarFault, string> Faults => new()
    {
        { "wrong-application/heartbeats", SidecarFault.ChunksOfHeartbeats, "instead of {" },
        { "wrong-application/second-result", SidecarFault.AnswersTwice, "the result came after the response" },
        { "wrong-application/chunk-behind-result", SidecarFault.ChunkBehindAnswer, "a chunk came after the response" },
        { "wrong-application/no-result", SidecarFault.NeverAnswers, "it hangs" },
        { "wrong-application/failure-behind-result", SidecarFault.AnswersWithAnError, "the error 10 (m) came instead of the result" },
        { "wrong-application/open-call-behind-result", SidecarFault.NeverAnswers, "it hangs" },
        { "wrong-application/late-state", SidecarFault.TellsTheAlias, "runActionState came twice" },
        { "wrong-application/second-state", SidecarFault.TellsTheAlias, "runActionState came twice" },
        { "wrong-application/state-that-is-none", SidecarFault.ChunksOfStates, "\"state\" instead of \"after state\"" },
        { "wrong-application/chunk-no-json", SidecarFault.BreaksFrames, "the manager failed" },
        { "wrong-application/result-no-json", SidecarFault.BreaksFrames, "the manager failed" },
        { "wrong-application/code-out-of-range", SidecarFault.KeepsTheCode, "has the code 99 instead of 2" },
        { "wrong-application/details-with-trace-and-stack", SidecarFault.KeepsTheTraceId, "the response has the trace id 'not a trace'" },
        { "wrong-application/details-with-trace-and-stack", SidecarFault.ErrorsHaveNoData, "has no data" },
        { "wrong-application/ignored-cancel", SidecarFault.NeverAnswers, "it hangs" },
        { "streaming/not-wanted-goes-no-further", SidecarFault.ChunksUnasked, "a chunk came instead of the result" },
        { "streaming/state-is-no-chunk", SidecarFault.ChunksOfStates, "\"state\" instead of \"after state\"" },
        { "streaming/in-order", SidecarFault.NoState, "came before runActionState" },
        { "streaming/no-chunk", SidecarFault.TraceIdsDiffer, "but runActionState had '" },
        { "given/trace-context-of-the-sidecar", SidecarFault.LosesTraceContext, "does not match" },
        { "given/trace-context-of-the-sidecar", SidecarFault.MixesTracesUp, "has no traceparent of the run's trace" },
        { "given/trace-context-of-the-sidecar-for-bidi", SidecarFault.LosesTraceContext, "has no traceparent of the run's trace" },
        { "values/not-offered-is-no-failure", SidecarFault.ValuesFail, "the request failed" },
        { "wrong-application/result-empty", SidecarFault.BreaksFrames, "the manager failed" },
        { "wrong-application/result-no-utf8", SidecarFault.BreaksFrames, "the manager failed" },
        { "wrong-application/result-behind-error", SidecarFault.AnswersTwice, "the error 5 (m) came after the response" },
        { "wrong-application/codes-that-are-none", SidecarFault.KeepsTheCode, "has the code 99 instead of 2" },
        { "wrong-application/details-no-object", SidecarFault.ErrorsHaveNoData, "has no data" },
        { "wrong-application/method-not-offered", SidecarFault.FailuresAreResults, "the result came instead of the error" },
        { "wrong-application/listed-metadata-that-managers-refuse", SidecarFault.ListsWhatItIsGiven, "which should be absent" },
        { "wrong-application/listed-metadata-no-json", SidecarFault.ListsWhatItIsGiven, "the manager failed" },
        { "wrong-application/listed-without-name", SidecarFault.ListsWhatItIsGiven, "is listed, and should not be" },
        { "wrong-application/listed-twice", SidecarFault.LosesActions, "is not listed" },
        { "wrong-application/a-thousand-listed", SidecarFault.LosesActions, "is not listed" },
        { "errors/message-of-a-status-not-encoded", SidecarFault.FailuresAreResults, "the result came instead of the error" },
        { "errors/stack-of-a-status", SidecarFault.FailuresAreResults, "the result came instead of the error" },
        { "bidi/unread-input", SidecarFault.NeverAnswers, "it hangs" },
    };

    [Theory]
    [MemberData(nameof(Faults))]
    public async Task WrongSidecar_ItsCase_Fails(string id, SidecarFault fault, string reason)
    {
        HashSet<string> without = id.StartsWith("values/", StringComparison.Ordinal) ? ["values"] : [];
        await using var sidecar = new WrongSidecar(fault);
        var session = new Session(sidecar, Cases.Catalogue, without, new Dictionary<string, string>(), reason == "it hangs" ? Timeouts.Hang : Timeouts.Default);

        var outcome = Assert.Single(await session.RunAsync([Cases.All.Single(one => one.Id == id)], [], TestContext.Current.CancellationToken));

        Assert.Equal(Verdict.Failed, outcome.Verdict);
        Assert.Contains(reason, outcome.Reason, StringComparison.Ordinal);
    }

    [Fact]
    public void WrongSidecars_AllTogether_FailEveryCaseOfTheSidecarAlone() => Assert.Empty(
        Cases.All.Where(one => one.NotIn.ContainsKey(Way.Application)).Select(one => one.Id).Except(Faults.Select(fault => fault.Data.Item1)));
}
