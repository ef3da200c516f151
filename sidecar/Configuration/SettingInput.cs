namespace Genkit.Sidecar.Configuration;

/// <summary>The text of one setting as one place gave it; several texts only for a repeatable setting.</summary>
internal sealed record SettingInput(SettingSource Source, IReadOnlyList<string> Texts)
{
    // The generated one would print the texts, and some are secrets.
    public override string ToString() => $"{Source} ({Texts.Count})";
}
