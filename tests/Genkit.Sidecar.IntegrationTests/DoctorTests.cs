using System.Net;
using System.Net.Sockets;
using System.Text.Json;
using Genkit.Sidecar.Configuration;
using Genkit.Sidecar.Doctor;
using Genkit.Sidecar.IntegrationTests.Infrastructure;
using Genkit.Sidecar.Supervision;
using Google.Protobuf;
using Microsoft.Extensions.Logging.Abstractions;

namespace Genkit.Sidecar.IntegrationTests;

/// <summary>`doctor` with peers that fail on cue as real ones do only when they are broken.</summary>
public sealed class DoctorTests
{
    private readonly List<Step> _steps = [];
    private readonly List<string> _command = [];

    [Fact]
    public async Task Register_IsNeverAnswered_IsTheFinding()
    {
        await using var manager = await FakeManager.StartAsync();

        var examining = ExamineAsync("--manager", $"{manager.Address}", "--register-timeout", "3s");
        await manager.AcceptAsync();
        await examining;

        AssertStep(StepName.ManagerRegister, StepStatus.Failed, "`register` was not answered within 3 s", "reflection server");
    }

    [Fact]
    public async Task Register_IsRefused_GivesTheReason()
    {
        await using var manager = await FakeManager.StartAsync();

        var examining = ExamineAsync("--manager", $"{manager.Address}");
        var peer = await manager.AcceptAsync();
        await peer.ReceiveAsync();
        await peer.SendAsync("""{"jsonrpc":"2.0","error":{"code":1,"message":"not you"},"id":"register"}""");
        await examining;

        AssertStep(StepName.ManagerRegister, StepStatus.Failed, "refused: not you", "--env-file");
    }

    [Fact]
    public async Task Register_ManagerCloses_GivesTheReason()
    {
        await using var manager = await FakeManager.StartAsync();

        var examining = ExamineAsync("--manager", $"{manager.Address}");
        var peer = await manager.AcceptAsync();
        await peer.ReceiveAsync();
        await peer.CloseAsync();
        await examining;

        AssertStep(StepName.ManagerRegister, StepStatus.Failed, "closed by the manager", "reflection server");
    }

    [Fact]
    public async Task Register_ManagerAsksMeanwhile_IsRefusedAndNotLeftWaiting()
    {
        await using var manager = await FakeManager.StartAsync();

        var examining = ExamineAsync("--manager", $"{manager.Address}", "--name", "mine", "--runtime-id", "mine");
        var peer = await manager.AcceptAsync();
        var registration = await peer.ReceiveAsync();
        await peer.SendAsync("garbage");
        await peer.SendAsync("""{"jsonrpc":"2.0","method":"configure","params":{}}""");
        var answer = await peer.AskForOneAsync("""{"jsonrpc":"2.0","id":"7","method":"runAction","params":{"key":"/flow/x"}}""");
        await peer.SendAsync("""{"jsonrpc":"2.0","result":{},"id":"register"}""");
        Assert.Null(await peer.ReceiveBytesAsync());
        await examining;

        Assert.StartsWith("doctor-", registration.GetProperty("params").GetProperty("id").GetString(), StringComparison.Ordinal);
        Assert.Equal("7", answer.GetProperty("id").GetString());
        Assert.Contains("doctor", answer.GetProperty("error").GetProperty("message").GetString(), StringComparison.Ordinal);
        AssertStep(StepName.ManagerRegister, StepStatus.Ok, "registered");
        AssertStep(StepName.RuntimeId, StepStatus.Ok, "holds \"mine\"");
    }

    [Fact]
    public async Task Manager_AnswersWithHttp_IsAnotherServer()
    {
        await using var manager = await FakeManager.StartAsync();
        manager.UpgradeStatus = 404;

        await ExamineAsync("--manager", $"{manager.Address}");

        AssertStep(StepName.ManagerWebSocket, StepStatus.Failed, "HTTP 404", "Dev UI (4000)");
        AssertStep(StepName.ManagerRegister, StepStatus.Skipped, "manager-websocket failed");
    }

    [Fact]
    public async Task Manager_Redirects_IsNotFollowed()
    {
        await using var other = await FakeManager.StartAsync();
        await using var manager = await FakeManager.StartAsync();
        manager.UpgradeStatus = 307;
        manager.UpgradeLocation = other.Address;

        await ExamineAsync("--manager", $"{manager.Address}");

        AssertStep(StepName.ManagerWebSocket, StepStatus.Failed, "HTTP 307", "Dev UI (4000)");
    }

