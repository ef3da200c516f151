namespace Genkit.Sidecar.Configuration;

/// <summary>What became of one setting's text: a value, or the reason why it is none.</summary>
internal readonly record struct Parsed<T>(T? Value, string? Problem)
{
    public static Parsed<T> Good(T value) => new(value, null);

    public static Parsed<T> Bad(string problem) => new(default, problem);
}
