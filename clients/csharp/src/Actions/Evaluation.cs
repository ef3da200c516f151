using System.Buffers;
using System.Runtime.InteropServices;
using System.Text.Encodings.Web;
using System.Text.Json;
using Microsoft.Extensions.Logging;

namespace Genkit.Sidecar.Client;

/// <summary>Turns a handler that scores one test case into one that scores a dataset. A failed test case does not fail the others.</summary>
internal static partial class Evaluation
{
    private static readonly JsonWriterOptions s_writer = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    public static ActionHandler ForEachTestCase(ActionHandler scoring) => new(async (context, input) =>
    {
        using var request = ParseDataset(input, out var dataset);
        var output = new ArrayBufferWriter<byte>();
        using (var writer = new Utf8JsonWriter(output, s_writer))
        {
            writer.WriteStartArray();
            var index = 0;
            foreach (var testCase in dataset.EnumerateArray())
            {
                writer.WriteStartObject();
                writer.WriteNumber("sampleIndex", index++);
                if (testCase.TryGetProperty("testCaseId", out var id))
                {
                    writer.WritePropertyName("testCaseId");
                    writer.WriteRawValue(JsonMarshal.GetRawUtf8Value(id), skipInputValidation: true);
                }

                await ScoreAsync(scoring, testCase, id, context, writer).ConfigureAwait(false);
                writer.WriteEndObject();
            }

            writer.WriteEndArray();
        }

        return new RawJson(output.WrittenMemory);
    });

    private static async Task ScoreAsync(ActionHandler scoring, JsonElement testCase, JsonElement id, ActionRunContext context, Utf8JsonWriter writer)
    {
        try
        {
            var json = new RawJson(JsonMarshal.GetRawUtf8Value(testCase).ToArray());
            var evaluation = await scoring.Invoke(context, new RunInput(json, Chunks: null, "the test case")).ConfigureAwait(false);
            if (!evaluation.IsAbsent)
            {
                writer.WritePropertyName("evaluation");
                writer.WriteRawValue(evaluation.Utf8.Span);
            }
        }
        catch (Exception e) when (!context.CancellationToken.IsCancellationRequested)
        {
            // Use the raw text, because a JSON string may contain a lone surrogate, which .NET cannot decode.
            var name = id.ValueKind == JsonValueKind.Undefined ? "" : id.GetRawText().Trim('"');
            Log.EvaluationFailed(context.Logger, e, name);
            writer.WriteStartObject("evaluation");
            writer.WriteString("error", $"Evaluation of test case {name} failed: {e.Message}");
            writer.WriteEndObject();
        }
    }

    private static JsonDocument ParseDataset(RunInput input, out JsonElement dataset)
    {
        JsonDocument? request = null;
        try
        {
            request = JsonDocument.Parse(input.Json.Utf8, new JsonDocumentOptions { MaxDepth = int.MaxValue });
            if (request.RootElement.ValueKind == JsonValueKind.Object
                && request.RootElement.TryGetProperty("dataset", out dataset)
                && dataset.ValueKind == JsonValueKind.Array
                && dataset.EnumerateArray().All(testCase => testCase.ValueKind == JsonValueKind.Object))
            {
                return request;
            }
        }
        catch (JsonException)
        {
        }

        request?.Dispose();
        throw new InputError("\"dataset\" must be an array of objects");
    }

    private static partial class Log
    {
        [LoggerMessage(LogLevel.Error, "The evaluation of test case {Id} failed")]
        public static partial void EvaluationFailed(ILogger logger, Exception exception, string id);
    }
}
