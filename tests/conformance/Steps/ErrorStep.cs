using System.Text.Json;
using Genkit.Sidecar.Conformance.Payloads;
using Genkit.Sidecar.Conformance.Subjects;

namespace Genkit.Sidecar.Conformance.Steps;

/// <summary>
/// Expects that a run fails: <c>{"error": {"code": 5, "message": …, "details": …, "stack": …, "form": "status"}}</c>. The code is one, an array of those that will do,
/// or absent for any; message and stack are expectations of JSON strings.
/// </summary>
internal sealed class ErrorStep : UpdateStep
{
    private readonly IReadOnlyList<int> _codes;
    private readonly Expectation? _message;
    private readonly Expectation? _details;
    private readonly Expectation? _stack;
    private readonly string? _form;

    public ErrorStep(Members members)
        : base(members, "the error")
    {
        var error = new Members(members.Require("error"));
        _codes = error.Take("code") switch
        {
            null => [],
            { ValueKind: JsonValueKind.Array } codes => [.. codes.EnumerateArray().Select(code => code.GetInt32())],
            { } code => [code.GetInt32()],
        };
        _message = error.TakeExpectation("message");
        _details = error.TakeExpectation("details");
        _stack = error.TakeExpectation("stack");
        _form = error.TakeText("form");
        if (_form is not (null or "status" or "update"))
        {
            throw new FormatException($"form is status or update, not {_form}");
        }

        error.ThrowIfAnyIsLeft();
    }

    protected override string? Fault(Update update, CaseContext context, int index)
    {
        if (update is not Update.Error error)
        {
            return "";
        }

        if (_codes.Count > 0 && !_codes.Contains(error.Code))
        {
            return $"has the code {error.Code} instead of {string.Join(" or ", _codes)}; its message is: {error.Message}";
        }

        if (_form is not null && context.Subject is ApplicationSubject && error.IsStatus != (_form == "status"))
        {
            return $"came as {(error.IsStatus ? "a status" : "an ActionError")}";
        }

        var values = context.Values(index);
        return Named("message", _message?.Fault(error.Message, values))
            ?? Named("details", _details?.Fault(error.Details, values))
            ?? Named("stack", _stack?.Fault(error.Stack, values));
    }

    private static string? Named(string member, string? fault) => fault is null ? null : $"has {member} that {fault}";
}
