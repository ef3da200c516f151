using Genkit.Sidecar.Conformance.Payloads;
using Genkit.Sidecar.Conformance.Subjects;

namespace Genkit.Sidecar.Conformance.Actions;

/// <summary>How an action is to be listed. What is left out may be anything.</summary>
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

    /// <summary>Why the action is not as expected; null if it is.</summary>
    public string? Fault(ListedAction action, CaseValues values) =>
        Named("name", _name?.Fault(action.Name, values))
        ?? Named("description", _description?.Fault(action.Description, values))
        ?? Named("input schema", _inputSchema?.Fault(action.InputSchema, values))
        ?? Named("output schema", _outputSchema?.Fault(action.OutputSchema, values))
        ?? Named("metadata", _metadata?.Fault(action.Metadata, values));

    private static string? Named(string member, string? fault) => fault is null ? null : $"{member} that {fault}";
}
