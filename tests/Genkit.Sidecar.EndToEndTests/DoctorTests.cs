using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Genkit.Sidecar.EndToEndTests.Infrastructure;

namespace Genkit.Sidecar.EndToEndTests;

/// <summary>`genkit-sidecar doctor` on a working path, and with each of the problems that it diagnoses.</summary>
public sealed class DoctorTests : EndToEndTest
{
    private static readonly HelloApplication s_hello = HelloApplication.In("python");

    [Theory, MemberData(nameof(Languages.All), MemberType = typeof(Languages))]
    public async Task Path_IsOpen_EveryStepPassesAndNothingIsLeftBehind(string language)
    {
        var manager = await ManagerHost.StartAsync(Workspace);

        var report = await DoctorReport.OfAsync(
            Workspace, ["--manager", manager.Url, "--run", "/flow/greet", """{"name": "Ada"}""", "--", .. HelloApplication.In(language).Command]);

        Assert.Equal(
            [
                "settings", "manager-dns", "manager-tcp", "manager-websocket", "manager-register", "runtime-id", "application-start",
                "application-dns", "application-connect", "application-grpc", "list-actions", "run", "large-input",
            ],
            report.Steps.Select(step => step.Name));
        Assert.All(report.Steps, step => Assert.Equal("ok", step.Status));
        Assert.Equal(0, report.ExitCode);
        Assert.Equal(report.RuntimeId, (await manager.RuntimeAddedAsync()).GetProperty("id").GetString());
        Assert.Equal(report.RuntimeId, (await manager.RuntimeRemovedAsync()).GetProperty("id").GetString());
        await manager.StopAsync();
        Assert.Empty(Workspace.ProcessIds());
    }

    [Fact]
    public async Task Path_IsOpen_IsTextForAPersonToo()
    {
        var manager = await ManagerHost.StartAsync(Workspace);

        var doctor = Workspace.Start(SidecarCommand.Of(Workspace, ["doctor", "--manager", manager.Url, "--", .. s_hello.Command]));

        Assert.Equal(0, await doctor.ExitAsync());
        var lines = doctor.Output.Snapshot();
        Assert.Equal("13 ok", lines[^1]);
        Assert.All(lines, line => Assert.True(line.Length <= 96 && !line.Any(char.IsControl), line));
    }

    [Fact]
    public async Task Manager_OnTheHostsLoopbackSeenFromAContainer_NamesTheWaysToShareTheNetwork()
    {
        var manager = await ManagerHost.StartAsync(Workspace);

        var report = await DoctorReport.OfAsync(
            Workspace,
            [Repository.Require("tests/e2e/own-network", "git checkout tests/e2e")],
            new Dictionary<string, string> { ["container"] = "podman", ["GENKIT_REFLECTION_V2_SERVER"] = manager.Url });

        report.AssertFailed("manager-tcp", "This is a container, whose loopback is its own", "network_mode: \"service:genkit\"");
        report.AssertFailed("manager-tcp", "refused", "network_mode: host");
        report.AssertFailed("manager-tcp", "refused", "on the host, beside the CLI");
    }

    [Fact]
    public async Task Manager_RestartedOnAnotherPort_NamesThatAndTheEnvFile()
    {
        var first = await ManagerHost.StartAsync(Workspace);
        await first.StopAsync();
        var restarted = await ManagerHost.StartAsync(Workspace, FreeManagerPort());

        var report = await DoctorReport.OfAsync(
            Workspace, [], new Dictionary<string, string> { ["GENKIT_REFLECTION_V2_SERVER"] = first.Url });

        report.AssertFailed("manager-tcp", $"ws://localhost:{restarted.Port}", $"`--manager ws://localhost:{restarted.Port}`");
        report.AssertFailed("manager-tcp", "refused", "--write-env-file");
    }

