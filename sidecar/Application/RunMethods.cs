using Grpc.Core;

namespace Genkit.Sidecar.Application;

/// <summary>The methods that run an action, with marshallers that leave payloads as they are. The generated client would copy each into an object first.</summary>
internal static class RunMethods
{
    private static readonly Marshaller<OutgoingMessage> s_requests = new(OutgoingMessage.Serialize, static _ => throw new NotSupportedException());

    public static Method<OutgoingMessage, ReceivedUpdate> RunAction { get; } =
        new(MethodType.ServerStreaming, ApplicationClient.Service, nameof(RunAction), s_requests, Updates(nameof(V1.RunActionResponse)));

    public static Method<OutgoingMessage, ReceivedUpdate> RunBidiAction { get; } =
        new(MethodType.DuplexStreaming, ApplicationClient.Service, nameof(RunBidiAction), s_requests, Updates(nameof(V1.RunBidiActionResponse)));

    private static Marshaller<ReceivedUpdate> Updates(string type) =>
        new(static (_, _) => throw new NotSupportedException(), context => ReceivedUpdate.Deserialize(context, type));
}
