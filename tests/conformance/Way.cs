namespace Genkit.Sidecar.Conformance;

/// <summary>What is between the two ends of the kit.</summary>
internal enum Way
{
    /// <summary>The kit calls the application over gRPC: a failure is the application's.</summary>
    Application,

    /// <summary>The kit is the manager, and the reference application too: a failure is the sidecar's.</summary>
    Sidecar,

    /// <summary>The kit is the manager; sidecar and application are under test together.</summary>
    Whole,
}
