namespace Genkit.Sidecar.Conformance.Reference;

/// <summary>
/// Keys under which the reference application breaks a rule in one run alone, for cases of what a sidecar makes of it:
/// <c>/kit/result-twice/count</c> is <c>/flow/count</c> with that rule broken.
/// </summary>
internal static class WrongRuns
{
    private const string Prefix = "/kit/";

    /// <summary>The rule in a key; null if there is none.</summary>
    public static Rule? RuleOf(string key) =>
        key.StartsWith(Prefix, StringComparison.Ordinal) && key.Split('/') is [_, _, var rule, _] ? RuleNames.Find(rule) : null;

    /// <summary>The key of the action that is run.</summary>
    public static string ActionOf(string key) => RuleOf(key) is null ? key : $"/flow/{key[(key.LastIndexOf('/') + 1)..]}";
}
