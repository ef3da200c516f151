using System.Globalization;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Primitives;

namespace Genkit.Sidecar.Grpc.Server;

/// <summary>Writes what ends a response, into its trailers or, where there is no message, into its headers.</summary>
internal static class StatusHeaders
{
    public static void Write(IHeaderDictionary destination, GrpcStatus status, GrpcMetadata? trailers)
    {
        if (trailers is not null)
        {
            Add(destination, trailers);
        }

        destination[ResponseStatus.CodeName] = ((int)status.Code).ToString(CultureInfo.InvariantCulture);
        if (status.Message.Length > 0)
        {
            destination[ResponseStatus.MessageName] = StatusMessage.Encode(status.Message);
        }

        if (!status.Details.IsEmpty)
        {
            destination[ResponseStatus.DetailsName] = BinaryHeader.Encode(status.Details.Span);
        }
    }

    public static void Add(IHeaderDictionary destination, GrpcMetadata metadata)
    {
        foreach (var (name, value) in metadata)
        {
            destination[name] = StringValues.Concat(destination[name], value);
        }
    }
}
