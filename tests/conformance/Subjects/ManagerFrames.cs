using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;

namespace Genkit.Sidecar.Conformance.Subjects;

/// <summary>Writes frames like Genkit's manager. Payloads are inserted unchanged.</summary>
internal static class ManagerFrames
{
    private static readonly JsonSerializerOptions s_options = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    public static byte[] Run(string id, RunPlan plan)
    {
        using var frame = new MemoryStream();
        void Text(string text) => frame.Write(Encoding.UTF8.GetBytes(text));
        Text($"{{\"jsonrpc\":\"2.0\",\"method\":\"runAction\",\"params\":{{\"key\":{Json(plan.Key)}");
        foreach (var (name, payload) in new[] { ("input", plan.Input), ("init", plan.Init), ("context", plan.Context) })
        {
            if (payload is not null)
            {
                Text($",\"{name}\":");
                frame.Write(payload);
            }
        }

        if (plan.Labels.Count > 0)
        {
            Text($",\"telemetryLabels\":{{{string.Join(',', plan.Labels.Select(label => $"{Json(label.Key)}:{Json(label.Value)}"))}}}");
        }

        Text($",\"stream\":{Json(plan.Stream)},\"streamInput\":{Json(plan.IsBidi)}}},\"id\":{Json(id)}}}");
        return frame.ToArray();
    }

    public static byte[] InputChunk(string id, byte[] chunk) =>
        [.. Encoding.UTF8.GetBytes($"{{\"jsonrpc\":\"2.0\",\"method\":\"sendInputStreamChunk\",\"params\":{{\"requestId\":{Json(id)},\"chunk\":"), .. chunk, (byte)'}', (byte)'}'];

    public static byte[] EndInput(string id) => Notification("endInputStream", $"{{\"requestId\":{Json(id)}}}");

    public static byte[] Cancel(string id, string traceId) => Request(id, "cancelAction", $"{{\"traceId\":{Json(traceId)}}}");

    public static byte[] ListActions(string id) => Encoding.UTF8.GetBytes($"{{\"jsonrpc\":\"2.0\",\"method\":\"listActions\",\"id\":{Json(id)}}}");

    public static byte[] ListValues(string id, string type) => Request(id, "listValues", $"{{\"type\":{Json(type)}}}");

    /// <param name="id">The request's id, unchanged.</param>
    public static byte[] Registered(JsonElement id) => Encoding.UTF8.GetBytes($"{{\"jsonrpc\":\"2.0\",\"result\":{{}},\"id\":{id.GetRawText()}}}");

    private static byte[] Request(string id, string method, string parameters) =>
        Encoding.UTF8.GetBytes($"{{\"jsonrpc\":\"2.0\",\"method\":\"{method}\",\"params\":{parameters},\"id\":{Json(id)}}}");

    private static byte[] Notification(string method, string parameters) =>
        Encoding.UTF8.GetBytes($"{{\"jsonrpc\":\"2.0\",\"method\":\"{method}\",\"params\":{parameters}}}");

    private static string Json<T>(T value) => JsonSerializer.Serialize(value, s_options);
}
