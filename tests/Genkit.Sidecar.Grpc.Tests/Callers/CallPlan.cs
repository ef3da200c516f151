namespace Genkit.Sidecar.Grpc.Tests.Callers;

/// <summary>A call as a test wants it made.</summary>
/// <param name="Kind"><c>unary</c>, <c>server</c>, <c>client</c> or <c>bidi</c>: which function of the caller's API makes it.</param>
internal sealed record CallPlan(string Kind)
{
    /// <summary>Text values, and those of names that end in <c>-bin</c> as base64.</summary>
    public (string Name, string Value)[] Metadata { get; init; } = [];

    public TimeSpan? Deadline { get; init; }

    public bool Gzip { get; init; }

    /// <summary>Whether response messages are read only after <see cref="ICall.ResumeAsync"/>.</summary>
    public bool Paused { get; init; }
}
