using Genkit.Sidecar.Configuration;

namespace Genkit.Sidecar.Tests.Configuration;

/// <summary>Accepted values of the flow server's settings, and the errors for others.</summary>
public sealed class FlowServerSettingsTests
{
    [Theory]
    [InlineData("0.0.0.0:3400")]
    [InlineData("*:3400")]
    [InlineData("[::]:3400")]
    [InlineData("10.0.0.1:3400")]
    public void FlowServer_BeyondLoopback_NeedsAToken(string address)
    {
        var problem = Assert.Single(Reading.Of($"--flow-server {address}").Problems);

        Assert.StartsWith($"flag --flow-server: {address} ", problem, StringComparison.Ordinal);
        Assert.Contains("--flow-token", problem, StringComparison.Ordinal);
        Assert.Equal("t0ken", Reading.Good($"--flow-server {address} --flow-token t0ken").FlowServer.Token?.Text);
    }

    [Theory]
    [InlineData("off")]
    [InlineData("localhost:0")]
    [InlineData("127.0.0.2:3400")]
    [InlineData("[::1]:3400")]
    [InlineData("unix:/run/flows.sock")]
    public void FlowServer_OnThisMachine_NeedsNone(string address) => Assert.Equal(address, Reading.Good($"--flow-server {address}").FlowServer.Address.Text);

    [Fact]
    public void FlowServer_AloneOrNothing_IsAnEndpointOrNamedAsMissing()
    {
        Assert.Empty(Reading.Of("--flow-server 127.0.0.1:0", needsEndpoint: true).Problems);
        Assert.Contains("flag --flow-server", Assert.Single(Reading.Of(needsEndpoint: true).Problems), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("--flow-path-prefix api", "\"api\" is not such a path")]
    [InlineData("--flow-path-prefix /api/", "\"/api/\" is not such a path")]
    [InlineData("--flow-path-prefix /", "\"/\" is not such a path")]
    [InlineData("--flow-path-prefix /a?b", "is not such a path")]
    [InlineData("--flow-path-prefix /a/../b", "is not such a path")]
    [InlineData("--flow-path-prefix /.", "is not such a path")]
    [InlineData("--flow-actions flow/*", "\"flow/*\" does not begin like a key")]
    [InlineData("--flow-actions /flow/?", "\"/flow/?\" has a ? or a backslash")]
    [InlineData("--flow-actions /flow/\\*", "\"/flow/\\*\" has a ? or a backslash")]
    [InlineData("--flow-token näh", "has a character that a token cannot have")]
    [InlineData("--flow-cors-origin https://a.example/", "is not an origin")]
    [InlineData("--flow-cors-origin https://A.example", "is not an origin")]
    [InlineData("--flow-cors-origin a.example", "is not an origin")]
    [InlineData("--flow-cors-origin https://a.example:443", "is not an origin")]
    [InlineData("--flow-max-body-bytes 91MiB", "is out of range")]
    [InlineData("--flow-timeout 120", "has no unit")]
    [InlineData("--flow-rate-limit -1", "is not such a number")]
    [InlineData("--flow-client-header X:Y", "\"X:Y\" is no header's name")]
    [InlineData("--flow-rate-burst 0", "is not such a number")]
    [InlineData("--flow-max-concurrent 0", "is not such a number")]
    [InlineData("--flow-compression yes", "is not one of its values")]
    [InlineData("--flow-context auth", "has no = between member and header")]
    [InlineData("--flow-context auth.=X-User", "has a member without a name")]
    [InlineData("--flow-context =X-User", "has a member without a name")]
    [InlineData("--flow-context auth=", "does not name a header")]
    [InlineData("--flow-context auth=X(User)", "does not name a header")]
    [InlineData("--flow-context auth=X --flow-context auth=Y", "is for a member that has a value already, or is inside one that has")]
    [InlineData("--flow-context auth=X --flow-context auth.uid=Y", "is for a member that has a value already, or is inside one that has")]
    [InlineData("--flow-context auth.uid=X --flow-context auth=Y", "is for a member that has a value already, or is inside one that has")]
    [InlineData("--flow-token t --flow-context auth.token=authorization", "flag --flow-context: takes the header Authorization, which shows the token of flag --flow-token")]
    public void Value_ThatIsNone_IsRefusedByName(string words, string problem) =>
        Assert.Contains(problem, Assert.Single(Reading.Of(words).Problems), StringComparison.Ordinal);

    [Fact]
    public void Value_OfEach_IsRead()
    {
        var settings = Reading.Good(
            "--flow-server 127.0.0.1:3400 --flow-path-prefix /api --flow-actions /flow/a* --flow-actions /tool/b --flow-context auth.uid=X-User --flow-context auth.name=X-Name "
            + "--flow-cors-origin https://a.example --flow-cors-origin http://localhost:5173 --flow-max-body-bytes 2MiB --flow-timeout 0 --flow-rate-limit 0 --flow-rate-burst 7 "
            + "--flow-max-concurrent 9 --flow-compression false").FlowServer;

        Assert.Equal("/api", settings.PathPrefix);
        Assert.Equal(["/flow/a*", "/tool/b"], settings.Actions);
        Assert.Equal(["auth.uid=X-User", "auth.name=X-Name"], settings.Context.Select(header => $"{string.Join('.', header.Path)}={header.Header}"));
        Assert.Equal(["https://a.example", "http://localhost:5173"], settings.CorsOrigins);
        Assert.Equal((2 * ByteSize.MiB, TimeSpan.Zero, 0, 7, 9, false), (settings.MaxBodyBytes, settings.Timeout, settings.RateLimit, settings.RateBurst, settings.MaxConcurrent, settings.Compression));
    }

    [Fact]
    public void Defaults_AreThoseOfTheReadme()
    {
        var settings = Reading.Good().FlowServer;

        Assert.Null(settings.Address.EndPoint);
        Assert.Equal(("", null), (settings.PathPrefix, settings.Token));
        Assert.Equal(["/flow/*"], settings.Actions);
        Assert.Empty(settings.CorsOrigins);
        Assert.Equal((ByteSize.MiB, TimeSpan.FromMinutes(2), 50, 100, 128, true), (settings.MaxBodyBytes, settings.Timeout, settings.RateLimit, settings.RateBurst, settings.MaxConcurrent, settings.Compression));
    }

    [Fact]
    public void Settings_Printed_KeepTheToken()
    {
        var settings = Reading.Good("--flow-token s3cret");

        Assert.DoesNotContain("s3cret", $"{settings} {settings.FlowServer}", StringComparison.Ordinal);
    }
}
