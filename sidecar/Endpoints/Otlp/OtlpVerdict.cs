namespace Genkit.Sidecar.Endpoints.Otlp;

/// <summary>What is said of a request as a whole.</summary>
internal enum OtlpVerdict
{
    Accepted,

    /// <summary>It is not what it claims to be, or too large: sending it again is of no use.</summary>
    Malformed,

    /// <summary>There is no room for it now, and nothing of it was kept: it may be sent again.</summary>
    Overloaded,
}
