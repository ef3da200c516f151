namespace Genkit.Sidecar.Conformance.Subjects;

/// <summary>An update of a run: one of the nested types.</summary>
internal abstract record Update
{
    private Update()
    {
    }

    /// <summary>Name of the update in error messages.</summary>
    public abstract string Name { get; }

    /// <summary>The trace id of the run.</summary>
    public sealed record State(string TraceId) : Update
    {
        public override string Name => "the state";
    }

    /// <summary>An output chunk.</summary>
    public sealed record Chunk(byte[] Json) : Update
    {
        public override string Name => "a chunk";
    }

    /// <summary>The run succeeded. Last update.</summary>
    /// <param name="TraceId">The trace id that a manager received. Null for an application.</param>
    public sealed record Result(byte[]? Json, string? TraceId = null) : Update
    {
        public override string Name => "the result";
    }

    /// <summary>The run failed. Last update.</summary>
    /// <param name="IsStatus">Whether it was a gRPC status rather than an ActionError. A manager cannot distinguish them.</param>
    public sealed record Error(int Code, string Message, byte[]? Details, string? Stack, bool IsStatus) : Update
    {
        public override string Name => $"the error {Code} ({Message})";
    }
}
