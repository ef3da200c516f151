using Genkit.Sidecar.Configuration;

namespace Genkit.Sidecar.Supervision;

/// <summary>
/// The environment variables by which an OpenTelemetry SDK finds the sidecar: https://opentelemetry.io/docs/specs/otel/protocol/exporter.
/// The user's own variables take precedence.
/// </summary>
internal static class OtlpEnvironment
{
    private const string Prefix = "OTEL_EXPORTER_OTLP_";
    private const string Endpoint = Prefix + "ENDPOINT";
    private const string Protocol = Prefix + "PROTOCOL";
    private const string Headers = Prefix + "HEADERS";

    /// <summary>In milliseconds. The default is 5 s, which is long to look at a trace without its spans.</summary>
    private const string ScheduleDelay = "500";

    private static readonly string[] s_ofOneSignal = ["TRACES_", "LOGS_", "METRICS_"];

    /// <summary>Each of these says that spans go somewhere else, or how, and goes with others that the sidecar cannot know.</summary>
    private static readonly string[] s_own =
        [Endpoint, Headers, .. s_ofOneSignal.SelectMany(signal => (string[])[$"{Prefix}{signal}ENDPOINT", $"{Prefix}{signal}PROTOCOL", $"{Prefix}{signal}HEADERS"])];

    /// <summary>Adds what is not there. Gives the variables that keep it from that, if there are any.</summary>
    public static IReadOnlyList<string> Apply(IDictionary<string, string?> environment, OtlpEndpoints endpoints, BearerToken? token)
    {
        var address = AddressOf(environment, endpoints, out var protocol);
        if (address.Length == 0)
        {
            // The user chose a protocol without a listener, although the other protocol has one.
            return endpoints != OtlpEndpoints.None ? [Protocol] : [];
        }

        if (s_own.Where(name => IsSet(environment, name)).ToArray() is { Length: > 0 } own)
        {
            return own;
        }

        environment[Endpoint] = address;
        environment[Protocol] = protocol;
        if (token is not null)
        {
            environment[Headers] = $"authorization=Bearer%20{Uri.EscapeDataString(token.Text)}";
        }

        foreach (var delay in (string[])["OTEL_BSP_SCHEDULE_DELAY", "OTEL_BLRP_SCHEDULE_DELAY"])
        {
            if (!IsSet(environment, delay))
            {
                environment[delay] = ScheduleDelay;
            }
        }

        return [];
    }

    // HTTP, because more SDKs bring that exporter along; unless a protocol is asked for.
    private static string AddressOf(IDictionary<string, string?> environment, OtlpEndpoints endpoints, out string protocol)
    {
        if (IsSet(environment, Protocol))
        {
            protocol = environment[Protocol]!;
            return protocol == "grpc" ? endpoints.Grpc : endpoints.Http;
        }

        protocol = endpoints.Http.Length > 0 ? "http/protobuf" : "grpc";
        return endpoints.Http.Length > 0 ? endpoints.Http : endpoints.Grpc;
    }

    // The specification takes an empty variable for an unset one.
    private static bool IsSet(IDictionary<string, string?> environment, string name) => environment.TryGetValue(name, out var value) && !string.IsNullOrEmpty(value);
}
