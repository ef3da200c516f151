namespace Genkit.Sidecar.Configuration;

/// <summary>The WebSocket address of the manager, as text becomes one.</summary>
internal static class ManagerAddress
{
    public static Parsed<Uri?> Parse(string text)
    {
        if (!Uri.TryCreate(text, UriKind.Absolute, out var uri) || uri.Host.Length == 0)
        {
            return Parsed<Uri?>.Bad($"{WebAddress.Shown(text)} is not a WebSocket address");
        }

        if (uri.UserInfo.Length > 0)
        {
            return Parsed<Uri?>.Bad($"{WebAddress.Shown(text)} was given with a user name, which the manager cannot check");
        }

        return uri.Scheme switch
        {
            "ws" or "wss" when uri.Fragment.Length > 0 => Parsed<Uri?>.Bad($"{WebAddress.Shown(text)} was given with a fragment"),
            "ws" or "wss" => Parsed<Uri?>.Good(uri),
            "http" => Parsed<Uri?>.Bad($"{WebAddress.Shown(text)} is not a WebSocket address: use ws://{uri.Authority}"),
            "https" => Parsed<Uri?>.Bad($"{WebAddress.Shown(text)} is not a WebSocket address: use wss://{uri.Authority}"),
            _ => Parsed<Uri?>.Bad($"{WebAddress.Shown(text)} is not a WebSocket address"),
        };
    }
}
