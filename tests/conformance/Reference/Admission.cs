using Google.Protobuf;
using Grpc.Core;

namespace Genkit.Sidecar.Conformance.Reference;

/// <summary>Which calls the reference application serves at all.</summary>
/// <param name="broken">The broken rule, or null.</param>
/// <param name="without">Features that the application does not support.</param>
internal sealed class Admission(Rule? broken, IReadOnlySet<string> without)
{
    private string? _firstConnection;
    private volatile bool _isDead;

    /// <summary>Refuses all further calls.</summary>
    public void Die() => _isDead = true;

    /// <exception cref="RpcException">The feature is not supported.</exception>
    public void Offer(string feature)
    {
        if (without.Contains(feature))
        {
            throw new RpcException(broken == Rule.UnofferedIsInternal ? new Status(StatusCode.Internal, "not written yet") : new Status(StatusCode.Unimplemented, ""));
        }
    }

    /// <exception cref="RpcException">The call is refused.</exception>
    public void Admit(ServerCallContext call, IMessage request)
    {
        var connection = call.GetHttpContext().Connection.Id;
        var first = Interlocked.CompareExchange(ref _firstConnection, connection, null) ?? connection;
        if (_isDead || (broken == Rule.ServesOneConnection && connection != first))
        {
            throw new RpcException(new Status(StatusCode.Unavailable, "dead"));
        }

        if (broken == Rule.RefusesUnknownFields && HasUnknownField(request))
        {
            throw new RpcException(new Status(StatusCode.InvalidArgument, "the request has an unknown field"));
        }
    }

    private static bool HasUnknownField(IMessage request) =>
        request.Descriptor.Parser.WithDiscardUnknownFields(true).ParseFrom(request.ToByteArray()).CalculateSize() != request.CalculateSize();
}