    [Fact]
    public async Task Manager_SpeaksNoTls_NamesTheAddressWithout()
    {
        await using var manager = await FakeManager.StartAsync();

        await ExamineAsync("--manager", $"wss://{manager.Address.Authority}");

        AssertStep(StepName.ManagerWebSocket, StepStatus.Failed, "", $"`--manager ws://{manager.Address.Authority}`");
    }

    [Fact]
    public async Task Peers_AcceptAndNeverSpeak_AreLeftInTime()
    {
        using var silent = new TcpListener(IPAddress.Loopback, 0);
        silent.Start();

        await ExamineAsync(
            "--manager", $"ws://{silent.LocalEndpoint}", "--register-timeout", "3s", "--app", $"http://{silent.LocalEndpoint}", "--app-connect-timeout", "3s");

        AssertStep(StepName.ManagerWebSocket, StepStatus.Failed, "no answer within 3 s", "reflection server");
        AssertStep(StepName.ApplicationGrpc, StepStatus.Failed, "accepts connections and says nothing", "hangs");
        AssertStep(StepName.ListActions, StepStatus.Skipped, "application-grpc failed");
    }

    [Fact]
    public async Task Manager_Missing_LeavesTheApplicationToBeExamined()
    {
        await using var application = await FakeApplication.StartAsync();

        await ExamineAsync("--app", application.Address);

        AssertStep(StepName.Settings, StepStatus.Failed, "--manager: is missing", "--experimental-reflection-v2");
        AssertStep(StepName.ManagerTcp, StepStatus.Skipped, "no address of the manager is known");
        AssertStep(StepName.LargeInput, StepStatus.Ok, "took it");
    }

    [Fact]
    public async Task EnvFile_IsNotThereYet_IsTheFinding()
    {
        await ExamineAsync("--env-file", "/nowhere/genkit.env");

        AssertStep(StepName.Settings, StepStatus.Failed, "/nowhere/genkit.env does not have GENKIT_REFLECTION_V2_SERVER yet", "--write-env-file");
        AssertStep(StepName.ManagerDns, StepStatus.Skipped, "no address of the manager is known");
    }

    [Fact]
    public async Task ListActions_Empty_IsAWarning()
    {
        await using var application = await FakeApplication.StartAsync();

        await ExamineAsync("--app", application.Address);

        AssertStep(StepName.ListActions, StepStatus.Warning, "lists no actions", "`ListActions`");
    }

    [Fact]
    public async Task ListActions_SomeLeftOut_NamesThemAndTheReason()
    {
        await using var application = await FakeApplication.StartAsync();
        var response = new V1.ListActionsResponse();
        response.Actions.Add(new V1.Action { Key = "/flow/a", Name = "a", InputSchemaJson = ByteString.CopyFromUtf8("[]") });
        response.Actions.Add(new V1.Action { Key = "/flow/b" });
        application.Methods["ListActions"] = call => call.ReplyAsync(response);

        await ExamineAsync("--app", application.Address);

        AssertStep(StepName.ListActions, StepStatus.Warning, "1 action: /flow/a; left out", "ListActions");
        AssertStep(StepName.ListActions, StepStatus.Warning, "/flow/b: it has no name", "Correct");
        AssertStep(StepName.ListActions, StepStatus.Warning, "/flow/a: input_schema_json: it is not a JSON object", "Correct");
    }

    [Theory]
    [InlineData(16, "UNAUTHENTICATED", "`--app-header")]
    [InlineData(7, "PERMISSION_DENIED", "`--app-header")]
    [InlineData(4, "DEADLINE_EXCEEDED", "`--app-call-timeout TIME`")]
    [InlineData(13, "INTERNAL", "application's log")]
    public async Task ListActions_Fails_NamesWhatMendsIt(int code, string found, string remedy)
    {
        await using var application = await FakeApplication.StartAsync();
        application.Methods["ListActions"] = call =>
        {
            call.End(code, "as asked");
            return Task.CompletedTask;
        };

        await ExamineAsync("--app", application.Address);

        AssertStep(StepName.ListActions, StepStatus.Failed, found, remedy);
        AssertStep(StepName.Run, StepStatus.Skipped, "list-actions failed");
    }

    [Theory]
    [InlineData(2, StepStatus.Warning, "UNKNOWN: as asked, where NOT_FOUND was expected", "Let `RunAction` end with NOT_FOUND")]
    [InlineData(12, StepStatus.Failed, "RunAction", "Register")]
    [InlineData(16, StepStatus.Failed, "UNAUTHENTICATED", "`--app-header")]
    internal async Task Run_OfNobodysKey_TellsAnOpenWayFromAClosedOne(int code, StepStatus status, string found, string remedy)
    {
        await using var application = await FakeApplication.StartAsync();
        application.Methods["RunAction"] = call =>
        {
            call.End(code, "as asked");
            return Task.CompletedTask;
        };

        await ExamineAsync("--app", application.Address);

        AssertStep(StepName.Run, status, found, remedy);
    }

