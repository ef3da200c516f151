using System.Text.Json;

namespace Genkit.Sidecar.EndToEndTests.Infrastructure;

/// <summary>Questions to those who tell nobody when their answer changes.</summary>
internal static class Repeated
{
    /// <summary>Asks until the answer is as it should be, and returns it.</summary>
    public static async Task<JsonElement> AskAsync(Func<Task<JsonElement>> ask, Predicate<JsonElement> isDone)
    {
        using var timeout = new CancellationTokenSource(Timeouts.Default);
        using var poll = new PeriodicTimer(TimeSpan.FromMilliseconds(100));
        JsonElement answer;
        while (!isDone(answer = await ask()))
        {
            Assert.False(timeout.IsCancellationRequested, $"Within {Timeouts.Default} came no more than {answer.GetRawText()}");
            await poll.WaitForNextTickAsync(TestContext.Current.CancellationToken);
        }

        return answer;
    }
}
