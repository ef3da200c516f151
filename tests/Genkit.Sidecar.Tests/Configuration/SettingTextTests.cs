using Genkit.Sidecar.Configuration;

namespace Genkit.Sidecar.Tests.Configuration;

public sealed class SettingTextTests
{
    [Theory]
    [InlineData("0", 0)]
    [InlineData("500ms", 500)]
    [InlineData("5s", 5_000)]
    [InlineData("2m", 120_000)]
    [InlineData("1h", 3_600_000)]
    public void Duration_WithUnit_IsRead(string text, long milliseconds) =>
        Assert.Equal(TimeSpan.FromMilliseconds(milliseconds), Duration.Parse(text).Value);

    [Theory]
    [InlineData("5")]
    [InlineData("-5s")]
    [InlineData("1.5s")]
    [InlineData("s")]
    [InlineData("5 s")]
    [InlineData("5S")]
    [InlineData("99999999999999999999s")]
    [InlineData("9223372036854775807h")]
    public void Duration_OtherText_IsRefused(string text) => Assert.NotNull(Duration.Parse(text).Problem);

    [Theory]
    [InlineData("1000", 1000)]
    [InlineData("1KiB", 1024)]
    [InlineData("90MiB", 94371840)]
    [InlineData("90 mib", 94371840)]
    public void ByteSize_PlainOrWithUnit_IsRead(string text, long bytes) => Assert.Equal(bytes, ByteSize.Parse(text).Value);

    [Theory]
    [InlineData("1MB")]
    [InlineData("MiB")]
    [InlineData("-1")]
    [InlineData("1.5MiB")]
    [InlineData("99999999999999999999")]
    [InlineData("9223372036854775807MiB")]
    public void ByteSize_OtherText_IsRefused(string text) => Assert.NotNull(ByteSize.Parse(text).Problem);

    [Theory]
    [InlineData("http://127.0.0.1:50051", "http://127.0.0.1:50051", "127.0.0.1:50051")]
    [InlineData("127.0.0.1:50051", "http://127.0.0.1:50051", "127.0.0.1:50051")]
    [InlineData("localhost:50051", "http://localhost:50051", "localhost:50051")]
    [InlineData("[::1]:50051", "http://[::1]:50051", "[::1]:50051")]
    [InlineData("http://localhost:1/", "http://localhost:1", "localhost:1")]
    [InlineData("http://[::1]:1", "http://[::1]:1", "[::1]:1")]
    [InlineData("https://app.example", "https://app.example:443", "app.example:443")]
    [InlineData("unix:/run/app.sock", "unix:/run/app.sock", "unix:/run/app.sock")]
    [InlineData("unix:///run/app.sock", "unix:/run/app.sock", "unix:/run/app.sock")]
    public void ApplicationAddress_KnownForm_IsRead(string text, string address, string listen)
    {
        var parsed = ApplicationAddress.Parse(text).Value!;

        Assert.Equal((address, listen), (parsed.Text, parsed.ListenAddress));
    }

    [Theory]
    [InlineData("localhost")]
    [InlineData("ws://localhost:1")]
    [InlineData("http://localhost:1/path")]
    [InlineData("http://localhost:0")]
    [InlineData("unix:relative.sock")]
    [InlineData("unix://host/app.sock")]
    [InlineData("unix:")]
    [InlineData("unix:/01234567890123456789012345678901234567890123456789012345678901234567890123456789012345678901234567890123456789012345")]
    public void ApplicationAddress_OtherForm_IsRefused(string text) => Assert.NotNull(ApplicationAddress.Parse(text).Problem);

    [Theory]
    [InlineData("127.0.0.1:9466", "127.0.0.1:9466", "127.0.0.1:9466")]
    [InlineData("localhost:1", "127.0.0.1:1", "127.0.0.1:1")]
    [InlineData("0.0.0.0:1", "0.0.0.0:1", "127.0.0.1:1")]
    [InlineData("[::]:1", "[::]:1", "127.0.0.1:1")]
    [InlineData("[::1]:1", "[::1]:1", "[::1]:1")]
    [InlineData("127.0.0.1:0", "127.0.0.1:0", null)]
    [InlineData("unix:/run/health.sock", "/run/health.sock", "/run/health.sock")]
    [InlineData("unix:///run/health.sock", "/run/health.sock", "/run/health.sock")]
    [InlineData("off", null, null)]
    public void HealthAddress_KnownForm_IsRead(string text, string? bound, string? asked)
    {
        var parsed = HealthAddress.Parse(text).Value!;

        Assert.Equal((bound, asked), (parsed.EndPoint?.ToString(), parsed.AskedAt?.ToString()));
    }

