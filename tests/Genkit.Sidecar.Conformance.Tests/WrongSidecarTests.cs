using Genkit.Sidecar.Conformance.Running;

namespace Genkit.Sidecar.Conformance.Tests;

/// <summary>Cases of the sidecar alone can fail too, and a manager holds every run to the protocol.</summary>
public class WrongSidecarTests
{
    [Theory]
    [InlineData("wrong-application/heartbeats", SidecarFault.ChunksOfHeartbeats, "instead of {")]
    [InlineData("wrong-application/second-result", SidecarFault.AnswersTwice, "the result came behind the answer")]
    [InlineData("wrong-application/chunk-behind-result", SidecarFault.ChunkBehindAnswer, "a chunk came behind the answer")]
    [InlineData("wrong-application/no-result", SidecarFault.NeverAnswers, "it hangs")]
    [InlineData("wrong-application/failure-behind-result", SidecarFault.AnswersWithAnError, "the error 10 (m) came instead of the result")]
    [InlineData("wrong-application/open-call-behind-result", SidecarFault.NeverAnswers, "it hangs")]
    [InlineData("wrong-application/late-state", SidecarFault.TellsTheAlias, "runActionState came twice")]
    [InlineData("wrong-application/second-state", SidecarFault.TellsTheAlias, "runActionState came twice")]
    [InlineData("wrong-application/state-that-is-none", SidecarFault.ChunksOfStates, "\"state\" instead of \"after state\"")]
    [InlineData("wrong-application/chunk-no-json", SidecarFault.BreaksFrames, "the manager could not go on")]
    [InlineData("wrong-application/result-no-json", SidecarFault.BreaksFrames, "the manager could not go on")]
    [InlineData("wrong-application/code-out-of-range", SidecarFault.KeepsTheCode, "has the code 99 instead of 2")]
    [InlineData("wrong-application/details-with-trace-and-stack", SidecarFault.KeepsTheTraceId, "the answer has the trace id 'not a trace'")]
    [InlineData("wrong-application/details-with-trace-and-stack", SidecarFault.ErrorsHaveNoData, "has no data")]
    [InlineData("wrong-application/ignored-cancel", SidecarFault.NeverAnswers, "it hangs")]
    [InlineData("streaming/not-wanted-goes-no-further", SidecarFault.ChunksUnasked, "a chunk came instead of the result")]
    [InlineData("streaming/state-is-no-chunk", SidecarFault.ChunksOfStates, "\"state\" instead of \"after state\"")]
    [InlineData("streaming/in-order", SidecarFault.NoState, "came before runActionState")]
    [InlineData("streaming/no-chunk", SidecarFault.TraceIdsDiffer, "and runActionState had '")]
    [InlineData("given/trace-context-of-the-sidecar", SidecarFault.LosesTraceContext, "does not match")]
    [InlineData("values/not-offered-is-no-failure", SidecarFault.ValuesFail, "the request failed")]
    public async Task WrongSidecar_ItsCase_Fails(string id, SidecarFault fault, string reason)
    {
        HashSet<string> without = id.StartsWith("values/", StringComparison.Ordinal) ? ["values"] : [];
        await using var sidecar = new WrongSidecar(fault);
        var session = new Session(sidecar, Cases.Catalogue, without, new Dictionary<string, string>(), reason == "it hangs" ? Timeouts.Hang : Timeouts.Default);

        var outcome = Assert.Single(await session.RunAsync([Cases.All.Single(one => one.Id == id)], [], TestContext.Current.CancellationToken));

        Assert.Equal(Verdict.Failed, outcome.Verdict);
        Assert.Contains(reason, outcome.Reason, StringComparison.Ordinal);
    }
}
