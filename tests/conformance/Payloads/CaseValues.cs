using System.Globalization;

namespace Genkit.Sidecar.Conformance.Payloads;

/// <summary>What stands for <c>{{unique}}</c> and <c>{{index}}</c> in the texts of a case.</summary>
/// <param name="Unique">Different for each execution of a case, so that what an application remembers of the last one does not count.</param>
/// <param name="Index">Which of several alike messages or runs this is, from 0.</param>
internal readonly record struct CaseValues(string Unique, int Index)
{
    /// <summary>The text with the values in it.</summary>
    public string Fill(string text) => text.Contains("{{", StringComparison.Ordinal)
        ? text.Replace("{{unique}}", Unique, StringComparison.Ordinal).Replace("{{index}}", Index.ToString(CultureInfo.InvariantCulture), StringComparison.Ordinal)
        : text;
}
