using System.Text.Json;

namespace Genkit.Sidecar.EndToEndTests.Infrastructure;

/// <summary>Polls peers that do not notify of a change.</summary>
internal static class Repeated
{
    /// <summary>Repeats the request until the answer matches, and returns that answer.</summary>
    public static async Task<JsonElement> AskAsync(Func<Task<JsonElement>> ask, Predicate<JsonElement> isDone)
    {
        using var timeout = new CancellationTokenSource(Timeouts.Default);
        using var poll = new PeriodicTimer(TimeSpan.FromMilliseconds(100));
        JsonElement answer;
        while (!isDone(answer = await ask()))
        {
            Assert.False(timeout.IsCancellationRequested, $"After {Timeouts.Default} the answer is still {answer.GetRawText()}");
            await poll.WaitForNextTickAsync(TestContext.Current.CancellationToken);
        }

        return answer;
    }
}
