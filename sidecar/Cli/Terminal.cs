namespace Genkit.Sidecar.Cli;

/// <summary>The standard streams, so that verbs can be watched without a process around them.</summary>
internal sealed record Terminal(TextReader In, TextWriter Out, TextWriter Error)
{
    // Not Console.In and Console.Out: the first use of those sends escape sequences to a terminal, which is the command's.
    public static Terminal Standard() => new(
        new StreamReader(Console.OpenStandardInput()),
        new StreamWriter(Console.OpenStandardOutput()) { AutoFlush = true },
        new StreamWriter(Console.OpenStandardError()) { AutoFlush = true });
}
