namespace Genkit.Sidecar.Metrics;

/// <summary>What became of an item. The names of the members are those of the metric's values.</summary>
internal enum TelemetryOutcome
{
    /// <summary>The telemetry server has it.</summary>
    Accepted,

    /// <summary>The telemetry server said no.</summary>
    Refused,

    /// <summary>It was posted several times and never answered.</summary>
    Unanswered,

    /// <summary>There was no room for it, or no time when the sidecar stopped.</summary>
    Dropped,

    /// <summary>It belongs to no run.</summary>
    UnknownTrace,

    /// <summary>It cannot be shown, and the exporter was told so.</summary>
    Rejected,

    /// <summary>There was no room for it, and the exporter was asked to send it again.</summary>
    Overloaded,

    /// <summary>Dropped, because there is no telemetry server or it does not store such items.</summary>
    Ignored,
}
