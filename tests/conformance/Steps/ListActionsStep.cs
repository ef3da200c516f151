using Genkit.Sidecar.Conformance.Actions;
using Genkit.Sidecar.Conformance.Payloads;

namespace Genkit.Sidecar.Conformance.Steps;

/// <summary>
/// Expects actions in the list: <c>{"listActions": {KEY: {"name": …, "description": …, "inputSchema": …, "outputSchema": …, "metadata": …}}}</c>, null for an action that is
/// not listed; <c>{"listActions": "catalogue"}</c> for all actions of the catalogue.
/// </summary>
internal sealed class ListActionsStep : IStep
{
    private readonly Dictionary<string, ActionExpectation?>? _actions;
    private readonly bool _areKeysUnique;

    public ListActionsStep(Members members)
    {
        var value = members.Require("listActions");
        _areKeysUnique = members.TakeFlag("uniqueKeys");
        if (value.ValueKind == System.Text.Json.JsonValueKind.Object)
        {
            _actions = value.EnumerateObject().ToDictionary(
                action => action.Name, action => action.Value.ValueKind == System.Text.Json.JsonValueKind.Null ? null : new ActionExpectation(new Members(action.Value)), StringComparer.Ordinal);
        }
        else if (value.GetString() != "catalogue")
        {
            throw new FormatException("listActions is an object of actions by key, or \"catalogue\"");
        }
    }

    public bool IsOfApplicationAlone => false;

    public async Task ExecuteAsync(CaseContext context, CancellationToken cancellationToken)
    {
        var listed = await context.Subject.ListActionsAsync(cancellationToken);
        if (_areKeysUnique && listed.GroupBy(action => action.Key).FirstOrDefault(same => same.Count() > 1) is { } twice)
        {
            throw new CaseFailure($"the key {twice.Key} is listed {twice.Count()} times");
        }

        var values = context.Values();
        foreach (var (key, expectation) in _actions ?? context.Catalogue.Expectations(context.Without))
        {
            var filled = values.Fill(key);
            var action = listed.LastOrDefault(action => action.Key == filled);
            if (expectation is null)
            {
                if (action is not null)
                {
                    throw new CaseFailure($"{filled} is listed, and should not be");
                }

                continue;
            }

            if (action is null)
            {
                throw new CaseFailure($"{filled} is not listed, but {listed.Count} others are");
            }

            if (expectation.Fault(action, values) is { } fault)
            {
                throw new CaseFailure($"{filled} is listed with {fault}");
            }
        }
    }
}
