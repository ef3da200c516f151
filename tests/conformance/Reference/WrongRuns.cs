namespace Genkit.Sidecar.Conformance.Reference;

/// <summary>
/// Keys for which the reference application breaks a rule in a single run, for cases that test the sidecar's handling:
/// <c>/kit/result-twice/count</c> is <c>/flow/count</c> with that rule broken.
/// </summary>
internal static class WrongRuns
{
    private const string Prefix = "/kit/";

    /// <summary>Returns the rule in a key, or null.</summary>
    public static Rule? RuleOf(string key) =>
        key.StartsWith(Prefix, StringComparison.Ordinal) && key.Split('/') is [_, _, var rule, _] ? RuleNames.Find(rule) : null;

    /// <summary>Returns the key of the action to run.</summary>
    public static string ActionOf(string key) => RuleOf(key) is null ? key : $"/flow/{key[(key.LastIndexOf('/') + 1)..]}";
}
