namespace Genkit.Sidecar.Cli;

/// <summary>The standard streams, so that verbs can be watched without a process around them.</summary>
internal sealed record Terminal(TextReader In, TextWriter Out, TextWriter Error)
{
    /// <summary>Whether what is written to stderr is shown in colour.</summary>
    public bool HasColor { get; init; }

    // Not Console.In and Console.Out: the first use of those sends escape sequences to a terminal, which is the command's.
    public static Terminal Standard(IReadOnlyDictionary<string, string> environment) => new(
        new StreamReader(Console.OpenStandardInput()),
        new StreamWriter(Console.OpenStandardOutput()) { AutoFlush = true },
        new StreamWriter(Console.OpenStandardError()) { AutoFlush = true })
    {
        HasColor = !Console.IsErrorRedirected && TakesColor(environment),
    };

    /// <summary>Whether the terminal that <paramref name="environment"/> describes takes colour, and the user wants it: <see href="https://no-color.org/"/>.</summary>
    public static bool TakesColor(IReadOnlyDictionary<string, string> environment) =>
        environment.GetValueOrDefault("NO_COLOR") is null or ""
        && environment.GetValueOrDefault("TERM") is not (null or "" or "dumb");
}
