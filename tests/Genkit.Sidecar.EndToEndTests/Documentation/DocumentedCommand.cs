namespace Genkit.Sidecar.EndToEndTests.Documentation;

/// <summary>A command in a block of shell code.</summary>
/// <param name="Page">The page, relative to the root of the repository.</param>
/// <param name="Text">The command, without a comment after it.</param>
internal sealed record DocumentedCommand(string Page, string Text);
