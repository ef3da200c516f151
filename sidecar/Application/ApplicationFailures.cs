using Genkit.Sidecar.Actions;
using Genkit.Sidecar.GrpcClient;
using Grpc.Core;

namespace Genkit.Sidecar.Application;

/// <summary>
/// Says in Genkit's terms how a call to the application ended, and tells apart the ways in which there is no application at the
/// address: each names the address, the cause, and what mends it.
/// </summary>
internal sealed class ApplicationFailures(string address)
{
    /// <param name="status">How the call ended. Not OK.</param>
    /// <param name="rpc">The method, without its service.</param>
    /// <param name="hasAnswered">Whether the application sent a message before: then the status is the action's own.</param>
    public ActionFailure From(CallStatus status, string rpc, bool hasAnswered)
    {
        if (status.ConnectFailure != ConnectFailure.None)
        {
            return new ActionFailure(StatusCode.Unavailable, $"The application cannot be reached: {status.Message.TrimEnd('?', '.')}. {Remedy(status.ConnectFailure)}") { IsForOperator = true };
        }

        if (status.IsOverReceiveLimit)
        {
            return new ActionFailure(status.Code, $"The answer to {rpc} is too large: {status.Message}, as --max-message-bytes sets it") { IsForOperator = true };
        }

        var message = status.Message.Length > 0 ? status.Message : GrpcStatusName.Of(status.Code);
        var isMissing = status.Code == StatusCode.Unimplemented && !hasAnswered;
        if (isMissing)
        {
            message = rpc == ApplicationClient.ListActions
                ? $"{address} speaks gRPC but does not serve {ApplicationClient.Service}: {message}. Is it the application's address (--app)? proto/README.md tells what an application implements"
                : $"{address} does not implement {ApplicationClient.Service}/{rpc}: {message}. proto/README.md tells what an application implements";
        }

        var details = RpcStatusDetails.Read(status.Trailers);
        return new ActionFailure(status.Code, message) { Details = details.Json, Stack = details.Stack, IsForOperator = isMissing || status.Message.Contains(address, StringComparison.Ordinal) };
    }

    private static string Remedy(ConnectFailure failure) => failure switch
    {
        ConnectFailure.PlaintextToTlsPeer => "Give --app with https:// (and --app-ca for a private certificate authority)",
        ConnectFailure.TlsToPlaintextPeer => "Give --app with http://",
        ConnectFailure.NotHttp2 => "gRPC needs HTTP/2: is --app the application's gRPC port?",
        ConnectFailure.TlsFailed => "Does it want a client certificate (--app-cert, --app-key)?",
        ConnectFailure.CertificateNotTrusted => "Name the certificate authority with --app-ca",
        ConnectFailure.CertificateForOtherName => "Name the host that the certificate is for with --app-authority",
        _ => "Is it running, and is --app its address?",
    };
}
