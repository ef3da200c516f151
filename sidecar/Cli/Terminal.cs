namespace Genkit.Sidecar.Cli;

/// <summary>The standard streams, so that verbs can be watched without a process around them.</summary>
internal sealed record Terminal(TextReader In, TextWriter Out, TextWriter Error)
{
    public static Terminal Console() => new(System.Console.In, System.Console.Out, System.Console.Error);
}