    [Fact]
    public async Task EnvFile_SaysAnotherAddressThanTheVariable_IsNamedAsSuch()
    {
        var old = await ManagerHost.StartAsync(Workspace);
        await old.StopAsync();
        var manager = await ManagerHost.StartAsync(Workspace);
        var file = Path.Combine(Workspace.Folder, "genkit.env");
        await File.WriteAllTextAsync(file, $"GENKIT_REFLECTION_V2_SERVER={old.Url}\n", TestContext.Current.CancellationToken);

        var report = await DoctorReport.OfAsync(
            Workspace, [], new Dictionary<string, string> { ["GENKIT_REFLECTION_V2_SERVER"] = manager.Url }, "--env-file", file);

        report.AssertStep("settings", "warning", $"says {old.Url}, but environment variable GENKIT_REFLECTION_V2_SERVER says {manager.Url}", "whichever is older");
        report.AssertFailed("manager-tcp", "refused", $"`--manager {manager.Url}`");
    }

    [Fact]
    public async Task GenkitStart_WithoutTheV2Flag_LeavesOutTheManager()
    {
        var file = Path.Combine(Workspace.Folder, "report.json");
        var cli = GenkitCli.StartV1(
            Workspace, ["sh", "-c", "\"$@\" >\"$0\"; echo \"the doctor says $?\"", file, .. SidecarCommand.Of(Workspace, "doctor", "--json", "--app", "http://127.0.0.1:1")]);

        await cli.Output.FirstAsync(line => line == "the doctor says 1", "the end of the doctor");

        var report = DoctorReport.Parse(1, await File.ReadAllTextAsync(file, TestContext.Current.CancellationToken));
        report.AssertStep("settings", "ok", "no manager, Reflection API v1 alone");
        report.AssertStep("manager-tcp", "skipped", "no manager is called");
        report.AssertStep("reflection-v1", "ok", $"the CLI finds it by a file in {Workspace.Folder}/.genkit/runtimes");
    }

    [Fact]
    public async Task Application_OnItsOwnLoopback_IsToldToListenOnEveryAddress()
    {
        var inside = "\"$@\" | { read -r listening; exec \"$0\" doctor --json --app http://192.0.2.1:50051; }";
        var doctor = Workspace.Start(
            [
                Repository.Require("tests/e2e/own-network", "git checkout tests/e2e"),
                "sh", "-c", inside, Repository.Require(Repository.Sidecar, "tests/e2e/setup sidecar"), .. s_hello.Command,
            ],
            new Dictionary<string, string> { ["GENKIT_SIDECAR_LISTEN"] = "127.0.0.1:50051" });
        await doctor.Output.FirstAsync(line => line == "}", "the end of the report");

        var report = DoctorReport.Parse(1, string.Join('\n', doctor.Output.Snapshot()));

        report.AssertFailed("application-connect", "192.0.2.1 is there, but nothing listens at port 50051", "`0.0.0.0:50051`");
    }

    [Fact]
    public async Task Application_IsAnHttp1Server_IsToldToNameTheGrpcPort()
    {
        var report = await DoctorReport.OfAsync(Workspace, "--app", $"http://127.0.0.1:{await StartHttp1Async()}");

        report.AssertFailed("application-grpc", "answered with HTTP/1", "`--app` with the port that the application serves gRPC on");
    }

    [Fact]
    public async Task Application_SpeaksTlsAndTheAddressDoesNotSaySo_NamesTheHttpsAddress()
    {
        var port = await StartPeerAsync(["stock", "127.0.0.1:0", .. Certificate()]);

        var report = await DoctorReport.OfAsync(Workspace, "--app", $"http://127.0.0.1:{port}");

        report.AssertFailed("application-grpc", "TLS", $"`--app https://127.0.0.1:{port}`");
        report.AssertFailed("application-grpc", "", "`--app-ca FILE`");
    }

    [Fact]
    public async Task Application_SpeaksTlsOfAPrivateAuthority_IsReachedWithIt()
    {
        var certificate = Certificate();
        var port = await StartPeerAsync(["stock", "127.0.0.1:0", .. certificate]);

        var stranger = await DoctorReport.OfAsync(Workspace, "--app", $"https://127.0.0.1:{port}");
        var acquainted = await DoctorReport.OfAsync(Workspace, "--app", $"https://127.0.0.1:{port}", "--app-ca", certificate[0]);

        stranger.AssertFailed("application-grpc", "is not trusted", "`--app-ca FILE`");
        Assert.Contains(("list-actions", "ok"), acquainted.Steps);
    }

