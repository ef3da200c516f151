namespace Genkit.Sidecar.Doctor;

/// <summary>How an application takes messages over gRPC's stock limit of 4 MiB, in the languages that have it.</summary>
internal static class ReceiveLimit
{
    /// <summary>What stock servers take at most.</summary>
    public const int StockBytes = 4 * 1024 * 1024;

    public static readonly IReadOnlyList<string> HowToRaise =
    [
        "Python: `grpc.aio.server(options=[(\"grpc.max_receive_message_length\", 100 << 20)])`, and the same for `grpc.server`",
        "Node: `new grpc.Server({ \"grpc.max_receive_message_length\": 100 << 20 })`",
        "Go: `grpc.NewServer(grpc.MaxRecvMsgSize(100 << 20))`",
        "Java: `ServerBuilder.forPort(port).maxInboundMessageSize(100 << 20)`",
        "C#: `services.AddGrpc(grpc => grpc.MaxReceiveMessageSize = 100 << 20)`",
        "The sidecar's own bound is `--max-message-bytes`, 90MiB unless set",
    ];
}