    [Fact]
    public async Task Command_ThatRunWouldNotWaitFor_IsWaitedForAllTheSame()
    {
        await using var application = await FakeApplication.StartAsync();
        _command.AddRange(["sleep", "60"]);

        await ExamineAsync("--app", application.Address, "--app-start-timeout", "0");

        AssertStep(StepName.ApplicationStart, StepStatus.Failed, "another process listens on", "leave out `-- COMMAND`");
    }

    [Fact]
    public async Task Run_WithoutAsking_RunsNoAction()
    {
        await using var application = await FakeApplication.StartAsync();
        application.List("/flow/delete-everything");
        var ran = false;
        application.Actions["/flow/delete-everything"] = (_, _) =>
        {
            ran = true;
            return Task.CompletedTask;
        };

        await ExamineAsync("--app", application.Address);

        AssertStep(StepName.Run, StepStatus.Ok, "NOT_FOUND");
        Assert.False(ran);
    }

    [Fact]
    public async Task Run_OfAnAction_SaysHowItEnded()
    {
        await using var application = await FakeApplication.StartAsync();
        application.Actions["/flow/x"] = async (call, request) =>
        {
            await call.ChunkAsync(request.InputJson.ToStringUtf8());
            await call.ResultAsync(request.InputJson.ToStringUtf8());
        };

        await ExamineAsync(new ActionToRun("/flow/x", "\"secret\""u8.ToArray()), "--app", application.Address);

        AssertStep(StepName.Run, StepStatus.Ok, "1 chunk and a result of 8 bytes");
        AssertStep(StepName.LargeInput, StepStatus.Ok, "took it");
        Assert.DoesNotContain("secret", JsonReport.Of("1.2.3", "doctor-1", _steps), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Run_OfAnActionWithALargeResult_ReportsItsSize()
    {
        await using var application = await FakeApplication.StartAsync();
        application.Actions["/flow/x"] = (call, _) => call.ResultAsync($"\"{new string('x', 1_000_000)}\"");

        await ExamineAsync(new ActionToRun("/flow/x", null), "--app", application.Address);

        AssertStep(StepName.Run, StepStatus.Ok, "a result of 1000002 bytes");
    }

    [Fact]
    public async Task Run_OfAnActionThatFails_IsAFailure()
    {
        await using var application = await FakeApplication.StartAsync();

        await ExamineAsync(new ActionToRun("/flow/x", null), "--app", application.Address);

        AssertStep(StepName.Run, StepStatus.Failed, "NOT_FOUND: action /flow/x not found", "`genkit-sidecar call /flow/x JSON`");
    }

    [Fact]
    public async Task LargeInput_OverTheSidecarsOwnLimit_IsNotTried()
    {
        await using var application = await FakeApplication.StartAsync();

        await ExamineAsync("--app", application.Address, "--max-message-bytes", "1MiB");

        AssertStep(StepName.LargeInput, StepStatus.Skipped, "`--max-message-bytes` is 1048576");
    }

    private Task ExamineAsync(params string[] flags) => ExamineAsync(null, flags);

    private async Task ExamineAsync(ActionToRun? action, params string[] flags)
    {
        var line = Cli.CommandLine.Parse(["doctor", .. flags]);
        Assert.Empty(line.Problems);
        var examination = new Examination(
            SettingsReader.ReadGood(line.Flags, new Dictionary<string, string>()),
            new Surroundings(IsContainer: false, IsKubernetes: false, IsUnderGenkit: false, Proxy: null),
            action,
            _command,
            SidecarExecutable.Current(),
            NullLoggerFactory.Instance,
            hurry: Task.Delay(Timeout.Infinite, TestContext.Current.CancellationToken));
        await examination.ExamineAsync(_steps.Add, TestContext.Current.CancellationToken).WaitAsync(Timeouts.Default);
    }

    private void AssertStep(string name, StepStatus status, string found, string? remedy = null)
    {
        var finding = Assert.Single(_steps, step => step.Name == name).Finding;
        Assert.Equal(status, finding.Status);
        Assert.Contains(found, finding.Found, StringComparison.Ordinal);
        if (remedy is null)
        {
            Assert.Empty(finding.Remedies);
        }
        else
        {
            Assert.Contains(finding.Remedies, row => row.Contains(remedy, StringComparison.Ordinal));
        }
    }
}
