using Genkit.Sidecar.EndToEndTests.Infrastructure;

namespace Genkit.Sidecar.EndToEndTests;

/// <summary>The published binary's OTLP listener for gRPC, called by a command that reads the address from its environment.</summary>
public sealed class OtlpGrpcTests : EndToEndTest
{
    private static readonly Dictionary<string, string> s_environment = new()
    {
        ["OTEL_EXPORTER_OTLP_PROTOCOL"] = "grpc",
        ["GENKIT_SIDECAR_OTLP_TOKEN"] = "top,secret",
    };

    [Fact]
    public Task Export_FromGrpcio_IsTaken() => AssertTakenAsync("/usr/bin/python3", Path.Combine(Repository.Root, "tests/e2e/otlp-caller.py"));

    [Fact]
    public Task Export_FromGrpcJs_IsTaken() => AssertTakenAsync(
        "node",
        Path.Combine(Repository.Root, "tests/e2e/otlp-caller.cjs"),
        Path.GetDirectoryName(Repository.Require("clients/typescript/examples/stubs/package-lock.json", "tests/e2e/setup typescript"))!);

    private async Task AssertTakenAsync(params string[] caller)
    {
        var sidecar = Workspace.Start(SidecarCommand.Run(Workspace, caller, "--manager", "ws://127.0.0.1:1"), s_environment);

        Assert.Equal(0, await sidecar.ExitAsync());
        Assert.Equal(["OK 0", "OK 0", "OK 0", "OK 0", "UNAUTHENTICATED", "UNIMPLEMENTED"], sidecar.Output.Snapshot());
    }
}
