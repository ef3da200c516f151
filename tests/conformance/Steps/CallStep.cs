using System.Text.Json;
using Genkit.Sidecar.Conformance.Payloads;
using Genkit.Sidecar.Conformance.Subjects;

namespace Genkit.Sidecar.Conformance.Steps;

/// <summary>Calls a method with messages byte for byte and expects a status: <c>{"call": "/package.Service/Method", "messages": [{"$hex": …}], "status": [12]}</c>; <c>"failed"</c> stands for any but OK.</summary>
internal sealed class CallStep : IStep
{
    private readonly string _method;
    private readonly IReadOnlyList<Payload> _messages;
    private readonly IReadOnlyList<int> _codes;

    public CallStep(Members members)
    {
        _method = members.RequireText("call");
        _messages = [.. members.Require("messages").EnumerateArray().Select(Payload.Parse)];
        var status = members.Require("status");
        _codes = status.ValueKind == JsonValueKind.String && status.GetString() == "failed"
            ? [.. Enumerable.Range(1, 16)]
            : [.. status.EnumerateArray().Select(code => code.GetInt32())];
    }

    public bool IsOfApplicationAlone => true;

    public async Task ExecuteAsync(CaseContext context, CancellationToken cancellationToken)
    {
        var messages = _messages.Select(message => message.Build(context.Values())).ToList();
        var status = await ((ApplicationSubject)context.Subject).CallRawAsync(_method, messages, cancellationToken);
        if (!_codes.Contains((int)status.StatusCode))
        {
            throw new CaseFailure($"{_method} ended with {status.StatusCode} ({status.Detail}){(_codes.Count == 16 ? ", and should have failed" : $" instead of {string.Join(" or ", _codes)}")}");
        }
    }
}
