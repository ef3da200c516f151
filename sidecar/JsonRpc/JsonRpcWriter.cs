using System.Buffers;
using System.Text.Json;
using Genkit.Sidecar.Actions;
using Genkit.Sidecar.Json;

namespace Genkit.Sidecar.JsonRpc;

/// <summary>
/// Writes the frames that a runtime sends, member for member in the order of the JS runtime. No member of an envelope is
/// null, for the manager refuses that, but the id of an answer to a request whose own could not be read, which JSON-RPC wants so;
/// payloads stay what they are. Payloads must have passed <see cref="JsonPayload"/>.
/// </summary>
internal static class JsonRpcWriter
{
    /// <summary>Request <c>register</c>, which the manager answers only if its id is truthy.</summary>
    public static void Register(OutgoingFrame frame, string id, in Registration registration)
    {
        using var json = new Utf8JsonWriter(frame.Text, JsonPayload.WriterOptions);
        json.WriteStartObject();
        json.WriteString("jsonrpc"u8, "2.0"u8);
        json.WriteString("id"u8, id);
        json.WriteString("method"u8, "register"u8);
        json.WriteStartObject("params"u8);
        json.WriteString("id"u8, registration.RuntimeId);
        json.WriteNumber("pid"u8, registration.ProcessId);
        json.WriteString("name"u8, registration.Name);
        json.WriteString("genkitVersion"u8, registration.GenkitVersion);
        json.WriteNumber("reflectionApiSpecVersion"u8, 1);
        json.WriteStartArray("envs"u8);
        foreach (var environment in registration.Environments)
        {
            json.WriteStringValue(environment);
        }

        json.WriteEndArray();
        json.WriteEndObject();
        json.WriteEndObject();
    }

    /// <summary>Notification that tells the trace id of a run, by which the tools cancel and feed it.</summary>
    public static void RunActionState(OutgoingFrame frame, RequestId request, string traceId)
    {
        frame.Text.Write("{\"jsonrpc\":\"2.0\",\"method\":\"runActionState\",\"params\":{\"requestId\":"u8);
        WriteAsString(frame.Text, request);
        frame.Text.Write(",\"state\":{\"traceId\":"u8);
        WritePlain(frame.Text, traceId);
        frame.Text.Write("}}}"u8);
    }

    public static void StreamChunk(OutgoingFrame frame, RequestId request, in ReadOnlySequence<byte> chunk)
    {
        frame.Text.Write("{\"jsonrpc\":\"2.0\",\"method\":\"streamChunk\",\"params\":{\"requestId\":"u8);
        WriteAsString(frame.Text, request);
        frame.Text.Write(",\"chunk\":"u8);
        frame.Splice(chunk);
        frame.Text.Write("}}"u8);
    }

    /// <summary>Answer of a run that succeeded. A null <paramref name="result"/> leaves the inner member out: the action returned nothing.</summary>
    public static void RunActionResult(OutgoingFrame frame, RequestId request, in ReadOnlySequence<byte>? result, string traceId)
    {
        frame.Text.Write("{\"jsonrpc\":\"2.0\",\"result\":{"u8);
        if (result is { } payload)
        {
            frame.Text.Write("\"result\":"u8);
            frame.Splice(payload);
            frame.Text.Write(","u8);
        }

        frame.Text.Write("\"telemetry\":{\"traceId\":"u8);
        WritePlain(frame.Text, traceId);
        frame.Text.Write("}},\"id\":"u8);
        frame.Text.Write(request.Token);
        frame.Text.Write("}"u8);
    }

    /// <summary>Answer whose result is one object with one member, such as <c>{"actions": payload}</c>.</summary>
    public static void Result(OutgoingFrame frame, RequestId request, ReadOnlySpan<byte> member, in ReadOnlySequence<byte> payload)
    {
        frame.Text.Write("{\"jsonrpc\":\"2.0\",\"result\":{\""u8);
        frame.Text.Write(member);
        frame.Text.Write("\":"u8);
        frame.Splice(payload);
        frame.Text.Write("},\"id\":"u8);
        frame.Text.Write(request.Token);
        frame.Text.Write("}"u8);
    }

    /// <summary>Answer to a request that has nothing to tell.</summary>
    public static void EmptyResult(OutgoingFrame frame, RequestId request)
    {
        frame.Text.Write("{\"jsonrpc\":\"2.0\",\"result\":{},\"id\":"u8);
        frame.Text.Write(request.Token);
        frame.Text.Write("}"u8);
    }

    /// <summary>Error answer. Its <c>data</c> is always filled, or the Dev UI shows no message at all.</summary>
    /// <param name="frame">Where to write.</param>
    /// <param name="request">The request's id; null where it had none that can be echoed.</param>
    /// <param name="code">One of <see cref="JsonRpcErrorCode"/>.</param>
    /// <param name="failure">What went wrong, in Genkit's terms.</param>
    /// <param name="traceId">Trace of the run that failed, or null if no run was started.</param>
    public static void Error(OutgoingFrame frame, RequestId? request, int code, ActionFailure failure, string? traceId)
    {
        using (var json = new Utf8JsonWriter(frame.Text, JsonPayload.WriterOptions))
        {
            json.WriteStartObject();
            json.WriteString("jsonrpc"u8, "2.0"u8);
            json.WriteStartObject("error"u8);
            json.WriteNumber("code"u8, code);
            json.WriteString("message"u8, failure.Message);
            json.WritePropertyName("data"u8);
            FailureJson.Write(json, failure, traceId);
            json.WriteEndObject();
            json.WritePropertyName("id"u8);
            if (request is { } id)
            {
                json.WriteRawValue(id.Token, skipInputValidation: true);
            }
            else
            {
                json.WriteNullValue();
            }

            json.WriteEndObject();
        }
    }

    /// <summary>The manager takes <c>requestId</c> only as a string, also where the request's own id was a number.</summary>
    private static void WriteAsString(IBufferWriter<byte> text, RequestId request)
    {
        if (request.IsString)
        {
            text.Write(request.Token);
            return;
        }

        text.Write("\""u8);
        text.Write(request.Token);
        text.Write("\""u8);
    }

    /// <summary>Writes a string of the sidecar's own making that needs no escaping.</summary>
    private static void WritePlain(IBufferWriter<byte> text, string value)
    {
        var span = text.GetSpan(value.Length + 2);
        span[0] = (byte)'"';
        for (var i = 0; i < value.Length; i++)
        {
            span[i + 1] = (byte)value[i];
        }

        span[value.Length + 1] = (byte)'"';
        text.Advance(value.Length + 2);
    }
}

/// <summary>What a runtime says of itself when it registers.</summary>
internal readonly record struct Registration(
    string RuntimeId,
    int ProcessId,
    string Name,
    string GenkitVersion,
    IReadOnlyList<string> Environments);
