using Genkit.Sidecar.JsonRpc;

namespace Genkit.Sidecar.Tests.JsonRpc;

/// <summary>The slices of a message by the names of their members.</summary>
internal static class MessageSlices
{
    public static IEnumerable<(string Name, JsonSlice Slice)> Of(ReceivedMessage message) => [.. Envelope(message), .. Params(message)];

    public static (string Name, JsonSlice Slice)[] Envelope(ReceivedMessage message) =>
    [
        ("id", message.Id),
        ("method", message.Method),
        ("params", message.Params),
        ("result", message.Result),
        ("error", message.Error),
    ];

    public static (string Name, JsonSlice Slice)[] Params(ReceivedMessage message) =>
    [
        ("key", message.Key),
        ("input", message.Input),
        ("init", message.Init),
        ("context", message.Context),
        ("telemetryLabels", message.TelemetryLabels),
        ("stream", message.Stream),
        ("streamInput", message.StreamInput),
        ("type", message.Type),
        ("traceId", message.TraceId),
        ("requestId", message.RequestId),
        ("chunk", message.Chunk),
        ("telemetryServerUrl", message.TelemetryServerUrl),
    ];
}
