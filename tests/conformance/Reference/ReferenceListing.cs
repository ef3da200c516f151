using System.Text;
using System.Text.Json;
using Genkit.Sidecar.Conformance.Actions;
using Google.Protobuf;

namespace Genkit.Sidecar.Conformance.Reference;

/// <summary>The listing of the reference application.</summary>
internal sealed class ReferenceListing(Catalogue catalogue, ReferenceActions actions, Rule? broken)
{
    private int _lists;

    public V1.ListActionsResponse Actions()
    {
        var response = new V1.ListActionsResponse();
        if (broken == Rule.SecondListIsEmpty && Interlocked.Increment(ref _lists) % 2 == 0)
        {
            return response;
        }

        foreach (var action in catalogue.Root.GetProperty("actions").EnumerateArray())
        {
            if (!action.TryGetProperty("listed", out _) || broken == Rule.ListsHidden)
            {
                response.Actions.Add(Listed(action));
            }
        }

        if (broken == Rule.DropsAnAction)
        {
            response.Actions.RemoveAt(response.Actions.Count - 1);
        }

        if (broken == Rule.ListsAnActionTwice)
        {
            response.Actions.Add(response.Actions[0]);
        }

        if (broken != Rule.ListNeverChanges)
        {
            response.Actions.AddRange(actions.Added.Select(added => new V1.Action { Key = added.Key, Name = added.Value }));
        }

        response.Actions.AddRange(actions.Listed);
        return response;
    }

    /// <summary>Returns the values of a type as JSON, or null if there are none.</summary>
    public string? Values(string type) => broken switch
    {
        Rule.ValuesAreNoObject => "[]",
        Rule.ValuesAreWrong => "{\"defaultModel\":{\"name\":\"another\"},\"other\":{}}",
        _ => catalogue.Root.GetProperty("values").TryGetProperty(type, out var values) ? values.GetRawText() : null,
    };

    private V1.Action Listed(JsonElement action)
    {
        var listed = new V1.Action { Key = action.GetProperty("key").GetString()!, Name = action.GetProperty("name").GetString()! };
        if (broken == Rule.NamesAreKeys)
        {
            listed.Name = listed.Key;
        }

        if (broken == Rule.KeysAreAscii)
        {
            listed.Key = Encoding.ASCII.GetString(Encoding.ASCII.GetBytes(listed.Key));
        }

        if (action.TryGetProperty("description", out var description) && broken != Rule.DropsDescriptions)
        {
            listed.Description = description.GetString()!;
        }
        else if (broken == Rule.DescriptionsAreEmpty)
        {
            listed.Description = "";
        }

        if (broken != Rule.DropsSchemas && action.TryGetProperty("inputSchema", out var input))
        {
            listed.InputSchemaJson = broken == Rule.SchemasAreNoObjects ? ByteString.CopyFromUtf8("\"a schema\"") : ByteString.CopyFromUtf8(input.GetRawText());
        }

        if (broken != Rule.DropsSchemas && action.TryGetProperty("outputSchema", out var output))
        {
            listed.OutputSchemaJson = ByteString.CopyFromUtf8(output.GetRawText());
        }

        if (broken != Rule.DropsMetadata && action.TryGetProperty("metadata", out var metadata))
        {
            listed.MetadataJson = ByteString.CopyFromUtf8(metadata.GetRawText());
        }

        return listed;
    }
}
