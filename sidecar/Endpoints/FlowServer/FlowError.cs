using System.Buffers;
using System.Text.Json;
using Genkit.Sidecar.Actions;
using Genkit.Sidecar.Json;
using Grpc.Core;

namespace Genkit.Sidecar.Endpoints.FlowServer;

/// <summary>Failures as callers of a flow see them: <c>{details?, status, message}</c>, member for member as Genkit's own flow server has it.</summary>
internal static class FlowError
{
    private static readonly ActionFailure s_internal = new(StatusCode.Internal, "Internal Error");
    private static readonly ActionFailure s_unavailable = new(StatusCode.Unavailable, "The application is not available");

    /// <summary>Genkit's own mapping; 499 is nginx's for a client that has gone.</summary>
    public static int HttpStatus(StatusCode code) => code switch
    {
        StatusCode.Cancelled => StatusCodes.Status499ClientClosedRequest,
        StatusCode.InvalidArgument or StatusCode.FailedPrecondition or StatusCode.OutOfRange => StatusCodes.Status400BadRequest,
        StatusCode.Unauthenticated => StatusCodes.Status401Unauthorized,
        StatusCode.PermissionDenied => StatusCodes.Status403Forbidden,
        StatusCode.NotFound => StatusCodes.Status404NotFound,
        StatusCode.AlreadyExists or StatusCode.Aborted => StatusCodes.Status409Conflict,
        StatusCode.ResourceExhausted => StatusCodes.Status429TooManyRequests,
        StatusCode.Unimplemented => StatusCodes.Status501NotImplemented,
        StatusCode.Unavailable => StatusCodes.Status503ServiceUnavailable,
        StatusCode.DeadlineExceeded => StatusCodes.Status504GatewayTimeout,
        _ => StatusCodes.Status500InternalServerError,
    };

    /// <summary>
    /// What strangers may read of a failure. An action's own message was written for its callers, but what an exception says, and how the
    /// sidecar reaches the application, was not.
    /// </summary>
    public static ActionFailure ForStrangers(ActionFailure failure) => failure switch
    {
        { IsForOperator: true, Code: StatusCode.Unavailable } => s_unavailable,
        { IsForOperator: true } or { Code: StatusCode.Internal or StatusCode.Unknown or StatusCode.DataLoss } => s_internal,
        _ => failure,
    };

    /// <param name="output">Where to write.</param>
    /// <param name="failure">What went wrong. Its stack is for traces alone.</param>
    /// <param name="keepStack">Whether a member <c>stack</c> of the details, and a <c>google.rpc.DebugInfo</c> among their <c>details</c>, may stay there.</param>
    public static void Write(IBufferWriter<byte> output, ActionFailure failure, bool keepStack)
    {
        using var json = new Utf8JsonWriter(output, JsonPayload.WriterOptions);
        json.WriteStartObject();
        if (!failure.Details.IsEmpty)
        {
            json.WritePropertyName("details"u8);
            WriteDetails(json, failure.Details.Span, keepStack);
        }

        json.WriteString("status"u8, GrpcStatusName.Of(failure.Code));
        json.WriteString("message"u8, failure.Message);
        json.WriteEndObject();
    }

    private static void WriteDetails(Utf8JsonWriter json, ReadOnlySpan<byte> details, bool keepStack)
    {
        var reader = new Utf8JsonReader(details, isFinalBlock: true, new JsonReaderState(JsonPayload.ReaderOptions));
        reader.Read();
        var kept = new ArrayBufferWriter<byte>(details.Length);
        kept.Write("{"u8);
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            var isStack = reader.NameEquals("stack"u8);
            var isDetails = reader.NameEquals("details"u8);
            var start = (int)reader.TokenStartIndex;
            reader.Read();
            if (!keepStack && isDetails && reader.TokenType == JsonTokenType.StartArray)
            {
                kept.Write(kept.WrittenCount > 1 ? ","u8 : default);
                kept.Write("\"details\":"u8);
                WriteWithoutDebugInfo(kept, details, ref reader);
                continue;
            }

            reader.Skip();
            if (keepStack || !isStack)
            {
                kept.Write(kept.WrittenCount > 1 ? ","u8 : default);
                kept.Write(details[start..(int)reader.BytesConsumed]);
            }
        }

        kept.Write("}"u8);
        json.WriteRawValue(kept.WrittenSpan, skipInputValidation: true);
    }

    /// <summary>Copies an array whose elements may be the details of a google.rpc.Status, from its start to its end.</summary>
    private static void WriteWithoutDebugInfo(ArrayBufferWriter<byte> kept, ReadOnlySpan<byte> json, ref Utf8JsonReader reader)
    {
        kept.Write("["u8);
        var isFirst = true;
        while (reader.Read() && reader.TokenType != JsonTokenType.EndArray)
        {
            var start = (int)reader.TokenStartIndex;
            var isDebugInfo = IsDebugInfo(reader);
            reader.Skip();
            if (!isDebugInfo)
            {
                kept.Write(isFirst ? default : ","u8);
                kept.Write(json[start..(int)reader.BytesConsumed]);
                isFirst = false;
            }
        }

        kept.Write("]"u8);
    }

    /// <param name="reader">A copy, so that the caller's stays where it is.</param>
    private static bool IsDebugInfo(Utf8JsonReader reader)
    {
        if (reader.TokenType != JsonTokenType.StartObject)
        {
            return false;
        }

        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            var isType = reader.NameEquals("@type"u8);
            reader.Read();
            if (isType)
            {
                return reader.TokenType == JsonTokenType.String && reader.GetStringOrNull()?.EndsWith("google.rpc.DebugInfo", StringComparison.Ordinal) == true;
            }

            reader.Skip();
        }

        return false;
    }
}
