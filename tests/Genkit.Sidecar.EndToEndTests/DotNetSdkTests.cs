using System.Diagnostics;
using Genkit.Sidecar.EndToEndTests.Infrastructure;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using OpenTelemetry;
using OpenTelemetry.Logs;
using OpenTelemetry.Trace;

namespace Genkit.Sidecar.EndToEndTests;

/// <summary>
/// OpenTelemetry's SDK for .NET, configured only by the variables that the sidecar sets for its command. It runs in this process, in the trace of a run of
/// another application.
/// </summary>
public sealed partial class DotNetSdkTests : EndToEndTest
{
    private const string Source = "genkit-sidecar-dotnet";

    [Theory]
    [InlineData("http/protobuf", Traits = ["Tier", "All"])]
    [InlineData("grpc", "--otlp-http", "off", Traits = ["Tier", "All"])]
    [InlineData("http/protobuf", "--otlp-token", "c2VjcmV0+/=")]
    [InlineData("grpc", "--otlp-http", "off", "--otlp-token", "c2VjcmV0+/=")]
    public async Task Export_SpanAndLogOfARun_AreInItsTrace(string protocol, params string[] options)
    {
        var manager = await ManagerHost.StartWithTelemetryAsync(Workspace);
        var environment = await StartAsync(manager, options);
        Assert.Equal(protocol, environment["OTEL_EXPORTER_OTLP_PROTOCOL"]);
        var run = await manager.RunActionAsync("""{"key": "/flow/greet", "input": {"name": "Ada"}}""");
        var traceId = await run.TraceIdAsync();
        var root = (await manager.TraceAsync(traceId, "greet")).Root;

        Export(environment, new ActivityContext(
            ActivityTraceId.CreateFromString(traceId), ActivitySpanId.CreateFromString(root.Id), ActivityTraceFlags.Recorded, isRemote: true));

        var step = (await manager.TraceAsync(traceId, "step"))["step"];
        Assert.Equal(root.Id, step.ParentId);
        Assert.Equal("CLIENT", step.Kind);
        JsonAssert.Equal("7", step.Attributes.GetProperty("count"));
        Assert.Equal("done", Assert.Single(step.Events).GetProperty("description").GetString());
        var record = Assert.Single(await manager.LogsAsync(traceId));
        Assert.Equal(step.Id, record.GetProperty("spanId").GetString());
        Assert.Equal("7 of them", record.GetProperty("body").GetString());
    }

    /// <summary>Exports all spans before it returns.</summary>
    private static void Export(IReadOnlyDictionary<string, string> environment, ActivityContext parent)
    {
        // In an application with a host, the SDK reads its variables from here.
        var configuration = new ConfigurationBuilder()
            .AddInMemoryCollection(environment.Select(variable => KeyValuePair.Create(variable.Key, (string?)variable.Value)))
            .Build();
        using var source = new ActivitySource(Source);
        using var traces = Sdk.CreateTracerProviderBuilder()
            .ConfigureServices(services => services.AddSingleton<IConfiguration>(configuration))
            .AddSource(Source)
            .AddOtlpExporter()
            .Build();
        using var logs = LoggerFactory.Create(builder =>
        {
            builder.Services.AddSingleton<IConfiguration>(configuration);
            builder.AddOpenTelemetry(logging =>
            {
                logging.IncludeFormattedMessage = true;
                logging.AddOtlpExporter();
            });
        });
        using var activity = source.StartActivity("step", ActivityKind.Client, parent)!;
        activity.SetTag("count", 7).AddEvent(new ActivityEvent("done"));
        var logger = logs.CreateLogger<DotNetSdkTests>();
        LogCount(logger, 7);
    }

    [LoggerMessage(Level = LogLevel.Information, Message = "{Count} of them")]
    private static partial void LogCount(ILogger logger, int count);

    /// <summary>Starts a sidecar and returns the variables for OpenTelemetry that it sets for its command.</summary>
    private async Task<IReadOnlyDictionary<string, string>> StartAsync(ManagerHost manager, string[] options)
    {
        string[] telling = ["sh", "-c", "env | grep ^OTEL_; echo told; exec \"$@\"", "sh", .. HelloApplication.In("python").Command];
        var sidecar = Workspace.Start(SidecarCommand.Run(Workspace, telling, ["--manager", manager.Url, .. options]));
        await manager.RuntimeAddedAsync();
        await sidecar.Output.FirstAsync(line => line == "told", "the end of the variables");
        return sidecar.Output.Snapshot()
            .TakeWhile(line => line != "told")
            .Select(line => line.Split('=', 2))
            .ToDictionary(variable => variable[0], variable => variable[1]);
    }
}
