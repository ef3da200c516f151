using System.Text.Json;
using Genkit.Sidecar.Client;
using Grpc.Core;

namespace StreamingQuery;

/// <summary>Takes a question and the id of its conversation. Returns the agent's own events.</summary>
internal delegate IAsyncEnumerable<JsonElement> Agent(string question, string conversationId, CancellationToken cancellationToken);

/// <summary>Answers questions as a stream of events.</summary>
/// <param name="agent">The agent that answers.</param>
/// <param name="translation">Translates the agent's events.</param>
/// <param name="heartbeat">Time without an event after which a heartbeat is sent.</param>
/// <param name="time">The clock.</param>
internal sealed class StreamingQueryFlow(Agent agent, Translation translation, TimeSpan heartbeat, TimeProvider time)
{
    /// <summary>Adds the flow to an application, with the schema of its events.</summary>
    public void AddTo(Application application) => application.Flow(
        "streaming_query",
        ActionHandler.Create<Query, EndEvent>(
            (query, run) => AnswerAsync(query, sent => run.SendChunkAsync(sent, StreamingQueryJson.Default.Event), run.CancellationToken),
            StreamingQueryJson.Default.Query,
            StreamingQueryJson.Default.EndEvent),
        new() { Description = "Streams the answer to a question as typed events.", StreamSchema = Schema.Of(StreamingQueryJson.Default.Event) });

    /// <summary>Streams the answer to a question as typed events.</summary>
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
                case ErrorEvent error: // also fail the run, so that callers that ignore chunks see the failure
                    throw new ActionError((StatusCode)error.Code, error.Message) { Stack = "" };
            }
        }

        throw new InvalidOperationException("the answer had no final event"); // the translation always adds one
    }
}
