namespace Genkit.Sidecar.Cli;

/// <summary>How a verb is explained.</summary>
/// <param name="Verb">The verb.</param>
/// <param name="Name">Its word on the command line.</param>
/// <param name="Arguments">What may follow it.</param>
/// <param name="Flags">The flags that only it takes.</param>
/// <param name="Summary">What it does; fits a line of 80 columns with name and arguments.</param>
/// <param name="Description">What it does, and with which of its arguments and flags.</param>
internal sealed record VerbDescription(Verb Verb, string Name, string Arguments, string Flags, string Summary, string Description);
