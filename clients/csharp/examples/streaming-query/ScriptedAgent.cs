using System.Runtime.CompilerServices;
using System.Text.Json;
using Microsoft.Extensions.Logging;

namespace StreamingQuery;

/// <summary>
/// A stand-in for an agent. It replays scripted events and needs no network. The script is a JSON object with a list of events for each question. At a
/// <c>wait</c> event, the agent waits until it is stopped.
/// </summary>
internal sealed partial class ScriptedAgent(JsonElement scripts, ILogger<ScriptedAgent> logger)
{
    private static readonly JsonElement s_unknownQuestion = JsonElement.Parse(
        """{"type": "run.failed", "code": "unknown_question", "message": "the script has no such question"}""");

    /// <summary>Returns the events of the agent. A real agent would load the conversation and store this turn.</summary>
    public async IAsyncEnumerable<JsonElement> AnswerAsync(string question, string conversationId, [EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        if (!scripts.TryGetProperty(question, out var script))
        {
            yield return s_unknownQuestion;
            yield break;
        }

        foreach (var said in script.EnumerateArray())
        {
            if (said.GetProperty("type").ValueEquals("wait"))
            {
                try
                {
                    await Task.Delay(Timeout.Infinite, cancellationToken);
                }
                finally
                {
                    Log.Stopped(logger, conversationId);
                }
            }

            yield return said;
        }
    }

    private static partial class Log
    {
        [LoggerMessage(LogLevel.Information, "The agent was stopped in conversation {ConversationId}.")]
        public static partial void Stopped(ILogger logger, string conversationId);
    }
}
