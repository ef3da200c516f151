using System.Buffers;
using System.Text;
using System.Text.Json;
using Genkit.Sidecar.Actions;
using Genkit.Sidecar.Json;
using Grpc.Core;

namespace Genkit.Sidecar.Endpoints.ReflectionV1;

/// <summary>Answers whose length is known, as the JS runtime writes them.</summary>
internal static class ShortResponse
{
    private const string Json = "application/json; charset=utf-8";

    /// <summary>Text, some of it from the request; the JS runtime calls it HTML, and so lets a page write itself.</summary>
    private const string Text = "text/plain; charset=utf-8";

    public static Task TextAsync(HttpContext context, int status, string text) => WriteAsync(context, status, Text, Encoding.UTF8.GetBytes(text));

    public static Task JsonAsync(HttpContext context, int status, ReadOnlyMemory<byte> json) => WriteAsync(context, status, Json, json);

    /// <summary>An array of strings.</summary>
    public static Task TextsAsync(HttpContext context, IReadOnlyList<string> texts)
    {
        var body = new ArrayBufferWriter<byte>();
        using (var json = new Utf8JsonWriter(body, JsonPayload.WriterOptions))
        {
            json.WriteStartArray();
            foreach (var text in texts)
            {
                json.WriteStringValue(text);
            }

            json.WriteEndArray();
        }

        return JsonAsync(context, StatusCodes.Status200OK, body.WrittenMemory);
    }

    /// <summary>What <c>runAction</c> says where no run was started. The tools read the reason only from an answer that is 200.</summary>
    public static Task RunFailureAsync(HttpContext context, ActionFailure failure) =>
        WriteAsync(context, StatusCodes.Status200OK, Json, RunFailure(failure, traceId: null).WrittenMemory);

    /// <summary>
    /// What listings say where there is none. The JS runtime answers 200 with an object that the tools take for a listing, of one
    /// action called "error".
    /// </summary>
    public static Task ListingFailureAsync(HttpContext context, ActionFailure failure)
    {
        var body = new ArrayBufferWriter<byte>();
        using (var json = new Utf8JsonWriter(body, JsonPayload.WriterOptions))
        {
            FailureJson.Write(json, failure, traceId: null);
        }

        var status = failure.Code is StatusCode.Unavailable or StatusCode.DeadlineExceeded
            ? StatusCodes.Status503ServiceUnavailable
            : StatusCodes.Status500InternalServerError;
        return WriteAsync(context, status, Json, body.WrittenMemory);
    }

    /// <summary><c>{"error": {code, message, details}}</c></summary>
    public static ArrayBufferWriter<byte> RunFailure(ActionFailure failure, string? traceId)
    {
        var body = new ArrayBufferWriter<byte>();
        using var json = new Utf8JsonWriter(body, JsonPayload.WriterOptions);
        json.WriteStartObject();
        json.WritePropertyName("error"u8);
        FailureJson.Write(json, failure, traceId);
        json.WriteEndObject();
        json.Flush();
        return body;
    }

    private static async Task WriteAsync(HttpContext context, int status, string contentType, ReadOnlyMemory<byte> body)
    {
        context.Response.StatusCode = status;
        context.Response.ContentType = contentType;
        context.Response.ContentLength = body.Length;
        if (!HttpMethods.IsHead(context.Request.Method))
        {
            await context.Response.Body.WriteAsync(body, context.RequestAborted);
        }
    }
}
