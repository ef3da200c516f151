using Genkit.Sidecar.Configuration;
using Genkit.Sidecar.Supervision;

namespace Genkit.Sidecar.Tests.Supervision;

public sealed class OtlpEnvironmentTests
{
    private static readonly OtlpEndpoints s_both = new("http://127.0.0.1:1", "http://127.0.0.1:2");

    [Fact]
    public void Apply_NothingSet_NamesTheHttpListener() => Assert.Equal(
        ["OTEL_BLRP_SCHEDULE_DELAY=500", "OTEL_BSP_SCHEDULE_DELAY=500", "OTEL_EXPORTER_OTLP_ENDPOINT=http://127.0.0.1:2", "OTEL_EXPORTER_OTLP_PROTOCOL=http/protobuf"],
        Applied(s_both));

    [Fact]
    public void Apply_NoHttpListener_NamesTheOneOfGrpc()
    {
        var variables = Applied(s_both with { Http = "" });

        Assert.Contains("OTEL_EXPORTER_OTLP_ENDPOINT=http://127.0.0.1:1", variables);
        Assert.Contains("OTEL_EXPORTER_OTLP_PROTOCOL=grpc", variables);
    }

    [Fact]
    public void Apply_NoListener_AddsNothing() => Assert.Empty(Applied(OtlpEndpoints.None));

    [Fact]
    public void Apply_Token_IsEncodedAsTheSpecificationWants() =>
        Assert.Contains("OTEL_EXPORTER_OTLP_HEADERS=authorization=Bearer%20a%2Cb%3Dc%25", Applied(s_both, BearerToken.Parse("a,b=c%").Value));

    [Theory]
    [InlineData("grpc", "http://127.0.0.1:1")]
    [InlineData("http/json", "http://127.0.0.1:2")]
    [InlineData("http/protobuf", "http://127.0.0.1:2")]
    public void Apply_ProtocolIsAskedFor_NamesItsListener(string protocol, string address)
    {
        var variables = Applied(s_both, token: null, ("OTEL_EXPORTER_OTLP_PROTOCOL", protocol));

        Assert.Contains($"OTEL_EXPORTER_OTLP_PROTOCOL={protocol}", variables);
        Assert.Contains($"OTEL_EXPORTER_OTLP_ENDPOINT={address}", variables);
    }

    [Fact]
    public void Apply_ProtocolIsAskedForThatNobodyListensFor_IsNamedAndNothingIsAdded()
    {
        var environment = new Dictionary<string, string?> { ["OTEL_EXPORTER_OTLP_PROTOCOL"] = "http/json" };

        Assert.Equal(["OTEL_EXPORTER_OTLP_PROTOCOL"], OtlpEnvironment.Apply(environment, s_both with { Http = "" }, token: null));

        Assert.Single(environment);
    }

    [Theory]
    [InlineData("OTEL_EXPORTER_OTLP_ENDPOINT")]
    [InlineData("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT")]
    [InlineData("OTEL_EXPORTER_OTLP_LOGS_ENDPOINT")]
    [InlineData("OTEL_EXPORTER_OTLP_METRICS_ENDPOINT")]
    [InlineData("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL")]
    [InlineData("OTEL_EXPORTER_OTLP_LOGS_HEADERS")]
    [InlineData("OTEL_EXPORTER_OTLP_HEADERS")]
    public void Apply_SetByTheUser_IsLeftAloneAndNamed(string variable)
    {
        var environment = new Dictionary<string, string?> { [variable] = "x", ["OTEL_SDK_DISABLED"] = "true" };

        Assert.Equal([variable], OtlpEnvironment.Apply(environment, s_both, token: null));

        Assert.Equal(2, environment.Count);
    }

    [Fact]
    public void Apply_EmptyVariable_CountsAsUnset() =>
        Assert.Contains("OTEL_EXPORTER_OTLP_ENDPOINT=http://127.0.0.1:2", Applied(s_both, token: null, ("OTEL_EXPORTER_OTLP_ENDPOINT", ""), ("OTEL_EXPORTER_OTLP_PROTOCOL", "")));

    [Fact]
    public void Apply_DelaySetByTheUser_Stays() =>
        Assert.Contains("OTEL_BSP_SCHEDULE_DELAY=5000", Applied(s_both, token: null, ("OTEL_BSP_SCHEDULE_DELAY", "5000")));

    private static IEnumerable<string> Applied(OtlpEndpoints endpoints, BearerToken? token = null, params (string Name, string Value)[] variables)
    {
        var environment = variables.ToDictionary(variable => variable.Name, variable => (string?)variable.Value);
        Assert.Empty(OtlpEnvironment.Apply(environment, endpoints, token));
        return environment.Select(variable => $"{variable.Key}={variable.Value}").Order(StringComparer.Ordinal);
    }
}
