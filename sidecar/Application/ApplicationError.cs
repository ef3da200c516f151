using System.Text.Json;
using Genkit.Sidecar.Actions;
using Genkit.Sidecar.Json;
using Grpc.Core;

namespace Genkit.Sidecar.Application;

/// <summary>An error in the stream of a run's updates, in Genkit's terms.</summary>
internal static class ApplicationError
{
    /// <summary>Keeps the message as it is. A code that is none becomes UNKNOWN; details that are no JSON object are left out.</summary>
    public static ActionFailure Read(V1.ActionError error)
    {
        var failure = new ActionFailure(
            error.Code is > 0 and <= 16 ? (StatusCode)error.Code : StatusCode.Unknown,
            error.Message)
        {
            Stack = error.Stack.Length > 0 ? error.Stack : null,
        };
        if (!error.HasDetailsJson)
        {
            return failure;
        }

        var defect = JsonPayload.FindDefect(error.DetailsJson.Memory, out var root);
        if (defect is null && root != JsonTokenType.StartObject)
        {
            defect = "it is not a JSON object";
        }

        return defect is null
            ? failure with { Details = error.DetailsJson.Memory }
            : failure with { DetailsDefect = defect };
    }
}
