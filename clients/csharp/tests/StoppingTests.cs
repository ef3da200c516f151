using System.Diagnostics;
using System.Globalization;
using Genkit.Sidecar.Client.Tests.Infrastructure;

namespace Genkit.Sidecar.Client.Tests;

/// <summary>Shutdown of a process by signals.</summary>
public sealed class StoppingTests : IAsyncLifetime
{
    private Process _process = null!;
    private Caller _caller = null!;
    private Call _call = null!;

    [Fact]
    public async Task Run_MayEndInTheTimeOfGrace()
    {
        await using var watch = await StartAsync(grace: 600);

        await SignalAsync("TERM");
        await AssertNotServingAsync(watch);
        await _call.WriteAsync(Caller.ChunkOf("\"done\""));

        Assert.Equal("\"done\"", (await _call.ReadAsync(V1.RunActionResponse.Parser))!.Result.ResultJson.ToStringUtf8());
        await AssertEndedAsync();
    }

    [Fact]
    public async Task Run_IsCancelledByASecondSignal()
    {
        await using var watch = await StartAsync(grace: 600);

        await SignalAsync("TERM");
        await AssertNotServingAsync(watch); // the first signal has been handled
        await SignalAsync("INT");

        await AssertEndedAsync();
    }

    [Fact]
    public async Task Run_IsCancelledAfterTheTimeOfGrace()
    {
        await using var watch = await StartAsync(grace: 0);

        await SignalAsync("INT");

        await AssertEndedAsync();
    }

    public ValueTask InitializeAsync() => ValueTask.CompletedTask;

    public async ValueTask DisposeAsync()
    {
        await _call.DisposeAsync();
        _caller.Dispose();
        if (!_process.HasExited)
        {
            _process.Kill();
        }

        _process.Dispose();
    }

    /// <summary>Starts a process with one active run, and watches its health.</summary>
    private async Task<Call> StartAsync(int grace)
    {
        _process = Process.Start(new ProcessStartInfo("dotnet", [Path.Combine(AppContext.BaseDirectory, "stoppable.dll"), grace.ToString(CultureInfo.InvariantCulture)])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        })!;
        var line = await _process.StandardError.ReadLineAsync(TestContext.Current.CancellationToken);
        Assert.StartsWith("stoppable listens on 127.0.0.1:", line, StringComparison.Ordinal);
        _caller = new Caller(line!.Split(' ')[^1]);
        _call = await _caller.StartBidiAsync("/flow/first");
        Assert.Equal("\"waiting\"", await Caller.ReadChunkAsync(_call));

        var watch = _caller.Start("/grpc.health.v1.Health/Watch");
        await watch.WriteAsync(new V1.ListValuesRequest());
        watch.Complete();
        Assert.Equal(1, (await watch.ReadAsync(V1.ActionError.Parser))!.Code);
        return watch;
    }

    /// <summary>Waits until the status changes from SERVING, which is sent again when the health checks are first published, 5 s after the start.</summary>
    private static async Task AssertNotServingAsync(Call watch)
    {
        var status = 1;
        while (status == 1)
        {
            status = (await watch.ReadAsync(V1.ActionError.Parser))!.Code;
        }

        Assert.Equal(2, status);
    }

    private async Task SignalAsync(string name)
    {
        using var kill = Process.Start("kill", [$"-{name}", _process.Id.ToString(CultureInfo.InvariantCulture)]);
        await kill.WaitForExitAsync(TestContext.Current.CancellationToken);
    }

    private async Task AssertEndedAsync()
    {
        var output = await _process.StandardOutput.ReadToEndAsync(TestContext.Current.CancellationToken);
        var errors = await _process.StandardError.ReadToEndAsync(TestContext.Current.CancellationToken);
        await _process.WaitForExitAsync(TestContext.Current.CancellationToken);
        Assert.Equal((0, "ended\n", ""), (_process.ExitCode, output, errors));
    }
}