    [Theory, MemberData(nameof(Languages.All), MemberType = typeof(Languages))]
    public async Task Application_SpeaksNoTlsAndTheAddressSaysItDoes_NamesTheHttpAddress(string language)
    {
        var address = await StartHelloAsync(language, FreeAddress());

        var report = await DoctorReport.OfAsync(Workspace, "--app", $"https://{address}");

        report.AssertFailed("application-grpc", "TLS", $"`--app http://{address}`");
    }

    [Fact]
    public async Task Application_WithoutOurService_IsToldToRegisterIt()
    {
        var port = await StartPeerAsync(["alien", "127.0.0.1:0"]);

        var report = await DoctorReport.OfAsync(Workspace, "--app", $"http://127.0.0.1:{port}");

        Assert.Contains(("application-grpc", "ok"), report.Steps);
        report.AssertFailed("list-actions", "does not serve genkit.sidecar.v1.ActionService", "Register a genkit.sidecar.v1.ActionService");
    }

    [Fact]
    public async Task Application_WithTheStockLimit_IsToldHowToRaiseIt()
    {
        var manager = await ManagerHost.StartAsync(Workspace);
        var port = await StartPeerAsync(["stock", "127.0.0.1:0"]);

        var report = await DoctorReport.OfAsync(Workspace, "--manager", manager.Url, "--app", $"http://127.0.0.1:{port}");

        report.AssertPassed();
        report.AssertStep("large-input", "warning", "RESOURCE_EXHAUSTED", "grpc.max_receive_message_length");
        report.AssertStep("large-input", "warning", "RESOURCE_EXHAUSTED", "grpc.MaxRecvMsgSize");
        report.AssertStep("large-input", "warning", "RESOURCE_EXHAUSTED", "`--max-message-bytes`");
    }

    [Fact]
    public async Task RuntimeId_HeldByARunningSidecar_IsAWarningAndThatOneGoesOn()
    {
        var manager = await ManagerHost.StartAsync(Workspace);
        Workspace.Start(SidecarCommand.Run(Workspace, s_hello.Command, "--manager", manager.Url, "--runtime-id", "twin"));
        await manager.RuntimeAddedAsync();

        // The runtime id is claimed right after the registration. A run comes after both.
        await AssertGreetsAsync(manager);
        var address = await StartHelloAsync("typescript", FreeAddress());
        var report = await DoctorReport.OfAsync(Workspace, "--manager", manager.Url, "--runtime-id", "twin", "--app", $"http://{address}");

        report.AssertPassed();
        report.AssertStep("runtime-id", "warning", "a running sidecar holds \"twin\"", "`--runtime-id` (GENKIT_RUNTIME_ID)");
        Assert.Equal(report.RuntimeId, (await manager.RuntimeRemovedAsync()).GetProperty("id").GetString());
        Assert.Equal("twin", Assert.Single((await manager.RuntimesAsync()).EnumerateArray()).GetProperty("id").GetString());
        await AssertGreetsAsync(manager);
    }

    [Fact]
    public async Task Manager_IsAnotherHttpServer_IsToldToNameTheReflectionServer()
    {
        var report = await DoctorReport.OfAsync(Workspace, "--manager", $"ws://127.0.0.1:{await StartHttp1Async()}");

        report.AssertFailed("manager-websocket", "instead of a WebSocket", "reflection server");
    }

    [Theory]
    [InlineData("manager", "ws://genkit.invalid:3200", "manager-dns", "`--manager ws://")]
    [InlineData("app", "http://app.invalid:50051", "application-dns", "`--app http://")]
    [InlineData("manager", "http://localhost:3200", "settings", "takes ws://host:port")]
    public async Task Address_OfNobody_IsNamed(string setting, string address, string step, string remedy)
    {
        var report = await DoctorReport.OfAsync(Workspace, $"--{setting}", address);

        report.AssertFailed(step, "", remedy);
    }

