using System.Text.Json;

namespace Genkit.Sidecar.Conformance.Payloads;

/// <summary>JSON as people write it.</summary>
internal static class CaseJson
{
    /// <summary>Comments and trailing commas are fine.</summary>
    public static JsonDocumentOptions Options { get; } = new() { CommentHandling = JsonCommentHandling.Skip, AllowTrailingCommas = true };
}
