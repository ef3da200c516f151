namespace Genkit.Sidecar.Doctor;

/// <summary>How long the steps may take. Where a setting says less, that counts.</summary>
internal static class Limits
{
    /// <summary>Of all steps together, without the start of a command.</summary>
    public static readonly TimeSpan Total = TimeSpan.FromSeconds(30);

    /// <summary>What the start of a command has at least: <c>run</c> goes on without it after <c>--app-start-timeout</c>, which may be none, and the doctor cannot.</summary>
    public static readonly TimeSpan Start = TimeSpan.FromSeconds(10);

    public static readonly TimeSpan LookUp = TimeSpan.FromSeconds(3);

    /// <summary>For one connection, and what is said on it first.</summary>
    public static readonly TimeSpan Connect = TimeSpan.FromSeconds(5);

    /// <summary>For looking for another manager, which comes on top of the step that did not find one.</summary>
    public static readonly TimeSpan Search = TimeSpan.FromSeconds(4);

    /// <summary>For one call to the application.</summary>
    public static readonly TimeSpan Call = TimeSpan.FromSeconds(10);

    /// <summary>Extra time for a step with a deadline of its own, whose message is more precise.</summary>
    public static readonly TimeSpan Slack = TimeSpan.FromSeconds(1);

    public static TimeSpan Least(TimeSpan one, TimeSpan other) => one < other ? one : other;

    public static TimeSpan Most(TimeSpan one, TimeSpan other) => one > other ? one : other;
}
