using System.Text.Json;
using Genkit.Sidecar.Client;
using Grpc.Core;

namespace StreamingQuery;

/// <summary>Takes a question and the id of its conversation, gives events of its own kind.</summary>
internal delegate IAsyncEnumerable<JsonElement> Agent(string question, string conversationId, CancellationToken cancellationToken);

/// <summary>The flow.</summary>
/// <param name="agent">Who answers.</param>
/// <param name="translation">How its events become the flow's.</param>
/// <param name="heartbeat">Time without an event after which there is a heartbeat.</param>
/// <param name="time">The clock.</param>
internal sealed class StreamingQueryFlow(Agent agent, Translation translation, TimeSpan heartbeat, TimeProvider time)
{
    /// <summary>Lists the flow, with the schema of its events.</summary>
    public void AddTo(Application application) => application.Flow(
        "streaming_query",
        ActionHandler.Create<Query, EndEvent>(
            (query, run) => AnswerAsync(query, sent => run.SendChunkAsync(sent, StreamingQueryJson.Default.Event), run.CancellationToken),
            StreamingQueryJson.Default.Query,
            StreamingQueryJson.Default.EndEvent),
        new() { Description = "Answers a question, event by event.", StreamSchema = Schema.Of(StreamingQueryJson.Default.Event) });

    /// <summary>Answers a question, event by event.</summary>
    /// <param name="query">The question.</param>
    /// <param name="send">Sends an event.</param>
    /// <param name="cancellationToken">Stops the agent.</param>
    /// <exception cref="ActionError">The agent has failed.</exception>
    public async Task<EndEvent> AnswerAsync(Query query, Func<Event, ValueTask> send, CancellationToken cancellationToken)
    {
        var conversationId = query.ConversationId is { Length: > 0 } known ? known : Guid.NewGuid().ToString();
        await send(new StartEvent(conversationId));
        var events = translation.TranslateAsync(agent(query.Text, conversationId, cancellationToken), cancellationToken);
        await foreach (var sent in events.WithHeartbeatsAsync(heartbeat, time, cancellationToken))
        {
            await send(sent);
            switch (sent)
            {
                case EndEvent end:
                    return end;
                case ErrorEvent error: // so that whoever looks at the run alone sees that it failed
                    throw new ActionError((StatusCode)error.Code, error.Message) { Stack = "" };
            }
        }

        throw new InvalidOperationException("the answer had no end"); // which the translation does not let happen
    }
}
