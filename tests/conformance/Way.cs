namespace Genkit.Sidecar.Conformance;

/// <summary>The mode of the kit.</summary>
internal enum Way
{
    /// <summary>The kit calls the application over gRPC. A failure is a fault of the application.</summary>
    Application,

    /// <summary>The kit acts as the manager and as the application. A failure is a fault of the sidecar.</summary>
    Sidecar,

    /// <summary>The kit acts as the manager and tests the sidecar and the application together.</summary>
    Whole,
}
