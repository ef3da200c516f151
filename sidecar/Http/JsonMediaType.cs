using Microsoft.Net.Http.Headers;

namespace Genkit.Sidecar.Http;

/// <summary>The media type of the bodies that the endpoints accept.</summary>
internal static class JsonMediaType
{
    /// <summary>Whether a <c>Content-Type</c> is JSON in UTF-8. A web page can send text and forms to another site without being asked for leave, JSON it cannot.</summary>
    public static bool Is(string? contentType) =>
        MediaTypeHeaderValue.TryParse(contentType, out var type)
        && type.MediaType.Equals("application/json", StringComparison.OrdinalIgnoreCase)
        && (!type.Charset.HasValue || HeaderUtilities.RemoveQuotes(type.Charset).Equals("utf-8", StringComparison.OrdinalIgnoreCase));
}