    [Fact]
    public void HealthAddress_Star_IsEveryInterfaceAndAskedOnLoopback()
    {
        var parsed = HealthAddress.Parse("*:1").Value!;

        Assert.Contains($"{parsed.EndPoint}", (string[])["[::]:1", "0.0.0.0:1"]);
        Assert.Equal("127.0.0.1:1", $"{parsed.AskedAt}");
    }

    [Theory]
    [InlineData("9466")]
    [InlineData(":9466")]
    [InlineData("1:9466")]
    [InlineData("::1:9466")]
    [InlineData("127.0.0.1")]
    [InlineData("127.0.0.1:65536")]
    [InlineData("127.0.0.1:-1")]
    [InlineData("example.com:9466")]
    [InlineData("http://127.0.0.1:9466")]
    [InlineData("[127.0.0.1]:9466")]
    [InlineData("unix:relative.sock")]
    [InlineData("Off")]
    public void HealthAddress_OtherForm_IsRefused(string text) => Assert.NotNull(HealthAddress.Parse(text).Problem);

    [Theory]
    [InlineData("9466", "has no port")]
    [InlineData("[::1]", "has no port")]
    [InlineData("127.0.0.1:-1", "has no port")]
    [InlineData("127.0.0.1:65536", "has a port over 65535")]
    [InlineData(":99999999999999999999", "has a port over 65535")]
    [InlineData(":9466", "has no host")]
    [InlineData("::1:9466", "has an IPv6 address that is not in brackets ([::1])")]
    [InlineData("example.com:9466", "has a host that is no address of this machine's")]
    [InlineData("http://127.0.0.1:9466", "is a URL")]
    public void BindAddress_OtherForm_IsExplained(string text, string problem) =>
        Assert.Equal($"\"{text}\" {problem}", BindAddress.Parse(text).Problem);

    [Theory]
    [InlineData("127.0.0.1:4317", "127.0.0.1:4317", false)]
    [InlineData("localhost:0", "127.0.0.1:0", false)]
    [InlineData("[::1]:4317", "[::1]:4317", false)]
    [InlineData("0.0.0.0:4317", "0.0.0.0:4317", true)]
    [InlineData("192.0.2.1:4317", "192.0.2.1:4317", true)]
    [InlineData("off", null, false)]
    public void OtlpAddress_KnownForm_IsRead(string text, string? bound, bool isBeyondLoopback)
    {
        var parsed = OtlpAddress.Parse(text).Value!;

        Assert.Equal((bound, isBeyondLoopback), (parsed.EndPoint?.ToString(), parsed.IsBeyondLoopback));
    }

    [Theory]
    [InlineData("4317", "has no port")]
    [InlineData("unix:/run/otlp.sock", "is a Unix socket, which OpenTelemetry's exporters over HTTP cannot dial")]
    public void OtlpAddress_OtherForm_IsExplained(string text, string problem) =>
        Assert.Equal($"\"{text}\" {problem}", OtlpAddress.Parse(text).Problem);

    [Theory]
    [InlineData("Bearer s3cret", true)]
    [InlineData("bearer  s3cret ", true)]
    [InlineData("s3cret", false)]
    [InlineData("Basic s3cret", false)]
    [InlineData("Bearer s3cre", false)]
    [InlineData("Bearer s3crets", false)]
    [InlineData("", false)]
    public void BearerToken_Authorization_IsTheSecretOrNot(string authorization, bool isIn)
    {
        var token = BearerToken.Parse("s3cret").Value!;

        Assert.Equal(isIn, token.IsIn(authorization));
        Assert.DoesNotContain("s3cret", $"{token}", StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("ws://localhost:3200", null)]
    [InlineData("wss://example.com/path?x=1", null)]
    [InlineData("https://h:1/x", "\"https://h:1/x\" is not a WebSocket address: use wss://h:1")]
    [InlineData("localhost:3200", "\"localhost:3200\" is not a WebSocket address")]
    [InlineData("ftp://h", "\"ftp://h\" is not a WebSocket address")]
    public void ManagerAddress_AnyText_IsReadOrExplained(string text, string? problem) =>
        Assert.Equal(problem, ManagerAddress.Parse(text).Problem);

    [Theory]
    [InlineData("mangaer", "manager")]
    [InlineData("info", "information")]
    [InlineData("zebra", null)]
    [InlineData("", null)]
    public void NearestName_Typed_IsGuessedOnlyWhenNear(string typed, string? nearest) =>
        Assert.Equal(nearest, NearestName.Of(typed, ["manager", "information", "run"]));

    [Fact]
    public void Quoted_ControlCharactersAndLength_AreTamed()
    {
        Assert.Equal("\"a?[2Jb\"", QuotedText.Text("a\u001b[2Jb"));
        Assert.True(QuotedText.Text(new string('x', 10_000)).Length < 200);
    }
}
