using System.Text.Json;

namespace Genkit.Sidecar.Conformance.Payloads;

/// <summary>Reads the JSON of case files.</summary>
internal static class CaseJson
{
    /// <summary>Allows comments and trailing commas.</summary>
    public static JsonDocumentOptions Options { get; } = new() { CommentHandling = JsonCommentHandling.Skip, AllowTrailingCommas = true };
}
