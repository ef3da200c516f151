using System.Buffers;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;

namespace Genkit.Sidecar.Doctor;

/// <summary>
/// An examination for programs: one JSON document, whose members docs/troubleshooting.md lists.
/// </summary>
internal static class JsonReport
{
    private static readonly JsonWriterOptions s_options = new()
    {
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
        Indented = true,
        NewLine = "\n",
    };

    public static string Of(string version, string runtimeId, IReadOnlyList<Step> steps)
    {
        var bytes = new ArrayBufferWriter<byte>();
        using (var json = new Utf8JsonWriter(bytes, s_options))
        {
            json.WriteStartObject();
            json.WriteString("version"u8, version);
            json.WriteString("runtimeId"u8, runtimeId);
            json.WriteString("status"u8, StepStatusName.Of(Worst(steps)));
            json.WriteStartArray("steps"u8);
            foreach (var step in steps)
            {
                Write(json, step);
            }

            json.WriteEndArray();
            json.WriteEndObject();
        }

        return Encoding.UTF8.GetString(bytes.WrittenSpan) + "\n";
    }

    private static void Write(Utf8JsonWriter json, Step step)
    {
        json.WriteStartObject();
        json.WriteString("name"u8, step.Name);
        json.WriteString("status"u8, StepStatusName.Of(step.Finding.Status));
        json.WriteString("tried"u8, step.Tried);
        json.WriteString("found"u8, step.Finding.Found);
        json.WriteStartArray("remedies"u8);
        foreach (var remedy in step.Finding.Remedies)
        {
            json.WriteStringValue(remedy);
        }

        json.WriteEndArray();
        json.WriteNumber("tookMs"u8, (long)step.Took.TotalMilliseconds);
        json.WriteEndObject();
    }

    private static StepStatus Worst(IReadOnlyList<Step> steps) =>
        steps.Any(step => step.Finding.Status == StepStatus.Failed) ? StepStatus.Failed
        : steps.Any(step => step.Finding.Status == StepStatus.Warning) ? StepStatus.Warning
        : StepStatus.Ok;
}
