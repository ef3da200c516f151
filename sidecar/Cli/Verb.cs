namespace Genkit.Sidecar.Cli;

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
