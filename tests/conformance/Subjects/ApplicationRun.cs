using System.Text.Json;
using System.Text.RegularExpressions;
using Genkit.Sidecar.Conformance.Json;
using Google.Protobuf;
using Grpc.Core;

namespace Genkit.Sidecar.Conformance.Subjects;

/// <summary>A run as a call of RunAction or RunBidiAction, whose responses have the same encoding.</summary>
internal sealed partial class ApplicationRun(ApplicationCall call) : IRun
{
    private bool _hasUpdate;

    public async Task<Update> ReadAsync(CancellationToken cancellationToken)
    {
        while (await call.ReadAsync(cancellationToken) is { } message)
        {
            var response = ApplicationSubject.Parsed(message, V1.RunActionResponse.Parser, "The run");
            switch (response.UpdateCase)
            {
                case V1.RunActionResponse.UpdateOneofCase.State:
                    return State(response.State);
                case V1.RunActionResponse.UpdateOneofCase.ChunkJson:
                    _hasUpdate = true;
                    return new Update.Chunk(Json(response.ChunkJson, "chunk_json"));
                case V1.RunActionResponse.UpdateOneofCase.Result:
                    var result = new Update.Result(response.Result.HasResultJson ? Json(response.Result.ResultJson, "result_json") : null);
                    await EndAsync(result, 0, cancellationToken);
                    return result;
                case V1.RunActionResponse.UpdateOneofCase.Error:
                    var error = Error(response.Error);
                    await EndAsync(error, error.Code, cancellationToken);
                    return error;
                default:
                    // No known member: a heartbeat.
                    break;
            }
        }

        var status = call.Status!.Value;
        return status.StatusCode == StatusCode.OK
            ? throw new CaseFailure("the run ended with the status OK and without a result or an error before it")
            : new Update.Error((int)status.StatusCode, status.Detail, null, null, IsStatus: true);
    }

    public Task SendAsync(byte[] chunk, CancellationToken cancellationToken) =>
        call.WriteAsync(new V1.RunBidiActionRequest { ChunkJson = UnsafeByteOperations.UnsafeWrap(chunk) }.ToByteArray(), cancellationToken);

    public Task EndInputAsync(CancellationToken cancellationToken) => call.CompleteAsync();

    public Task CancelAsync(CancellationToken cancellationToken) => call.CancelAsync();

    public ValueTask DisposeAsync() => call.DisposeAsync();

    [GeneratedRegex("^[0-9a-f]{32}$")]
    private static partial Regex TraceId { get; }

    private static byte[] Json(ByteString json, string field)
    {
        var fault = JsonText.Fault(json.Span, out _);
        return fault is null ? json.ToByteArray() : throw new CaseFailure($"{field} {fault}");
    }

    private static Update.Error Error(V1.ActionError error)
    {
        if (error.Code is < 1 or > 16)
        {
            throw new CaseFailure($"ActionError has the code {error.Code}, but gRPC's error codes are 1 to 16");
        }

        byte[]? details = null;
        if (error.HasDetailsJson)
        {
            details = Json(error.DetailsJson, "details_json");
            if (JsonText.Fault(details, out var type) is not null || type != JsonTokenType.StartObject)
            {
                throw new CaseFailure("details_json is not a JSON object");
            }
        }

        return new Update.Error(error.Code, error.Message, details, error.Stack.Length == 0 ? null : error.Stack, IsStatus: false);
    }

    private Update.State State(V1.ActionState state)
    {
        if (_hasUpdate)
        {
            throw new CaseFailure("ActionState came after another update, but it must be sent once and first");
        }

        _hasUpdate = true;
        return TraceId.IsMatch(state.TraceId)
            ? new Update.State(state.TraceId)
            : throw new CaseFailure($"ActionState.trace_id is '{state.TraceId}', but it must have 32 lower-case hex digits");
    }

    /// <summary>Waits for the end of the call after its last update.</summary>
    private async Task EndAsync(Update last, int code, CancellationToken cancellationToken)
    {
        if (await call.ReadAsync(cancellationToken) is not null)
        {
            throw new CaseFailure($"a message came after {last.Name}, which ends the run");
        }

        if (call.Status is { StatusCode: not StatusCode.OK } status && (int)status.StatusCode != code)
        {
            throw new CaseFailure($"the call ended with {status.StatusCode} ({status.Detail}) after {last.Name}");
        }
    }
}
