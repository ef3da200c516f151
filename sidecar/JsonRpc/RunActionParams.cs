using System.Buffers;
using System.Collections.ObjectModel;
using System.Text.Json;
using Genkit.Sidecar.Actions;

namespace Genkit.Sidecar.JsonRpc;

/// <summary>Checks the params of <c>runAction</c>, or the body that has them in Reflection API v1, and turns them into a run. Payload members may be anything, null included.</summary>
internal static class RunActionParams
{
    private static readonly ReadOnlyDictionary<string, string> s_noLabels = ReadOnlyDictionary<string, string>.Empty;

    /// <returns>What is wrong and with which member, worded for users; null if nothing is.</returns>
    public static string? Read(in ReceivedMessage message, IDisposable owner, out RunRequest? request)
    {
        request = null;
        if (message.Params.Kind != JsonTokenType.StartObject)
        {
            return "an object is required";
        }

        if (message.String(message.Key) is not { Length: > 0 } key)
        {
            return "key: a non-empty string is required";
        }

        if (!IsFlag(message.Stream) || !IsFlag(message.StreamInput))
        {
            return $"{(IsFlag(message.Stream) ? "streamInput" : "stream")}: must be true or false";
        }

        var labels = message.TelemetryLabels.IsPresent ? ReadLabels(message.Bytes(message.TelemetryLabels)) : s_noLabels;
        if (labels is null)
        {
            return "telemetryLabels: must be an object of strings";
        }

        request = new RunRequest(key)
        {
            Input = Payload(message, message.Input),
            Init = Payload(message, message.Init),
            Context = Payload(message, message.Context),
            TelemetryLabels = labels,
            Stream = message.Stream.Kind == JsonTokenType.True,
            StreamInput = message.StreamInput.Kind == JsonTokenType.True,
            Owner = owner,
        };
        return null;
    }

    private static bool IsFlag(JsonSlice slice) => slice.Kind is JsonTokenType.None or JsonTokenType.True or JsonTokenType.False;

    private static ReadOnlySequence<byte>? Payload(in ReceivedMessage message, JsonSlice slice) =>
        slice.IsPresent ? message.Bytes(slice) : null;

    /// <returns>The labels; null if it is not an object of strings.</returns>
    private static ReadOnlyDictionary<string, string>? ReadLabels(in ReadOnlySequence<byte> json)
    {
        var labels = new Dictionary<string, string>();
        var reader = new Utf8JsonReader(json);
        reader.Read();
        if (reader.TokenType != JsonTokenType.StartObject)
        {
            return null;
        }

        try
        {
            while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
            {
                var name = reader.GetString()!;
                reader.Read();
                if (reader.TokenType != JsonTokenType.String)
                {
                    return null;
                }

                labels[name] = reader.GetString()!;
            }

            return labels.AsReadOnly();
        }
        catch (InvalidOperationException)
        {
            // A lone surrogate cannot be carried in Protocol Buffers' strings.
            return null;
        }
    }
}
