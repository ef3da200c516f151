using System.Runtime.CompilerServices;
using System.Text.Json;
using Microsoft.Extensions.Logging;

namespace StreamingQuery;

/// <summary>
/// A stand-in for an agent, which needs no network: it says what a script has for the question. The script is a JSON object of events by question. An event
/// <c>wait</c> is not sent: the agent then does nothing until it is stopped.
/// </summary>
internal sealed partial class ScriptedAgent(JsonElement scripts, ILogger<ScriptedAgent> logger)
{
    private static readonly JsonElement s_unknownQuestion = JsonElement.Parse(
        """{"type": "run.failed", "code": "unknown_question", "message": "the script has no such question"}""");

    /// <summary>Gives the agent's events as they come from it. A real one would look up the conversation, and remember this turn.</summary>
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
