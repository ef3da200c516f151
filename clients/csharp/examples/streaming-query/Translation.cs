using System.Collections.Frozen;
using System.Diagnostics.Metrics;
using System.Runtime.CompilerServices;
using System.Text.Json;
using Genkit.Sidecar.Client;
using Grpc.Core;
using Microsoft.Extensions.Logging;

namespace StreamingQuery;

/// <summary>Translates the events of the agent into the events of the flow.</summary>
internal sealed partial class Translation(ILogger<Translation> logger)
{
    /// <summary>Name of the meter, for OpenTelemetry's <c>AddMeter</c>.</summary>
    public const string Meter = "StreamingQuery";

    private static readonly Meter s_meter = new(Meter);
    private static readonly Counter<long> s_unknown = s_meter.CreateCounter<long>("streaming_query.unknown_events", "{event}", "Events of the agent that were not recognized");

    // The agent's failure codes that callers may see. Any other failure is reported without its details.
    private static readonly FrozenDictionary<string, StatusCode> s_codes = new Dictionary<string, StatusCode>
    {
        ["quota_exceeded"] = StatusCode.ResourceExhausted,
        ["prompt_too_long"] = StatusCode.InvalidArgument,
        ["unknown_question"] = StatusCode.NotFound,
        ["model_unavailable"] = StatusCode.Unavailable,
    }.ToFrozenDictionary();

    private static readonly ErrorEvent s_failed = new((int)StatusCode.Internal, "the agent failed");
    private static readonly ErrorEvent s_endedEarly = new((int)StatusCode.Unavailable, "the agent ended without a final event");

    /// <summary>Returns the translated events. The last one is always an end or an error, even if the agent throws or stops early.</summary>
    public async IAsyncEnumerable<Event> TranslateAsync(IAsyncEnumerable<JsonElement> upstream, [EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        await using var events = upstream.GetAsyncEnumerator(cancellationToken);
        Event? translated;
        do
        {
            try
            {
                translated = await events.MoveNextAsync() ? EventOf(events.Current) : s_endedEarly;
            }
            catch (Exception error) when (!cancellationToken.IsCancellationRequested)
            {
                Log.Failed(logger, error);
                translated = s_failed;
            }

            if (translated is not null)
            {
                yield return translated;
            }
        }
        while (translated is not (EndEvent or ErrorEvent));
    }

    private static AgentEvent? Read(JsonElement raw)
    {
        try
        {
            return raw.Deserialize(StreamingQueryJson.Default.AgentEvent);
        }
        catch (Exception error) when (error is JsonException or NotSupportedException) // NotSupportedException if the type discriminator is missing
        {
            return null;
        }
    }

    private Event? EventOf(JsonElement raw) => Read(raw) switch
    {
        GuardrailChecked e => new ShieldEvent(e.Guardrail, e.Flagged ? ShieldVerdict.Blocked : ShieldVerdict.Passed, e.Reason),
        MessageDelta e => new TokenEvent(e.Text),
        MessageCompleted e => new TurnCompleteEvent(e.Text),
        ToolStarted e => new ToolCallEvent(e.Id, e.Name, e.Arguments),
        ToolFinished e => new ToolResultEvent(e.Id, e.Ok ? ToolStatus.Success : ToolStatus.Failure, e.Output),
        RunFailed e => ErrorOf(e),
        RunCompleted e => new EndEvent(e.Documents ?? [], new(e.Usage.Input, e.Usage.Output), e.Truncated, e.Quotas ?? FrozenDictionary<string, long>.Empty),
        _ => Unknown(raw),
    };

    private ErrorEvent ErrorOf(RunFailed failed)
    {
        if (s_codes.TryGetValue(failed.Code, out var code))
        {
            return new ErrorEvent((int)code, failed.Message);
        }

        Log.FailedWith(logger, OneLine(failed.Code));
        return s_failed;
    }

    private Event? Unknown(JsonElement raw)
    {
        var type = raw.ValueKind == JsonValueKind.Object && raw.TryGetProperty("type", out var member) && member.ValueKind == JsonValueKind.String
            ? OneLine(member.GetString()!)
            : "none";
        s_unknown.Add(1, new KeyValuePair<string, object?>("type", type));
        Log.Unknown(logger, type);
        return null;
    }

    private static string OneLine(string text) => string.Concat(text.Take(64).Select(c => char.IsControl(c) ? '?' : c));

    private static partial class Log
    {
        [LoggerMessage(LogLevel.Error, "The agent failed.")]
        public static partial void Failed(ILogger logger, Exception error);

        [LoggerMessage(LogLevel.Error, "The agent failed with '{Code}'.")]
        public static partial void FailedWith(ILogger logger, string code);

        [LoggerMessage(LogLevel.Warning, "Ignored an unrecognized event of type '{Type}' from the agent.")]
        public static partial void Unknown(ILogger logger, string type);
    }
}
