namespace Genkit.Sidecar.Telemetry;

internal enum PostOutcome
{
    Accepted,

    /// <summary>The server looked at it and said no: it would again.</summary>
    Refused,

    /// <summary>The request may have reached the server, and no usable answer came.</summary>
    Unanswered,

    /// <summary>The request did not reach the server.</summary>
    Unreachable,
}
