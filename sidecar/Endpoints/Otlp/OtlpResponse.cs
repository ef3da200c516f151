using System.Buffers;
using System.Globalization;
using System.Text.Json;
using Genkit.Sidecar.Configuration;
using Genkit.Sidecar.Otlp;
using Google.Protobuf;
using Grpc.Core;

namespace Genkit.Sidecar.Endpoints.Otlp;

/// <summary>
/// The bodies of answers, in the encoding of the request: <c>Export…ServiceResponse</c>, in which all signals number their fields alike, and
/// <c>google.rpc.Status</c>.
/// </summary>
internal static class OtlpResponse
{
    /// <summary>Message for a caller without the right token.</summary>
    public static readonly string NoToken = $"OTLP needs the token of {OtlpSettingTable.OtlpToken.Flag}: Authorization: Bearer TOKEN";

    private const int PartialSuccess = 1;
    private const int RejectedItems = 1;
    private const int ErrorMessage = 2;
    private const int StatusCode = 1;
    private const int StatusMessage = 2;

    /// <summary>The answer to a request that was accepted, at least in part.</summary>
    public static byte[] Accepted(OtlpSignal signal, OtlpEncoding encoding, OtlpReply reply)
    {
        if (encoding == OtlpEncoding.Json)
        {
            return Json(writer =>
            {
                if (HasPartialSuccess(reply))
                {
                    writer.WriteStartObject("partialSuccess");
                    if (reply.Rejected > 0)
                    {
                        // ProtoJSON: 64 bits are a string.
                        writer.WriteString(RejectedName(signal), reply.Rejected.ToString(CultureInfo.InvariantCulture));
                    }

                    if (reply.Problem.Length > 0)
                    {
                        writer.WriteString("errorMessage", reply.Problem);
                    }

                    writer.WriteEndObject();
                }
            });
        }

        return HasPartialSuccess(reply)
            ? Protobuf(response =>
            {
                response.WriteTag(PartialSuccess, WireFormat.WireType.LengthDelimited);
                response.WriteBytes(ByteString.CopyFrom(Protobuf(partial =>
                {
                    WriteNumber(partial, RejectedItems, reply.Rejected);
                    WriteText(partial, ErrorMessage, reply.Problem);
                })));
            })
            : [];
    }

    /// <summary>The answer to a request that was refused.</summary>
    public static byte[] Refused(OtlpEncoding encoding, StatusCode code, string message) => encoding == OtlpEncoding.Json
        ? Json(writer =>
        {
            writer.WriteNumber("code", (int)code);
            writer.WriteString("message", message);
        })
        : Protobuf(status =>
        {
            WriteNumber(status, StatusCode, (int)code);
            WriteText(status, StatusMessage, message);
        });

    private static bool HasPartialSuccess(OtlpReply reply) => reply.Rejected > 0 || reply.Problem.Length > 0;

    private static string RejectedName(OtlpSignal signal) => signal switch
    {
        OtlpSignal.Traces => "rejectedSpans",
        OtlpSignal.Metrics => "rejectedDataPoints",
        _ => "rejectedLogRecords",
    };

    private static byte[] Json(Action<Utf8JsonWriter> write)
    {
        var bytes = new ArrayBufferWriter<byte>();
        using var writer = new Utf8JsonWriter(bytes);
        writer.WriteStartObject();
        write(writer);
        writer.WriteEndObject();
        writer.Flush();
        return bytes.WrittenSpan.ToArray();
    }

    private static byte[] Protobuf(Action<CodedOutputStream> write)
    {
        using var bytes = new MemoryStream();
        using var output = new CodedOutputStream(bytes);
        write(output);
        output.Flush();
        return bytes.ToArray();
    }

    private static void WriteNumber(CodedOutputStream output, int field, long value)
    {
        if (value != 0)
        {
            output.WriteTag(field, WireFormat.WireType.Varint);
            output.WriteInt64(value);
        }
    }

    private static void WriteText(CodedOutputStream output, int field, string value)
    {
        if (value.Length > 0)
        {
            output.WriteTag(field, WireFormat.WireType.LengthDelimited);
            output.WriteString(value);
        }
    }
}
