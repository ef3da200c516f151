using System.Buffers;
using Genkit.Sidecar.Actions;
using Google.Protobuf;

namespace Genkit.Sidecar.Application;

/// <summary>
/// Encodes the requests of a run around their payloads instead of copying them into a message object first. A Protocol Buffers
/// message is the concatenation of its fields, so small fields come from the generated type and payload fields follow as they are:
/// <see href="https://protobuf.dev/programming-guides/encoding/#order"/>.
/// </summary>
internal static class RunMessages
{
    public static ReadOnlySequence<byte> RunAction(RunRequest request) => Fields(request).Build();

    public static ReadOnlySequence<byte> Start(RunRequest request)
    {
        var start = Fields(request).Build();
        var message = new PayloadSequence();
        message.Append(FieldHead(V1.RunBidiActionRequest.StartFieldNumber, start.Length));
        message.Append(start);
        return message.Build();
    }

    public static ReadOnlySequence<byte> InputChunk(in ReadOnlySequence<byte> chunk)
    {
        var message = new PayloadSequence();
        AppendField(message, V1.RunBidiActionRequest.ChunkJsonFieldNumber, chunk);
        return message.Build();
    }

    private static PayloadSequence Fields(RunRequest request)
    {
        var small = new V1.RunActionRequest { Key = request.Key, Stream = request.Stream };
        foreach (var (name, value) in request.TelemetryLabels)
        {
            small.TelemetryLabels[name] = value;
        }

        var message = new PayloadSequence();
        message.Append(small.ToByteArray());
        AppendField(message, V1.RunActionRequest.InputJsonFieldNumber, request.Input);
        AppendField(message, V1.RunActionRequest.InitJsonFieldNumber, request.Init);
        AppendField(message, V1.RunActionRequest.ContextJsonFieldNumber, request.Context);
        return message;
    }

    private static void AppendField(PayloadSequence message, int number, in ReadOnlySequence<byte>? payload)
    {
        if (payload is { } bytes)
        {
            message.Append(FieldHead(number, bytes.Length));
            message.Append(bytes);
        }
    }

    private static byte[] FieldHead(int number, long length)
    {
        var tag = WireFormat.MakeTag(number, WireFormat.WireType.LengthDelimited);
        var head = new byte[CodedOutputStream.ComputeUInt32Size(tag) + CodedOutputStream.ComputeUInt64Size((ulong)length)];
        using var output = new CodedOutputStream(head);
        output.WriteUInt32(tag);
        output.WriteUInt64((ulong)length);
        return head;
    }
}
