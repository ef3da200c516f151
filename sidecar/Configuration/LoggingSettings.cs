using Microsoft.Extensions.Logging;

namespace Genkit.Sidecar.Configuration;

/// <summary>What is logged, and how. What each means stands in <see cref="LoggingSettingTable"/>.</summary>
internal sealed record LoggingSettings
{
    public LogLevel Level { get; init; }

    public LogFormat Format { get; init; }
}
