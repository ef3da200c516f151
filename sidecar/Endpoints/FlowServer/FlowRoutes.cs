using System.IO.Enumeration;
using Genkit.Sidecar.Configuration;

namespace Genkit.Sidecar.Endpoints.FlowServer;

/// <summary>
/// Which action a path is. A flow is at its name, and every action is at its key: <c>/greet</c> and <c>/flow/greet</c> are both the flow
/// <c>greet</c>. Whether there is one, the application says when it is run.
/// </summary>
internal sealed class FlowRoutes(FlowServerSettings settings)
{
    private const string FlowPrefix = "/flow";

    /// <summary>The key of an action; null where nothing is served.</summary>
    public string? KeyOf(string path)
    {
        if (!path.StartsWith($"{settings.PathPrefix}/", StringComparison.Ordinal))
        {
            return null;
        }

        // A key has a type and a name: what has no second slash is a name, even where a glob such as /* would take it for a key.
        var rest = path[settings.PathPrefix.Length..];
        return IsKey(rest) && IsServed(rest) ? rest : rest.Length > 1 && IsServed(FlowPrefix + rest) ? FlowPrefix + rest : null;
    }

    private static bool IsKey(string path) => path.IndexOf('/', 1) > 1;

    private bool IsServed(string key) => settings.Actions.Any(glob => FileSystemName.MatchesSimpleExpression(glob, key, ignoreCase: false));
}
