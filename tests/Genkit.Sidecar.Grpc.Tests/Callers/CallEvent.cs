namespace Genkit.Sidecar.Grpc.Tests.Callers;

/// <summary>What a caller saw: <c>headers</c>, a <c>message</c>, or the <c>end</c>.</summary>
internal sealed record CallEvent(int Id, string Event)
{
    public int Size { get; init; }

    /// <summary>SHA-256 of the message, in hexadecimal.</summary>
    public string Hash { get; init; } = "";

    /// <summary>The message as text, if it is short.</summary>
    public string? Text { get; init; }

    public int Code { get; init; }

    /// <summary>The status' message.</summary>
    public string Message { get; init; } = "";

    /// <summary>Headers or trailers; bytes as base64.</summary>
    public string[][] Metadata { get; init; } = [];

    public GrpcStatusCode Status => (GrpcStatusCode)Code;

    public string? Get(string name) => Metadata.LastOrDefault(entry => entry[0] == name)?[1];
}
