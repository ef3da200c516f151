using System.Text.Json;

namespace Genkit.Sidecar.IntegrationTests.Infrastructure;

/// <summary>Reads and asserts the members of frames that the sidecar sends.</summary>
internal static class FrameReading
{
    public static JsonElement At(this JsonElement frame, params string[] path)
    {
        foreach (var name in path)
        {
            Assert.True(frame.ValueKind == JsonValueKind.Object && frame.TryGetProperty(name, out _), $"no {name} in {frame.GetRawText()}");
            frame = frame.GetProperty(name);
        }

        return frame;
    }

    public static string Text(this JsonElement frame, params string[] path) => frame.At(path).GetString()!;

    public static bool Has(this JsonElement frame, string name) => frame.TryGetProperty(name, out _);

    public static string Method(this JsonElement frame) => frame.Text("method");

    public static bool IsChunk(this JsonElement frame) => frame.Has("method") && frame.Method() == "streamChunk";

    public static bool Answers(this JsonElement frame, string id) =>
        frame.TryGetProperty("id", out var given) && given.ValueKind == JsonValueKind.String && given.GetString() == id && !frame.Has("method");

    /// <summary>The trace id of a <c>runActionState</c>.</summary>
    public static string TraceId(this JsonElement state) => state.Text("params", "state", "traceId");

    /// <summary>The action's result, as raw JSON.</summary>
    public static string Result(this JsonElement answer) => answer.At("result", "result").GetRawText();

    public static string Chunk(this JsonElement frame) => frame.At("params", "chunk").GetRawText();

    /// <summary>Asserts all members of an error answer that Genkit's tools read.</summary>
    /// <returns>Its <c>data.details</c>.</returns>
    public static JsonElement AssertError(this JsonElement answer, int jsonRpcCode, int code, string message)
    {
        Assert.True(answer.Has("error"), answer.GetRawText());
        Assert.Equal(message, answer.Text("error", "data", "message"));
        Assert.Equal(message, answer.Text("error", "message"));
        Assert.Equal(jsonRpcCode, answer.At("error", "code").GetInt32());
        Assert.Equal(code, answer.At("error", "data", "code").GetInt32());
        return answer.At("error", "data", "details");
    }

    /// <summary>Asserts the error answer of a run or a listing.</summary>
    public static JsonElement AssertFailure(this JsonElement answer, int code, string message) => answer.AssertError(-32000, code, message);

    /// <summary>Asserts the code of the error answer of a run or a listing, and returns its message.</summary>
    public static string AssertFailure(this JsonElement answer, int code)
    {
        Assert.True(answer.Has("error"), answer.GetRawText());
        var message = answer.Text("error", "message");
        answer.AssertFailure(code, message);
        return message;
    }
}
