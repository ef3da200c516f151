using System.Globalization;

namespace Genkit.Sidecar.Grpc;

/// <summary>The status as it travels, in trailers or, where there is no message, in headers.</summary>
internal static class ResponseStatus
{
    public const string CodeName = "grpc-status";
    public const string MessageName = "grpc-message";
    public const string DetailsName = "grpc-status-details-bin";

    /// <summary>Null when there is no <c>grpc-status</c>.</summary>
    public static GrpcStatus? Read(GrpcMetadata metadata)
    {
        if (metadata.Get(CodeName) is not { } text)
        {
            return null;
        }

        var message = metadata.Get(MessageName) is { } encoded ? StatusMessage.Decode(encoded) : "";
        if (!int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number) || number > (int)GrpcStatusCode.Unauthenticated)
        {
            return new GrpcStatus(
                GrpcStatusCode.Unknown,
                $"the peer ended the call with the unknown status '{StatusMessage.Decode(text)}'{(message.Length > 0 ? $": {message}" : "")}");
        }

        return new GrpcStatus((GrpcStatusCode)number, message) { Details = metadata.GetBytes(DetailsName) };
    }
}
