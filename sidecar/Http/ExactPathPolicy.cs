using Microsoft.AspNetCore.Routing;
using Microsoft.AspNetCore.Routing.Matching;

namespace Genkit.Sidecar.Http;

/// <summary>
/// Takes a path without parameters as it is written. Routing ignores case and a slash at the end; the protocols that are served here have neither, and what
/// stands before the sidecar and filters by path may tell them apart.
/// </summary>
internal sealed class ExactPathPolicy : MatcherPolicy, IEndpointSelectorPolicy
{
    public override int Order => 0;

    public bool AppliesToEndpoints(IReadOnlyList<Endpoint> endpoints) => true;

    public Task ApplyAsync(HttpContext httpContext, CandidateSet candidates)
    {
        for (var i = 0; i < candidates.Count; i++)
        {
            if (candidates[i].Endpoint is RouteEndpoint { RoutePattern: { Parameters.Count: 0 } pattern }
                && !string.Equals(httpContext.Request.Path.Value, pattern.RawText, StringComparison.Ordinal))
            {
                candidates.SetValidity(i, false);
            }
        }

        return Task.CompletedTask;
    }
}
