namespace Genkit.Sidecar.Configuration;

/// <summary>A setting and the way from its texts to its value.</summary>
internal sealed class TypedSetting<T> : Setting
{
    public required Func<IReadOnlyList<string>, Parsed<T>> Parser { get; init; }

    public static Func<IReadOnlyList<string>, Parsed<T>> Single(Func<string, Parsed<T>> parser) => texts => parser(texts[0]);
}
