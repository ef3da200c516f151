using System.Net;

namespace Genkit.Sidecar.Configuration;

/// <summary>Where the sidecar takes the application's own telemetry: <c>HOST:PORT</c>, or nowhere.</summary>
internal sealed record OtlpAddress
{
    private OtlpAddress(string text, IPEndPoint? endPoint) => (Text, EndPoint) = (text, endPoint);

    /// <summary>A port of the system's choice on the loopback, for a command that gets the address in its environment.</summary>
    public static OtlpAddress AnyPort { get; } = new("127.0.0.1:0", new IPEndPoint(IPAddress.Loopback, 0));

    public static OtlpAddress Off { get; } = new("off", null);

    public string Text { get; }

    /// <summary>What to bind; null for nowhere.</summary>
    public IPEndPoint? EndPoint { get; }

    public bool IsBeyondLoopback => EndPoint is not null && !IPAddress.IsLoopback(EndPoint.Address);

    public static Parsed<OtlpAddress> Parse(string text)
    {
        if (text == Off.Text)
        {
            return Parsed<OtlpAddress>.Good(Off);
        }

        if (text.StartsWith(SocketPath.Scheme, StringComparison.Ordinal))
        {
            return Parsed<OtlpAddress>.Bad($"{QuotedText.Text(text)} is a Unix socket, which OpenTelemetry's exporters over HTTP cannot dial");
        }

        var parsed = BindAddress.Parse(text);
        return parsed.Value is { } endPoint ? Parsed<OtlpAddress>.Good(new(text, endPoint)) : Parsed<OtlpAddress>.Bad(parsed.Problem!);
    }

    public override string ToString() => Text;
}