    [Fact]
    public async Task UnixSocket_MissingOrForbidden_IsToldApart()
    {
        var path = Path.Combine(Workspace.Folder, "app.sock");

        var missing = await DoctorReport.OfAsync(Workspace, "--app", $"unix:{path}");
        await StartHelloAsync("python", $"unix:{path}");
        await Workspace.Start(["chmod", "0", path]).ExitAsync();
        string[] asNobodySpecial = Environment.IsPrivilegedProcess ? ["setpriv", "--bounding-set=-dac_override,-dac_read_search"] : [];
        var forbidden = await DoctorReport.OfAsync(Workspace, asNobodySpecial, new Dictionary<string, string>(), "--app", $"unix:{path}");

        missing.AssertFailed("application-connect", "there is no such socket file", $"`unix:{path}`");
        forbidden.AssertFailed("application-connect", "has no permission to use the socket (mode 0)", "chmod");
    }

    [Fact]
    public async Task Command_EndsBeforeItListens_IsTheFinding()
    {
        var report = await DoctorReport.OfAsync(Workspace, "--", "sh", "-c", "echo to stdout; exit 3");

        report.AssertFailed("application-start", "exit code 3", "Run it alone");
    }

    [Fact]
    public async Task Command_ForAnAddressThatIsTaken_IsNotStarted()
    {
        var address = await StartHelloAsync("python", FreeAddress());

        var report = await DoctorReport.OfAsync(Workspace, ["--app", $"http://{address}", "--", .. s_hello.Command]);

        report.AssertFailed("application-start", "already", "leave out `-- COMMAND`");
    }

    [Fact]
    public async Task Settings_Wrong_AreAllToldAndTheRestIsExamined()
    {
        var address = await StartHelloAsync("python", FreeAddress());

        var report = await DoctorReport.OfAsync(Workspace, "--app", $"http://{address}", "--run-grace", "1", "--log-level", "loud");

        report.AssertStep("settings", "failed", "flag --run-grace: \"1\" has no unit", "`--run-grace TIME`");
        report.AssertStep("settings", "failed", "flag --log-level: \"loud\"", "`--log-level LEVEL`");
        Assert.Contains(("run", "ok"), report.Steps);
        Assert.Equal(1, report.ExitCode);
    }

    [Fact]
    public async Task Words_Wrong_AreAUsageError()
    {
        var doctor = Workspace.Start(SidecarCommand.Of(Workspace, "doctor", "--run"));

        Assert.Equal(64, await doctor.ExitAsync());
        Assert.Empty(doctor.Output.Snapshot());
    }

    [Fact]
    public async Task InterruptedTwice_CommandDoesNotStop_IsKilledWithWhatItStarted()
    {
        // Does not use the workspace's log file, because this test waits for lines that the command writes to stderr.
        var doctor = Workspace.Start(
        [
            Repository.Require(Repository.Sidecar, "tests/e2e/setup sidecar"), "doctor", "--",
            "sh", "-c", "trap '' TERM; sleep 1000 & trap 'echo asked' TERM; echo started $!; wait; wait; wait",
        ]);
        var started = await doctor.Errors.FirstAsync(line => line.StartsWith("started ", StringComparison.Ordinal), "the command");

        Signal.Interrupt.Send(doctor.Id);
        await doctor.Errors.FirstAsync(line => line == "asked", "the command's signal handler");
        await doctor.InsistAsync(Signal.Interrupt);

        Assert.Equal(130, await doctor.ExitAsync());
        await Gone.WaitAsync([int.Parse(started["started ".Length..], CultureInfo.InvariantCulture)]);
    }

