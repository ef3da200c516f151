using System.Net;
using System.Net.Sockets;
using System.Text.RegularExpressions;
using Genkit.Sidecar.Supervision;

namespace Genkit.Sidecar.Tests.Supervision;

public sealed class RunCommandTests : IDisposable
{
    private readonly TemporaryDirectory _directory = new();

    public void Dispose() => _directory.Dispose();

    [Theory]
    [InlineData("exit 0", 0)]
    [InlineData("exit 7", 7)]
    [InlineData("kill -KILL $$", 137)]
    [InlineData("kill -TERM $$", 143)]
    public async Task Run_CommandEnds_EndsWithItsCode(string script, int code)
    {
        using var sidecar = SidecarProcess.Run(script);

        Assert.Equal(code, await sidecar.ExitCodeAsync());
    }

    [Fact]
    public async Task Run_StartedByDotnet_StartsTheCommandToo()
    {
        using var sidecar = SidecarProcess.Start(SidecarProcess.ExecutableByDotnet, "", "sh", "-c", "echo \"$0 $1\"; exit 3", "a b", "*");

        Assert.Equal("a b *\n", await sidecar.OutputAsync());
        Assert.Equal(3, await sidecar.ExitCodeAsync());
    }

    [Fact]
    public async Task Run_CommandNotFound_Exits127AndNamesIt()
    {
        using var sidecar = SidecarProcess.Start(SidecarProcess.Executable, "", "no-such-command");

        Assert.Equal(127, await sidecar.ExitCodeAsync());
        Assert.Contains("cannot run \"no-such-command\"", await sidecar.ErrorAsync(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Run_CommandNotExecutable_Exits126AndNamesIt()
    {
        var file = _directory.File("app.py", "print(1)");
        using var sidecar = SidecarProcess.Start(SidecarProcess.Executable, "", file);

        Assert.Equal(126, await sidecar.ExitCodeAsync());
        Assert.Contains($"cannot run \"{file}\"", await sidecar.ErrorAsync(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Run_CommandReadsAndWrites_BytesPassUntouched()
    {
        using var sidecar = SidecarProcess.Start(SidecarProcess.Executable, "", "cat");
        byte[] bytes = [0, 255, 13, 10, 27, 10, 128];

        await sidecar.StandardInput.WriteAsync(bytes, TestContext.Current.CancellationToken);
        sidecar.StandardInput.Close();

        Assert.Equal(bytes, await sidecar.OutputBytesAsync());
        Assert.Equal(0, await sidecar.ExitCodeAsync());
    }

    [Fact]
    public async Task Run_CommandWritesToStderr_ItStandsBetweenTheLogLines()
    {
        using var sidecar = SidecarProcess.Run("echo oops >&2");

        Assert.Contains("oops\n", await sidecar.ErrorAsync(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Run_Environment_IsOursWithoutWhatMakesARuntime()
    {
        using var sidecar = SidecarProcess.Start(SidecarProcess.Executable, "", "env", "-0");

        var variables = (await sidecar.OutputAsync()).Split('\0', StringSplitOptions.RemoveEmptyEntries);
        var names = variables.Select(variable => variable.Split('=')[0]).ToHashSet();
        var ours = Environment.GetEnvironmentVariables().Keys.Cast<string>().ToHashSet();

        Assert.Equal(
            [ApplicationEnvironment.Listen, "OTEL_BLRP_SCHEDULE_DELAY", "OTEL_BSP_SCHEDULE_DELAY", "OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_HEADERS", "OTEL_EXPORTER_OTLP_PROTOCOL"],
            names.Except(ours).Order(StringComparer.Ordinal));
        Assert.Empty(ours.Except(ApplicationEnvironment.Withheld).Except(names));
        Assert.DoesNotContain(names, name => ApplicationEnvironment.Withheld.Contains(name));
        Assert.Contains(variables, variable => Regex.IsMatch(variable, @"^GENKIT_SIDECAR_LISTEN=127\.0\.0\.1:[1-9]\d*$"));
        Assert.Contains(variables, variable => Regex.IsMatch(variable, @"^OTEL_EXPORTER_OTLP_ENDPOINT=http://127\.0\.0\.1:[1-9]\d*$"));
        Assert.Contains("OTEL_EXPORTER_OTLP_HEADERS=authorization=Bearer%20top%2Csecret", variables);
    }

    [Fact]
    public async Task Run_CommandStarts_FindsSomebodyListeningForItsSpans()
    {
        using var sidecar = SidecarProcess.Run("""
            address=${OTEL_EXPORTER_OTLP_ENDPOINT#http://}
            exec 3<>/dev/tcp/${address%:*}/${address#*:}
            printf 'POST /v1/traces HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nAuthorization: Bearer top,secret\r\nContent-Length: 2\r\n\r\n{}' >&3
            read -r answer <&3
            echo "$answer"
            """.ReplaceLineEndings("\n"), shell: "bash");

        Assert.Equal("HTTP/1.1 200 OK\r\n", await sidecar.OutputAsync());
    }

    [Fact]
    public async Task Run_CommandHasItsOwnCollector_IsLeftAloneAndLogged()
    {
        using var sidecar = SidecarProcess.Start(
            SidecarProcess.Executable, "", [new("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "http://collector.example:4318/v1/traces")], "sh", "-c", "env | grep ^OTEL_");

        Assert.Equal("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT=http://collector.example:4318/v1/traces\n", await sidecar.OutputAsync());
        Assert.Equal("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", (await sidecar.EventAsync("ApplicationSpansExportedElsewhere")).GetProperty("Variables").GetString());
    }

    [Fact]
    public async Task Run_OtlpPortIsTaken_DoesNotStartTheCommandAndNamesTheSetting()
    {
        using var other = new TcpListener(IPAddress.Loopback, 0);
        other.Start();

        using var sidecar = SidecarProcess.Run("echo started", $"--otlp-http {other.LocalEndpoint}");

        Assert.Equal(1, await sidecar.ExitCodeAsync());
        Assert.Empty(await sidecar.OutputAsync());
        var refusal = await sidecar.EventAsync("OtlpListenFailed");
        Assert.Equal(("flag --otlp-http", $"{other.LocalEndpoint}"), (refusal.GetProperty("Source").GetString(), refusal.GetProperty("Address").GetString()));
    }

    [Theory]
    [InlineData("http://127.0.0.1:4711", "127.0.0.1:4711")]
    [InlineData("http://localhost:4711", "localhost:4711")]
    [InlineData("https://app.example:4711", "app.example:4711")]
    public async Task Run_AddressGiven_CommandIsToldThatOne(string app, string listen)
    {
        using var sidecar = SidecarProcess.Run("echo $GENKIT_SIDECAR_LISTEN", $"--app {app}");

        Assert.Equal($"{listen}\n", await sidecar.OutputAsync());
    }

    [Fact]
    public async Task Run_SocketLeftBehind_IsRemovedBeforeTheCommandStarts()
    {
        var path = _directory.File("app.sock");
        var other = _directory.File("moved.sock");
        using (var left = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified))
        {
            left.Bind(new UnixDomainSocketEndPoint(other));

            // .NET removes the file when it closes its socket. A killed application does not.
            File.Move(other, path);
        }

        Assert.True(Path.Exists(path));
        using var sidecar = SidecarProcess.Run("test -e ${GENKIT_SIDECAR_LISTEN#unix:}; echo $GENKIT_SIDECAR_LISTEN $?", $"--app unix:{path}");

        Assert.Equal($"unix:{path} 1\n", await sidecar.OutputAsync());
        Assert.Equal(path, (await sidecar.EventAsync("StaleSocketRemoved")).GetProperty("Path").GetString());
    }

    [Fact]
    public async Task Run_SocketInUse_IsAnErrorThatNamesIt()
    {
        var path = _directory.File("app.sock");
        using var other = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        other.Bind(new UnixDomainSocketEndPoint(path));
        other.Listen();

        using var sidecar = SidecarProcess.Run("echo started", $"--app unix:{path}");

        Assert.Equal(1, await sidecar.ExitCodeAsync());
        Assert.Contains(path, (await sidecar.EventAsync("ApplicationAddressInUse")).GetProperty("Problem").GetString(), StringComparison.Ordinal);
        Assert.Empty(await sidecar.OutputAsync());
    }

    [Fact]
    public async Task Run_SocketOfAProcessThatHangsAndHasNoRoomForCallers_IsAnErrorThatNamesIt()
    {
        var path = _directory.File("app.sock");
        using var other = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        other.Bind(new UnixDomainSocketEndPoint(path));
        other.Listen(0);
        using var caller = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        await caller.ConnectAsync(new UnixDomainSocketEndPoint(path), TestContext.Current.CancellationToken);

        using var sidecar = SidecarProcess.Run("echo started", $"--app unix:{path}");

        Assert.Equal(1, await sidecar.ExitCodeAsync());
        Assert.Contains(path, (await sidecar.EventAsync("ApplicationAddressInUse")).GetProperty("Problem").GetString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Run_FileWhereTheSocketShouldBe_IsAnErrorAndStays()
    {
        var path = _directory.File("app.sock", "precious");

        using var sidecar = SidecarProcess.Run("echo started", $"--app unix:{path}");

        Assert.Equal(1, await sidecar.ExitCodeAsync());
        Assert.Contains(path, (await sidecar.EventAsync("ApplicationAddressInUse")).GetProperty("Problem").GetString(), StringComparison.Ordinal);
        Assert.Equal("precious", File.ReadAllText(path));
    }

    [Theory]
    [InlineData(Posix.SignalTerminate, "TERM")]
    [InlineData(Posix.SignalInterrupt, "INT")]
    [InlineData(Posix.SignalHangup, "HUP")]
    public async Task Run_Signalled_TellsTheWholeGroup(int signal, string name)
    {
        using var sidecar = SidecarProcess.Run($"""
            trap 'echo outer; exit 3' {name}
            sh -c 'trap "echo inner; exit 0" {name}; sleep 1000 & echo ready; wait'
            """);
        await sidecar.LineAsync("ready");

        sidecar.Signal(signal);

        Assert.Equal("ready\ninner\nouter\n", await sidecar.OutputAsync());
        Assert.Equal(3, await sidecar.ExitCodeAsync());
    }

    [Fact]
    public async Task Run_Interrupted_EndsAsTheCommandAndLeavesNothingInTheTemporaryDirectory()
    {
        using var sidecar = SidecarProcess.Run("echo ready; exec sleep 1000");
        await sidecar.LineAsync("ready");

        sidecar.Signal(Posix.SignalInterrupt);

        Assert.Equal(130, await sidecar.ExitCodeAsync());
        Assert.Empty(Directory.EnumerateFiles(Path.GetTempPath(), $"*-{sidecar.Id}-*"));
    }

    [Fact]
    public async Task Run_TerminatedAndTheCommandWithIt_EndsWell()
    {
        using var sidecar = SidecarProcess.Run("echo ready; exec sleep 1000");
        await sidecar.LineAsync("ready");

        sidecar.Signal(Posix.SignalTerminate);

        Assert.Equal(0, await sidecar.ExitCodeAsync());
    }

    [Theory]
    [InlineData(Posix.SignalInterrupt)]
    [InlineData(Posix.SignalHangup)]
    public async Task Run_HungUpOnWhileItStops_LetsTheCommandEnd(int first)
    {
        using var sidecar = SidecarProcess.Run(
            "trap 'echo asked; read word; echo clean $word; exit 0' INT HUP; echo ready; while :; do sleep 1; done", "--stop-timeout 10m");
        await sidecar.LineAsync("ready");

        sidecar.Signal(first);
        await sidecar.LineAsync("asked");
        sidecar.Signal(Posix.SignalHangup);
        await sidecar.StandardInput.WriteAsync("up\n"u8.ToArray(), TestContext.Current.CancellationToken);
        await sidecar.StandardInput.FlushAsync(TestContext.Current.CancellationToken);

        Assert.Equal("ready\nasked\nclean up\n", await sidecar.OutputAsync());
        Assert.Equal(0, await sidecar.ExitCodeAsync());
    }

    // As `timeout` does: signals the process, and then its group.
    [Fact]
    public async Task Run_SignalledTwiceAtOnce_LetsTheCommandEnd()
    {
        using var sidecar = SidecarProcess.Run("trap 'echo asked; read word; echo clean $word; exit 0' TERM; echo ready; while :; do sleep 1; done", "--stop-timeout 10m");
        await sidecar.LineAsync("ready");

        sidecar.Signal(Posix.SignalTerminate);
        sidecar.Signal(Posix.SignalTerminate);
        await sidecar.LineAsync("asked");
        await sidecar.StandardInput.WriteAsync("up\n"u8.ToArray(), TestContext.Current.CancellationToken);
        await sidecar.StandardInput.FlushAsync(TestContext.Current.CancellationToken);

        Assert.Equal("ready\nasked\nclean up\n", await sidecar.OutputAsync());
    }

    [Fact]
    public async Task Run_SignalledTwice_KillsTheCommand()
    {
        using var sidecar = SidecarProcess.Run("trap '' TERM INT; echo ready; sleep 1000", "--stop-timeout 10m");
        await sidecar.LineAsync("ready");

        sidecar.Signal(Posix.SignalTerminate);
        await sidecar.InsistAsync(Posix.SignalInterrupt);

        Assert.Equal(137, await sidecar.ExitCodeAsync());
        await sidecar.OutputAsync();
    }

    [Fact]
    public async Task Run_CommandIgnoresTheSignal_IsKilledAfterTheStopTimeout()
    {
        using var sidecar = SidecarProcess.Run("trap '' TERM; echo ready; sleep 1000", "--stop-timeout 50ms");
        await sidecar.LineAsync("ready");

        sidecar.Signal(Posix.SignalTerminate);

        Assert.Equal(0, await sidecar.ExitCodeAsync());
        await sidecar.EventAsync("ApplicationProcessKilled");
        await sidecar.OutputAsync();
    }

    [Fact]
    public async Task Run_StoppedCommandIsSignalled_IsWokenToEnd()
    {
        using var sidecar = SidecarProcess.Run("trap 'echo woken; exit 4' TERM; echo ready; kill -STOP $$", "--stop-timeout 10m");
        await sidecar.LineAsync("ready");

        sidecar.Signal(Posix.SignalTerminate);

        Assert.Equal("ready\nwoken\n", await sidecar.OutputAsync());
        Assert.Equal(4, await sidecar.ExitCodeAsync());
    }

    [Fact]
    public async Task Run_CommandLeavesProcessesBehind_TheyEndWithIt()
    {
        using var sidecar = SidecarProcess.Run("(trap 'echo asked; exit' TERM; echo ready; while :; do sleep 1000 & wait $!; done) & read line; exit 5");
        await sidecar.LineAsync("ready");

        sidecar.StandardInput.Close();

        Assert.Equal("ready\nasked\n", await sidecar.OutputAsync());
        Assert.Equal(5, await sidecar.ExitCodeAsync());
    }

    [Fact]
    public async Task Run_SidecarIsKilled_LeavesNoCommand()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "Only Linux tells a process that its parent is gone.");
        using var sidecar = SidecarProcess.Run("echo ready; exec sleep 1000");
        await sidecar.LineAsync("ready");

        sidecar.Signal(Posix.SignalKill);

        // The end of the output is the end of the last process that could have written to it.
        Assert.Equal("ready\n", await sidecar.OutputAsync());
    }

    [Fact]
    public async Task Run_Command_HasDefaultSignalActionsAndItsOwnGroup()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "Reads /proc.");
        using var sidecar = SidecarProcess.Run("grep -E '^Sig(Ign|Blk)' /proc/self/status; test $(ps -o pgid= -p $$) = $$ && echo leader");

        Assert.Equal("SigBlk:\t0000000000000000\nSigIgn:\t0000000000000000\nleader\n", await sidecar.OutputAsync());
    }
}
