using System.Text.Json;

namespace Genkit.Sidecar.Client.Tests.Infrastructure;

/// <summary>The updates that a run sent.</summary>
internal sealed class Outcome
{
    public List<string> States { get; } = [];

    public List<string> Chunks { get; } = [];

    /// <summary>The result as JSON text, or null if it has none.</summary>
    public string? Result { get; private set; }

    public bool HasResult { get; private set; }

    public V1.ActionError? Error { get; private set; }

    /// <summary>Code and message of the error.</summary>
    public (int Code, string Message)? Failure => Error is null ? null : (Error.Code, Error.Message);

    public JsonElement Value => JsonDocument.Parse(Assert.IsType<string>(Result)).RootElement;

    public void Take(V1.RunActionResponse update)
    {
        Assert.False(HasResult || Error is not null, "nothing follows the end");
        switch (update.UpdateCase)
        {
            case V1.RunActionResponse.UpdateOneofCase.State:
                States.Add(update.State.TraceId);
                break;
            case V1.RunActionResponse.UpdateOneofCase.ChunkJson:
                Chunks.Add(update.ChunkJson.ToStringUtf8());
                break;
            case V1.RunActionResponse.UpdateOneofCase.Result:
                HasResult = true;
                Result = update.Result.HasResultJson ? update.Result.ResultJson.ToStringUtf8() : null;
                break;
            default:
                Error = update.Error;
                break;
        }
    }
}
