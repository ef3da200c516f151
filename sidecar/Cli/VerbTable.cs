namespace Genkit.Sidecar.Cli;

/// <summary>What the verbs are called and how they are explained.</summary>
internal static class VerbTable
{
    public static readonly IReadOnlyList<(Verb Verb, string Name, string Usage, string Description)> All =
    [
        (Verb.Run, "run", "run [-- COMMAND…]", "Serve the manager with the application's actions; start and stop COMMAND along with it"),
        (Verb.Actions, "actions", "actions", "List the application's actions"),
        (Verb.Call, "call", "call KEY [JSON] [--stream]", "Run one action with JSON as its input, - for standard input; --stream prints chunks as they come"),
        (Verb.Health, "health", "health [live|ready|startup]", "Ask the sidecar that runs at --health how it is, ready by default; exits with 0 if well"),
        (Verb.Doctor, "doctor", "doctor [--json] [--run KEY [JSON]] [-- COMMAND…]", "Walk the path of run step by step: what was tried, what came back, what mends it. Runs KEY alone, and no action without --run"),
        (Verb.Version, "version", "version", "Print the version"),
        (Verb.Help, "help", "help", "Print this"),
    ];

    public static IReadOnlyCollection<string> Names => [.. All.Select(row => row.Name)];

    public static Verb? Find(string name) => All.Where(row => row.Name == name).Select(row => (Verb?)row.Verb).FirstOrDefault();
}

internal enum Verb
{
    Run,
    Actions,
    Call,
    Health,
    Doctor,
    Version,
    Help,
}
