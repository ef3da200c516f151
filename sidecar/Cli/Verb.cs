namespace Genkit.Sidecar.Cli;

internal enum Verb
{
    Run,
    Actions,
    Call,
    Health,
    Version,
    Help,
}
