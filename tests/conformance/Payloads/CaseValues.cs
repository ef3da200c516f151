using System.Globalization;

namespace Genkit.Sidecar.Conformance.Payloads;

/// <summary>The values of <c>{{unique}}</c> and <c>{{index}}</c> in a case.</summary>
/// <param name="Unique">Differs in each execution of a case, so that state of an earlier execution in the application has no effect.</param>
/// <param name="Index">Index of the message or run, from 0.</param>
internal readonly record struct CaseValues(string Unique, int Index)
{
    /// <summary>Returns the text with the values filled in.</summary>
    public string Fill(string text) => text.Contains("{{", StringComparison.Ordinal)
        ? text.Replace("{{unique}}", Unique, StringComparison.Ordinal).Replace("{{index}}", Index.ToString(CultureInfo.InvariantCulture), StringComparison.Ordinal)
        : text;
}
