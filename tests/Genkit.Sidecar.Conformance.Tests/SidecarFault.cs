namespace Genkit.Sidecar.Conformance.Tests;

/// <summary>What <see cref="WrongSidecar"/> does wrong.</summary>
public enum SidecarFault
{
    AnswersTwice,
    AnswersWithAnError,
    NeverAnswers,
    ChunkBehindAnswer,
    ChunksUnasked,
    FailuresAreResults,
    ListsWhatItIsGiven,
    LosesActions,
    ChunksOfHeartbeats,
    ChunksOfStates,
    TellsTheAlias,
    BreaksFrames,
    KeepsTheCode,
    KeepsTheTraceId,
    LosesTraceContext,
    MixesTracesUp,
    ValuesFail,
    ErrorsHaveNoData,
    NoState,
    TraceIdsDiffer,
}
