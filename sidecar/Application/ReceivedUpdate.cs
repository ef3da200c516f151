using Genkit.Sidecar.Actions;
using Google.Protobuf;
using Grpc.Core;

namespace Genkit.Sidecar.Application;

/// <summary>One message of a run, decoded and taken out of grpc-dotnet's buffer. Its payload is copied once, into memory that goes on to the frame's writer.</summary>
internal sealed class ReceivedUpdate : IDisposable
{
    private PayloadBuffer? _payload;

    private ReceivedUpdate(in RunUpdate update, PayloadBuffer? payload, long messageLength)
    {
        Update = update;
        _payload = payload;
        MessageLength = messageLength;
    }

    /// <summary>The message; its payload is valid until <see cref="Dispose"/>, or until the owner of what <see cref="TakePayload"/> returned disposes of that.</summary>
    public RunUpdate Update { get; }

    /// <summary>Bytes of the message around the payload.</summary>
    public long MessageLength { get; }

    /// <param name="context">The message's bytes.</param>
    /// <param name="type">Name of the message's type, for a message that is not of that type.</param>
    public static ReceivedUpdate Deserialize(DeserializationContext context, string type)
    {
        var message = context.PayloadAsReadOnlySequence();
        try
        {
            var update = RunUpdate.Decode(message);
            if (update.Payload is not { } bytes)
            {
                return new ReceivedUpdate(update, null, message.Length);
            }

            var payload = new PayloadBuffer(bytes);
            return new ReceivedUpdate(update with { Payload = payload.Bytes }, payload, message.Length);
        }
        catch (InvalidProtocolBufferException)
        {
            var problem = $"The application sent a message of {message.Length} bytes that is not a {type}";
            return new ReceivedUpdate(new RunUpdate(RunUpdateKind.Error, null, new ActionFailure(StatusCode.Internal, problem)), null, message.Length);
        }
    }

    /// <summary>Hands the payload's memory over to the caller. Null if there is no payload.</summary>
    public PayloadBuffer? TakePayload() => Interlocked.Exchange(ref _payload, null);

    public void Dispose() => TakePayload()?.Dispose();
}
