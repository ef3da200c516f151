namespace Genkit.Sidecar.Cli;

/// <summary>What the verbs are called and how they are explained.</summary>
internal static class VerbTable
{
    public static readonly IReadOnlyList<VerbDescription> All =
    [
        new(Verb.Run, "run", "[-- COMMAND…]", "", "Serve the application, and start COMMAND for it",
            "Serves the application's actions to the Genkit CLI and Dev UI, and to other callers if asked to. Starts COMMAND, if there is one, and stops with it."),
        new(Verb.Actions, "actions", "", "", "List the application's actions",
            "Lists the keys of the application's actions, a line each, with their descriptions."),
        new(Verb.Call, "call", "KEY [JSON]", "[--stream]", "Run one action",
            "Runs one action with JSON as its input; - reads the input from standard input. Prints the result, and with --stream each chunk as it arrives."),
        new(Verb.Health, "health", "[live|ready|startup]", "", "Ask a running sidecar for its health",
            "Asks the sidecar that runs at --health for its health: ready by default. Exits with 0 if the answer is good."),
        new(Verb.Doctor, "doctor", "[-- COMMAND…]", "[--json] [--run KEY [JSON]]", "Find out why run does not work",
            "Walks the path of run step by step, and prints for each step what was tried, what was found and how to mend it. Starts COMMAND, if there is one. With --run it runs the action KEY, with JSON as its input; without it, it runs none. With --json the report is one JSON document."),
        new(Verb.Version, "version", "", "", "Print the version", "Prints the version."),
        new(Verb.Help, "help", "[VERB|settings]", "", "Explain a verb, or list all settings",
            "Explains a verb and its flags, or lists all settings with their variables, accepted values, defaults and reasons."),
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
