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
    private static readonly IReadOnlyDictionary<string, MessageDescriptor> s_known = new[]
    {
        BadRequest.Descriptor, DebugInfo.Descriptor, ErrorInfo.Descriptor, Help.Descriptor, LocalizedMessage.Descriptor, PreconditionFailure.Descriptor,
        QuotaFailure.Descriptor, RequestInfo.Descriptor, ResourceInfo.Descriptor, RetryInfo.Descriptor,
    }.ToDictionary(type => type.FullName);

    private static readonly JsonFormatter s_formatter = new(JsonFormatter.Settings.Default);

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
                var message = Parse(detail);
                Write(json, detail, message);
                stack ??= message is DebugInfo debugInfo ? StackOf(debugInfo) : null;
            }

            json.WriteEndArray();
            json.WriteEndObject();
        }

        return new RpcStatusDetails(output.WrittenMemory, stack);
    }

    /// <returns>The message; null if its type is not known, or the bytes are not of that type.</returns>
    private static IMessage? Parse(Any detail)
    {
        try
        {
            return s_known.TryGetValue(Any.GetTypeName(detail.TypeUrl), out var type) ? type.Parser.ParseFrom(detail.Value) : null;
        }
        catch (InvalidProtocolBufferException)
        {
            return null;
        }
    }

    private static void Write(Utf8JsonWriter json, Any detail, IMessage? message)
    {
        json.WriteStartObject();
        json.WriteString("@type"u8, detail.TypeUrl);
        if (message is null)
        {
            json.WriteBase64String("value"u8, detail.Value.Span);
        }
        else
        {
            using var members = JsonDocument.Parse(s_formatter.Format(message));
            foreach (var member in members.RootElement.EnumerateObject())
            {
                member.WriteTo(json);
            }
        }

        json.WriteEndObject();
    }

    private static string? StackOf(DebugInfo debugInfo) => debugInfo switch
    {
        { StackEntries.Count: > 0 } => string.Join('\n', debugInfo.StackEntries),
        { Detail.Length: > 0 } => debugInfo.Detail,
        _ => null,
    };
}
