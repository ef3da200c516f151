using Genkit.Sidecar.Configuration;

namespace Genkit.Sidecar.Doctor;

/// <summary>What to do with an application that takes a connection or a call and never answers.</summary>
internal static class ApplicationSilence
{
    /// <param name="timeout">The setting that says how long it had.</param>
    /// <param name="had">How long that was.</param>
    public static IReadOnlyList<string> Remedies(Setting timeout, TimeSpan had) =>
    [
        "See whether the application hangs, in a debugger or in its own start, and end what holds it up",
        "`--app` with the port that it serves gRPC on, should this be another one",
        $"`{timeout.Flag} TIME`, should it only be slow: it had {had.TotalSeconds:0.#} s",
    ];
}