    [Fact]
    public async Task Interrupt_WhileAPeerSaysNothing_EndsAtOnce()
    {
        using var silent = new TcpListener(IPAddress.Loopback, 0);
        silent.Start();
        var port = ((IPEndPoint)silent.LocalEndpoint).Port;
        var doctor = Workspace.Start(SidecarCommand.Of(Workspace, "doctor", "--manager", $"ws://127.0.0.1:{port}"));
        await doctor.Output.FirstAsync(line => line.Contains("manager-tcp", StringComparison.Ordinal), "the step before");

        Signal.Interrupt.Send(doctor.Id);

        Assert.Equal(130, await doctor.ExitAsync());
        Assert.DoesNotContain(doctor.Output.Snapshot(), line => line.Contains("manager-websocket", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Interrupt_WhileTheCommandStarts_LeavesNothingBehind()
    {
        // Does not use the workspace's log file, because this test waits for a line that the command writes to stderr.
        var doctor = Workspace.Start(
            [Repository.Require(Repository.Sidecar, "tests/e2e/setup sidecar"), "doctor", "--", "sh", "-c", "echo started; exec sleep 600"]);
        await doctor.Errors.FirstAsync(line => line == "started", "the command");

        Signal.Interrupt.Send(doctor.Id);

        Assert.Equal(130, await doctor.ExitAsync());
        Assert.Empty(Workspace.ProcessIds());
    }

    private static async Task AssertGreetsAsync(ManagerHost manager)
    {
        var run = await manager.RunActionAsync("""{"key": "/flow/greet", "input": {"name": "Ada"}}""");

        JsonAssert.Equal("""{"greeting": "Hello, Ada!"}""", (await run.AnswerAsync()).GetProperty("result"));
    }

    private async Task<string> StartHelloAsync(string language, string address)
    {
        var application = Workspace.Start(
            HelloApplication.In(language).Command, new Dictionary<string, string> { ["GENKIT_SIDECAR_LISTEN"] = address });
        await application.Output.FirstAsync(line => line == $"hello-{language} listens on {address}", "its address");
        return address;
    }

    /// <summary>Starts tests/e2e/application-peer.py and returns its port.</summary>
    private async Task<int> StartPeerAsync(params IEnumerable<string> arguments)
    {
        Repository.Require("clients/python/examples/stubs/genkit/sidecar/v1/action_service_pb2.py", "tests/e2e/setup python");
        var peer = Workspace.Start(["/usr/bin/python3", Repository.Require("tests/e2e/application-peer.py", "git checkout tests/e2e"), .. arguments]);
        return PortIn(await peer.Output.FirstAsync(line => line.Contains(" listens on ", StringComparison.Ordinal), "its address"));
    }

    private async Task<int> StartHttp1Async()
    {
        var server = Workspace.Start(["/usr/bin/python3", "-u", "-m", "http.server", "--bind", "127.0.0.1", "0"]);
        var line = await server.Output.FirstAsync(line => line.StartsWith("Serving HTTP", StringComparison.Ordinal), "its address");
        return PortIn(line.Split(" (")[0].Replace(" port ", ":", StringComparison.Ordinal));
    }

    private static int PortIn(string line) => int.Parse(line[(line.LastIndexOf(':') + 1)..], System.Globalization.CultureInfo.InvariantCulture);

    /// <summary>Creates a self-signed certificate and returns the paths of the certificate and of its key.</summary>
    private string[] Certificate()
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=127.0.0.1", key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(certificateAuthority: true, false, 0, critical: true));
        var names = new SubjectAlternativeNameBuilder();
        names.AddIpAddress(IPAddress.Loopback);
        request.CertificateExtensions.Add(names.Build());
        using var certificate = request.CreateSelfSigned(DateTimeOffset.UtcNow.AddDays(-1), DateTimeOffset.UtcNow.AddDays(1));
        string[] paths = [Path.Combine(Workspace.Folder, "app.pem"), Path.Combine(Workspace.Folder, "app.key")];
        File.WriteAllText(paths[0], certificate.ExportCertificatePem());
        File.WriteAllText(paths[1], key.ExportPkcs8PrivateKeyPem());
        return paths;
    }

    private static string FreeAddress()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return $"{listener.LocalEndpoint}";
    }

    /// <summary>Returns a free port from the CLI's range.</summary>
    private static int FreeManagerPort()
    {
        for (var port = 3400; ; port--)
        {
            using var listener = new TcpListener(IPAddress.Any, port);
            try
            {
                listener.Start();
                return port;
            }
            catch (SocketException) when (port > 3200)
            {
                // Another manager uses the port.
            }
        }
    }
}
