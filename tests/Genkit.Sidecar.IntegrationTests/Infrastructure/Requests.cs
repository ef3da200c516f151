namespace Genkit.Sidecar.IntegrationTests.Infrastructure;

/// <summary>Frames as Genkit's manager writes them.</summary>
internal static class Requests
{
    /// <param name="id">The request's id, without quotes.</param>
    /// <param name="key">The action.</param>
    /// <param name="input">JSON; null leaves the member out.</param>
    /// <param name="stream">Whether chunks are wanted.</param>
    /// <param name="streamInput">Whether the input is sent in chunks.</param>
    /// <param name="more">More members of <c>params</c>, each with a comma before it.</param>
    public static string Run(string id, string key, string? input = null, bool stream = false, bool streamInput = false, string more = "") =>
        $$"""{"jsonrpc":"2.0","method":"runAction","params":{"key":"{{key}}"{{(input is null ? "" : $",\"input\":{input}")}}{{more}},"stream":{{Json(stream)}},"streamInput":{{Json(streamInput)}}},"id":"{{id}}"}""";

    public static string Chunk(string requestId, string chunk) =>
        $$$"""{"jsonrpc":"2.0","method":"sendInputStreamChunk","params":{"requestId":"{{{requestId}}}","chunk":{{{chunk}}}}}""";

    public static string EndInput(string requestId) =>
        $$$"""{"jsonrpc":"2.0","method":"endInputStream","params":{"requestId":"{{{requestId}}}"}}""";

    public static string Cancel(string id, string traceId) => Call(id, "cancelAction", $$"""{"traceId":"{{traceId}}"}""");

    public static string ListActions(string id) => $$"""{"jsonrpc":"2.0","method":"listActions","id":"{{id}}"}""";

    public static string ListValues(string id, string type) => Call(id, "listValues", $$"""{"type":"{{type}}"}""");

    public static string Call(string id, string method, string parameters) =>
        $$"""{"jsonrpc":"2.0","method":"{{method}}","params":{{parameters}},"id":"{{id}}"}""";

    private static string Json(bool value) => value ? "true" : "false";
}
