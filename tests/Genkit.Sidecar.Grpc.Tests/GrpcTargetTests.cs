namespace Genkit.Sidecar.GrpcClient.Tests;

public sealed class GrpcTargetTests
{
    [Theory]
    [InlineData("http://127.0.0.1:50051", "http://127.0.0.1:50051", null, false)]
    [InlineData("http://localhost", "http://localhost", null, false)]
    [InlineData("https://app.example:443/", "https://app.example:443", null, true)]
    [InlineData("https://app.example", "https://app.example", null, true)]
    [InlineData("HTTP://[::1]:50051", "HTTP://[::1]:50051", null, false)]
    [InlineData("  http://app:1 ", "http://app:1", null, false)]
    [InlineData("unix:/run/app.sock", "unix:/run/app.sock", "/run/app.sock", false)]
    [InlineData("unix:///run/app.sock", "unix:///run/app.sock", "/run/app.sock", false)]
    public void Parse_RightAddress_IsTaken(string text, string expected, string? socketPath, bool isTls)
    {
        Assert.True(GrpcTarget.TryParse(text, out var target, out var error));

        Assert.Null(error);
        Assert.Equal(expected, target.ToString());
        Assert.Equal(socketPath, target.SocketPath);
        Assert.Equal(isTls, target.IsTls);
    }

    [Theory]
    [InlineData(null, "empty")]
    [InlineData("", "empty")]
    [InlineData("localhost:50051", "write http://localhost:50051")]
    [InlineData("50051", "no scheme")]
    [InlineData("dns:///app", "scheme 'dns'")]
    [InlineData("ws://app:1", "scheme 'ws'")]
    [InlineData("http://", "not a valid address")]
    [InlineData("http://app:port", "not a valid address")]
    [InlineData("http://app:70000", "not a valid address")]
    [InlineData("http://app:0", "port 0")]
    [InlineData("http://app:1/path", "path '/path'")]
    [InlineData("http://app:1?x=1", "query")]
    [InlineData("http://app:1#x", "fragment")]
    [InlineData("http://me:secret@app:1", "user information")]
    [InlineData("unix:", "no path")]
    [InlineData("unix:///", "no path")]
    [InlineData("unix:app.sock", "relative")]
    [InlineData("unix://app.sock", "host before the path")]
    public void Parse_WrongAddress_SaysWhatIsWrong(string? text, string expected)
    {
        Assert.False(GrpcTarget.TryParse(text, out var target, out var error));

        Assert.Null(target);
        Assert.Contains(expected, error, StringComparison.Ordinal);
        Assert.DoesNotContain("secret", error, StringComparison.Ordinal);
    }

    [Fact]
    public void Parse_SocketPathOverTheSystemsLimit_IsReported()
    {
        Assert.True(GrpcTarget.TryParse("unix:/" + new string('x', 106), out _, out _));
        Assert.False(GrpcTarget.TryParse("unix:/" + new string('x', 107), out _, out var error));

        Assert.Contains("too long", error, StringComparison.Ordinal);
    }

    [Fact]
    public void Parse_WrongAddress_ThrowsTheSameWords() => Assert.Contains("relative", Assert.Throws<FormatException>(() => GrpcTarget.Parse("unix:x")).Message, StringComparison.Ordinal);
}
