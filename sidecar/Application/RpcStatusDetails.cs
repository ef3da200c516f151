using System.Buffers;
using System.Text.Json;
using Genkit.Sidecar.Json;
using Google.Protobuf;
using Google.Protobuf.Reflection;
using Google.Protobuf.WellKnownTypes;
using Google.Rpc;
using Grpc.Core;

namespace Genkit.Sidecar.Application;

/// <summary>
/// The details of the <c>grpc-status-details-bin</c> trailer, which is a
/// <see href="https://github.com/googleapis/googleapis/blob/master/google/rpc/status.proto">google.rpc.Status</see>.
/// </summary>
/// <param name="Json">
/// One JSON object <c>{"details": [...]}</c> with an element for each detail: the types of
/// <see href="https://github.com/googleapis/googleapis/blob/master/google/rpc/error_details.proto">google/rpc/error_details.proto</see> in Protocol Buffers'
/// JSON form with <c>@type</c>, any other as <c>{"@type": URL, "value": BASE64}</c>. Empty if there are no details.
/// </param>
/// <param name="Stack">The stack of a DebugInfo, a line an entry; null if there is none.</param>
internal readonly record struct RpcStatusDetails(ReadOnlyMemory<byte> Json, string? Stack)
{
    private static readonly TypeRegistry s_known = TypeRegistry.FromMessages(
        BadRequest.Descriptor,
        DebugInfo.Descriptor,
        ErrorInfo.Descriptor,
        Help.Descriptor,
        LocalizedMessage.Descriptor,
        PreconditionFailure.Descriptor,
        QuotaFailure.Descriptor,
        RequestInfo.Descriptor,
        ResourceInfo.Descriptor,
        RetryInfo.Descriptor);

    private static readonly JsonFormatter s_formatter = new(new JsonFormatter.Settings(formatDefaultValues: false, s_known));

    /// <summary>Reads the details. There are none if the trailer is absent or holds something else: the status itself still says what went wrong.</summary>
    public static RpcStatusDetails Read(Metadata trailers)
    {
        if (trailers.GetRpcStatus(ignoreParseError: true) is not { Details.Count: > 0 } status)
        {
            return default;
        }

        var output = new ArrayBufferWriter<byte>();
        string? stack = null;
        using (var json = new Utf8JsonWriter(output, JsonPayload.WriterOptions))
        {
            json.WriteStartObject();
            json.WriteStartArray("details"u8);
            foreach (var detail in status.Details)
            {
                var formatted = Formatted(detail);
                Write(json, detail, formatted);
                stack ??= formatted is not null && detail.TryUnpack<DebugInfo>(out var debugInfo) ? StackOf(debugInfo) : null;
            }

            json.WriteEndArray();
            json.WriteEndObject();
        }

        return new RpcStatusDetails(output.WrittenMemory, stack);
    }

    private static void Write(Utf8JsonWriter json, Any detail, string? formatted)
    {
        if (formatted is not null)
        {
            json.WriteRawValue(formatted);
            return;
        }

        json.WriteStartObject();
        json.WriteString("@type"u8, detail.TypeUrl);
        json.WriteBase64String("value"u8, detail.Value.Span);
        json.WriteEndObject();
    }

    /// <returns>The JSON form. Null if the type is not known, the bytes are not of that type, or hold a value without a JSON form.</returns>
    private static string? Formatted(Any detail)
    {
        try
        {
            return s_known.Find(Any.GetTypeName(detail.TypeUrl)) is null ? null : s_formatter.Format(detail);
        }
        catch (Exception exception) when (exception is InvalidProtocolBufferException or InvalidOperationException)
        {
            return null;
        }
    }

    private static string? StackOf(DebugInfo debugInfo) => debugInfo switch
    {
        { StackEntries.Count: > 0 } => string.Join('\n', debugInfo.StackEntries),
        { Detail.Length: > 0 } => debugInfo.Detail,
        _ => null,
    };
}
