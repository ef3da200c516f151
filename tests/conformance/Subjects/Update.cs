namespace Genkit.Sidecar.Conformance.Subjects;

/// <summary>What a run has told: one of the nested types.</summary>
internal abstract record Update
{
    private Update()
    {
    }

    /// <summary>How it is called in messages.</summary>
    public abstract string Name { get; }

    /// <summary>What the run is known by.</summary>
    public sealed record State(string TraceId) : Update
    {
        public override string Name => "the state";
    }

    /// <summary>A chunk of output.</summary>
    public sealed record Chunk(byte[] Json) : Update
    {
        public override string Name => "a chunk";
    }

    /// <summary>The run succeeded, and is over.</summary>
    /// <param name="TraceId">The trace that a manager was told; null for an application, which tells none.</param>
    public sealed record Result(byte[]? Json, string? TraceId = null) : Update
    {
        public override string Name => "the result";
    }

    /// <summary>The run failed, and is over.</summary>
    /// <param name="IsStatus">Whether a gRPC status said so; false for an ActionError. A manager cannot tell.</param>
    public sealed record Error(int Code, string Message, byte[]? Details, string? Stack, bool IsStatus) : Update
    {
        public override string Name => $"the error {Code} ({Message})";
    }
}
