using System.Text.Json;

#pragma warning disable RS0030 // The ban of JsonDocument is for payloads; a settings file is read once.

namespace Genkit.Sidecar.Configuration;

/// <summary>The optional configuration file: one JSON object, keyed by flag names without their dashes.</summary>
internal static class SettingsFile
{
    private static readonly JsonDocumentOptions s_options = new() { AllowTrailingCommas = true, CommentHandling = JsonCommentHandling.Skip };

    /// <summary>Reads what <paramref name="path"/> holds; everything wrong with it is added to <paramref name="problems"/>.</summary>
    /// <returns>False if it is not a file of settings, so that none of them is known. A wrong key leaves the others.</returns>
    public static bool TryRead(
        string path, SettingSource source, ICollection<string> problems, out IReadOnlyDictionary<string, SettingInput> settings)
    {
        var inputs = new Dictionary<string, SettingInput>(StringComparer.Ordinal);
        settings = inputs;
        try
        {
            using var document = JsonDocument.Parse(File.ReadAllText(path), s_options);
            if (document.RootElement.ValueKind != JsonValueKind.Object)
            {
                problems.Add($"{source}: {path} holds no JSON object; accepted: {{ \"manager\": \"ws://…\", … }}");
                return false;
            }

            foreach (var member in document.RootElement.EnumerateObject())
            {
                ReadMember(member, SettingSource.File(member.Name, path), inputs, problems);
            }

            return true;
        }
        catch (JsonException e)
        {
            // Its own text quotes from the file, where a header's value may stand.
            problems.Add($"{source}: {path} is not JSON (line {e.LineNumber + 1}, column {e.BytePositionInLine + 1}); accepted: {ProcessSettingTable.Config.Accepts}");
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            problems.Add($"{source}: {QuotedText.Text(path)} does not exist; accepted: {ProcessSettingTable.Config.Accepts}");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            problems.Add($"{source}: {QuotedText.Text(path)} cannot be read; accepted: {ProcessSettingTable.Config.Accepts}");
        }

        return false;
    }

    private static void ReadMember(
        JsonProperty member, SettingSource source, Dictionary<string, SettingInput> inputs, ICollection<string> problems)
    {
        var setting = SettingTable.All.FirstOrDefault(setting => setting.IsInFile && setting.Name == member.Name);
        if (setting is null)
        {
            string[] known = [.. SettingTable.All.Where(setting => setting.IsInFile).Select(setting => setting.Name)];
            problems.Add($"{source}: there is no such setting{NearestName.Hint(member.Name, known)}");
            return;
        }

        if (Texts(member.Value, setting.IsRepeatable) is not { } texts)
        {
            var forms = setting.IsRepeatable ? "a string or an array of strings" : "a string or a number";
            problems.Add($"{source}: is not {forms}; accepted: {setting.Accepts}");
        }
        else if (!inputs.TryAdd(setting.Name, new(source, texts)))
        {
            problems.Add($"{source}: stands there more than once");
        }
    }

    private static IReadOnlyList<string>? Texts(JsonElement value, bool isRepeatable) => value.ValueKind switch
    {
        JsonValueKind.String => [value.GetString()!],
        JsonValueKind.Number when !isRepeatable => [value.GetRawText()],
        JsonValueKind.Array when isRepeatable && value.EnumerateArray().All(item => item.ValueKind == JsonValueKind.String) =>
            [.. value.EnumerateArray().Select(item => item.GetString()!)],
        _ => null,
    };
}
