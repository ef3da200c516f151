using System.Text;
using Genkit.Sidecar.Actions;

namespace Genkit.Sidecar.Cli;

/// <summary>A failure as a person at a terminal wants it.</summary>
internal static class FailureText
{
    public static async Task WriteAsync(TextWriter error, ActionFailure failure)
    {
        await error.WriteLineAsync($"{GrpcStatusName.Of(failure.Code)}: {failure.Message}");
        if (!failure.Details.IsEmpty)
        {
            await error.WriteLineAsync(Encoding.UTF8.GetString(failure.Details.Span));
        }

        if (failure.Stack is { } stack)
        {
            await error.WriteLineAsync(stack);
        }
    }
}
