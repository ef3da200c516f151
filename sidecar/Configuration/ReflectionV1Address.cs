using System.Net;

namespace Genkit.Sidecar.Configuration;

/// <summary>Where Reflection API v1 is served: <c>HOST:PORT</c>, or nowhere.</summary>
internal sealed record ReflectionV1Address
{
    private ReflectionV1Address(string text, IPEndPoint? endPoint) => (Text, EndPoint) = (text, endPoint);

    public string Text { get; }

    /// <summary>What to bind; null for nowhere.</summary>
    public IPEndPoint? EndPoint { get; }

    public static Parsed<ReflectionV1Address> Parse(string text)
    {
        if (text == "off")
        {
            return Parsed<ReflectionV1Address>.Good(new(text, null));
        }

        var address = BindAddress.Parse(text);
        return address.Value is { } endPoint
            ? Parsed<ReflectionV1Address>.Good(new(text, endPoint))
            : Parsed<ReflectionV1Address>.Bad(address.Problem!);
    }

    public override string ToString() => Text;
}
