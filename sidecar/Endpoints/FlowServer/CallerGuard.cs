using Genkit.Sidecar.Configuration;
using Genkit.Sidecar.Http;
using Grpc.Core;

namespace Genkit.Sidecar.Endpoints.FlowServer;

/// <summary>Who may ask. Without a token the server is for this machine alone, and web pages are kept out by what browsers say of them.</summary>
internal sealed class CallerGuard(FlowServerSettings settings)
{
    private const string AnyOrigin = "*";

    private readonly HashSet<string> _origins = settings.CorsOrigins.ToHashSet(StringComparer.OrdinalIgnoreCase);

    /// <summary>Whether a request can come from where it says: null if so.</summary>
    public Refusal? FindStranger(HttpContext context)
    {
        var request = context.Request;
        if (settings.Token is null && settings.Address.SocketPath is null && !Loopback.IsAskedFor(request))
        {
            return Forbidden("Without a token the flow server is for callers that ask for localhost");
        }

        var origin = request.Headers.Origin.ToString();
        return origin.Length == 0 || _origins.Contains(AnyOrigin) || _origins.Contains(origin) || IsSame(origin, request.Host)
            ? null
            : Forbidden("Pages of this origin may not call the flow server");
    }

    /// <summary>Whether a request shows the token, if there is one: null if so.</summary>
    public Refusal? FindUnknown(HttpContext context)
    {
        if (settings.Token is null || settings.Token.IsIn(context.Request.Headers.Authorization.ToString()))
        {
            return null;
        }

        context.Response.Headers.WWWAuthenticate = "Bearer";
        return new Refusal(StatusCodes.Status401Unauthorized, StatusCode.Unauthenticated, "A token is needed: Authorization: Bearer TOKEN");
    }

    /// <summary>Whether a page calls the server that it came from, whichever scheme a proxy has given it.</summary>
    private static bool IsSame(string origin, HostString host) =>
        Uri.TryCreate(origin, UriKind.Absolute, out var page) && string.Equals(page.Authority, host.Value, StringComparison.OrdinalIgnoreCase);

    private static Refusal Forbidden(string message) => new(StatusCodes.Status403Forbidden, StatusCode.PermissionDenied, message);
}
