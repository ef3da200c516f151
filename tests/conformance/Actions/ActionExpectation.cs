using Genkit.Sidecar.Conformance.Payloads;
using Genkit.Sidecar.Conformance.Subjects;

namespace Genkit.Sidecar.Conformance.Actions;

/// <summary>The expected listing of an action. Members that are left out may have any value.</summary>
internal sealed class ActionExpectation
{
    private readonly Expectation? _name;
    private readonly Expectation? _description;
    private readonly Expectation? _inputSchema;
    private readonly Expectation? _outputSchema;
    private readonly Expectation? _metadata;

    public ActionExpectation(Members members)
    {
        _name = members.TakeExpectation("name");
        _description = members.TakeExpectation("description");
        _inputSchema = members.TakeExpectation("inputSchema");
        _outputSchema = members.TakeExpectation("outputSchema");
        _metadata = members.TakeExpectation("metadata");
        members.ThrowIfAnyIsLeft();
    }

    /// <summary>Returns why the action does not match, or null if it matches.</summary>
    public string? Fault(ListedAction action, CaseValues values) =>
        Named("name", _name?.Fault(action.Name, values))
        ?? Named("description", _description?.Fault(action.Description, values))
        ?? Named("input schema", _inputSchema?.Fault(action.InputSchema, values))
        ?? Named("output schema", _outputSchema?.Fault(action.OutputSchema, values))
        ?? Named("metadata", _metadata?.Fault(action.Metadata, values));

    private static string? Named(string member, string? fault) => fault is null ? null : $"{member} that {fault}";
}
