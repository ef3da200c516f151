using Genkit.Sidecar.Configuration;

namespace Genkit.Sidecar.Tests.Configuration;

/// <summary>The table of endpoints, row by row.</summary>
public sealed class EnabledEndpointsTests
{
    [Theory]
    [InlineData("dev", "", "v1")]
    [InlineData("dev", "--manager ws://h:1", "v2 v1")]
    [InlineData("dev", "--env-file genkit.env", "v2 v1")]
    [InlineData("dev", "--manager ws://h:1 --reflection-v1 off", "v2")]
    [InlineData("dev", "--reflection-v1 off", "")]
    [InlineData("dev", "--reflection-v1 127.0.0.1:0", "v1")]
    [InlineData("dev", "--telemetry-realtime true", "v1 realtime")]
    [InlineData(null, "", "")]
    [InlineData(null, "--manager ws://h:1", "v2 warned")]
    [InlineData(null, "--env-file genkit.env", "v2")]
    [InlineData(null, "--reflection-v1 127.0.0.1:3100", "v1 warned")]
    [InlineData(null, "--reflection-v1 off", "")]
    [InlineData(null, "--telemetry-realtime true", "realtime")]
    [InlineData(null, "--flow-server 127.0.0.1:0", "flows")]
    [InlineData(null, "--flow-server off", "")]
    [InlineData("dev", "--flow-server 127.0.0.1:0", "v1 flows")]
    [InlineData("prod", "", "")]
    [InlineData("prod", "--manager ws://h:1 --reflection-v1 127.0.0.1:3100", "v2 v1 warned warned")]
    [InlineData("DEV", "", "")]
    public void Of_AnySettings_OpensWhatTheTableSays(string? environment, string words, string open) =>
        Assert.Equal(open, Shown(EnabledEndpoints.Of(Reading.Good(words, ("GENKIT_ENV", environment ?? "")))));

    [Theory]
    [InlineData("dev", "v1 realtime")]
    [InlineData("", "")]
    public void Of_RealtimeVariable_CountsInDevelopmentAlone(string environment, string open) =>
        Assert.Equal(open, Shown(EnabledEndpoints.Of(Reading.Good("", ("GENKIT_ENV", environment), ("GENKIT_ENABLE_REALTIME_TELEMETRY", "true")))));

    [Theory]
    [InlineData("dev", "v2 v1")]
    [InlineData("", "v2 warned")]
    public void Of_ManagerOfTheVariable_IsAManager(string environment, string open) =>
        Assert.Equal(open, Shown(EnabledEndpoints.Of(Reading.Good("", ("GENKIT_ENV", environment), ("GENKIT_REFLECTION_V2_SERVER", "ws://h:1")))));

    [Theory]
    [InlineData("dev", true)]
    [InlineData("prod", false)]
    [InlineData("", false)]
    public void Of_Environment_DecidesWhetherCallersReadInternalMessages(string environment, bool areRead) =>
        Assert.Equal(areRead, EnabledEndpoints.Of(Reading.Good("", ("GENKIT_ENV", environment))).InternalMessages);

    [Fact]
    public void Of_NotDevelopment_WarnsOfTheSettingThatOpenedTheEndpoint()
    {
        var warning = Assert.Single(EnabledEndpoints.Of(Reading.Good("--manager ws://h:1")).Warnings);

        Assert.Contains("flag --manager", warning, StringComparison.Ordinal);
        Assert.Contains("GENKIT_ENV", warning, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("", "", "GENKIT_ENV is not dev")]
    [InlineData("", "prod", "GENKIT_ENV is not dev")]
    [InlineData("--reflection-v1 off", "dev", "flag --reflection-v1 is off")]
    [InlineData("--reflection-v1 off", "", "flag --reflection-v1 is off")]
    public void Read_NoEndpointWhereOneIsNeeded_NamesTheReason(string words, string environment, string why)
    {
        var problem = Assert.Single(Reading.Of(words, needsEndpoint: true, ("GENKIT_ENV", environment)).Problems);

        Assert.Contains("flag --flow-server", problem, StringComparison.Ordinal);
        Assert.Contains(why, problem, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("0.0.0.0:3100")]
    [InlineData("*:3100")]
    [InlineData("[::]:3100")]
    [InlineData("10.0.0.1:3100")]
    public void Read_V1BeyondLoopback_NeedsAnAllowedHost(string address)
    {
        var problem = Assert.Single(Reading.Of($"--reflection-v1 {address}").Problems);

        Assert.StartsWith($"flag --reflection-v1: {address} is beyond loopback", problem, StringComparison.Ordinal);
        Assert.Contains("--reflection-v1-allow-host", problem, StringComparison.Ordinal);
        Assert.True(EnabledEndpoints.Of(Reading.Good($"--reflection-v1 {address} --reflection-v1-allow-host app")).ReflectionV1);
    }

    [Theory]
    [InlineData("localhost:0")]
    [InlineData("127.0.0.2:3100")]
    [InlineData("[::1]:3100")]
    [InlineData("off")]
    public void Read_V1OnLoopback_NeedsNothingElse(string address) => Assert.Equal(address, Reading.Good($"--reflection-v1 {address}").ReflectionV1.Address!.Text);

    [Theory]
    [InlineData("3100", "has no port")]
    [InlineData("example.com:3100", "has a host that is no address of this machine's")]
    [InlineData("unix:/run/v1.sock", "has no port")]
    public void Read_V1ThatIsNoAddress_IsRefused(string address, string problem) =>
        Assert.Contains(problem, Assert.Single(Reading.Of($"--reflection-v1 {address}").Problems), StringComparison.Ordinal);

    [Fact]
    public void EndpointsPage_Table_HasEveryRowAsDeclared()
    {
        var page = File.ReadAllText(Path.Combine(Repository.Root, "docs/endpoints.md"));

        Assert.All(EnabledEndpoints.Table, row => Assert.Contains($"| {row.Endpoint} | {row.InDevelopment} | {row.Elsewhere} |\n", page, StringComparison.Ordinal));
    }

    private static string Shown(EnabledEndpoints enabled) => string.Join(' ', new[]
    {
        enabled.ReflectionV2 ? "v2" : null,
        enabled.ReflectionV1 ? "v1" : null,
        enabled.FlowServer ? "flows" : null,
        enabled.RealtimeTraces ? "realtime" : null,
    }.OfType<string>().Concat(enabled.Warnings.Select(_ => "warned")));
}
