using Genkit.Sidecar.Actions;
using Genkit.Sidecar.Application;
using Genkit.Sidecar.GrpcClient;
using Grpc.Core;

namespace Genkit.Sidecar.Tests.Application;

public class ApplicationFailuresTests
{
    private const string Address = "http://127.0.0.1:4000";

    private readonly ApplicationFailures _failures = new(Address);

    [Theory]
    [InlineData(ConnectFailure.Unreachable, "--app")]
    [InlineData(ConnectFailure.Closed, "--app")]
    [InlineData(ConnectFailure.NotHttp2, "--app")]
    [InlineData(ConnectFailure.PlaintextToTlsPeer, "https://")]
    [InlineData(ConnectFailure.TlsToPlaintextPeer, "http://")]
    [InlineData(ConnectFailure.TlsFailed, "--app-cert")]
    [InlineData(ConnectFailure.CertificateNotTrusted, "--app-ca")]
    [InlineData(ConnectFailure.CertificateForOtherName, "--app-authority")]
    public void From_ConnectFailure_SaysTheCauseAndWhatMendsIt(object connectFailure, string remedy)
    {
        var status = new CallStatus(StatusCode.Unavailable, $"{Address} cannot be reached: cause") { ConnectFailure = (ConnectFailure)connectFailure };

        var failure = _failures.From(status, "RunAction", hasAnswered: false);

        Assert.Equal(StatusCode.Unavailable, failure.Code);
        Assert.StartsWith("The application cannot be reached: ", failure.Message, StringComparison.Ordinal);
        Assert.Contains(status.Message, failure.Message, StringComparison.Ordinal);
        Assert.Contains(remedy, failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void From_EveryConnectFailure_IsCovered()
    {
        Assert.Equal(9, Enum.GetValues<ConnectFailure>().Length);
    }

    [Fact]
    public void From_ListActionsUnimplemented_AsksWhetherItIsTheApplication()
    {
        var failure = _failures.From(new CallStatus(StatusCode.Unimplemented, "unknown service"), ApplicationClient.ListActions, hasAnswered: false);

        Assert.Equal(StatusCode.Unimplemented, failure.Code);
        Assert.Contains(Address, failure.Message, StringComparison.Ordinal);
        Assert.Contains("genkit.sidecar.v1.ActionService", failure.Message, StringComparison.Ordinal);
        Assert.Contains("unknown service", failure.Message, StringComparison.Ordinal);
        Assert.Contains("--app", failure.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("RunAction")]
    [InlineData("RunBidiAction")]
    public void From_RunUnimplemented_NamesTheMethod(string rpc)
    {
        var failure = _failures.From(new CallStatus(StatusCode.Unimplemented, ""), rpc, hasAnswered: false);

        Assert.Equal(StatusCode.Unimplemented, failure.Code);
        Assert.Contains($"genkit.sidecar.v1.ActionService/{rpc}", failure.Message, StringComparison.Ordinal);
        Assert.Contains(Address, failure.Message, StringComparison.Ordinal);
        Assert.Contains("UNIMPLEMENTED", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void From_UnimplementedAfterAnAnswer_IsTheActionsOwn()
    {
        var failure = _failures.From(new CallStatus(StatusCode.Unimplemented, "not yet"), "RunAction", hasAnswered: true);

        Assert.Equal(new ActionFailure(StatusCode.Unimplemented, "not yet"), failure);
    }

    [Fact]
    public void From_StatusOfTheApplication_IsPassedOnUnchanged()
    {
        Assert.Equal(
            new ActionFailure(StatusCode.NotFound, "no such thing"),
            _failures.From(new CallStatus(StatusCode.NotFound, "no such thing"), "RunAction", hasAnswered: false));
    }

    [Fact]
    public void From_StatusWithoutAMessage_SaysItsName()
    {
        foreach (var code in Enum.GetValues<StatusCode>().Where(code => code is not (StatusCode.OK or StatusCode.Unimplemented)))
        {
            var failure = _failures.From(new CallStatus(code, ""), "RunAction", hasAnswered: false);

            Assert.Equal(code, failure.Code);
            Assert.Equal(failure.Message.ToUpperInvariant(), failure.Message);
            Assert.Equal($"{code}".ToUpperInvariant(), failure.Message.Replace("_", "", StringComparison.Ordinal));
        }
    }

    [Fact]
    public void From_StatusDetailsWithDebugInfo_GiveTheStack()
    {
        byte[] debugInfo = [0x0A, 0x04, .. "at a"u8];
        byte[] type = [.. "type.googleapis.com/google.rpc.DebugInfo"u8];
        byte[] any = [0x0A, (byte)type.Length, .. type, 0x12, (byte)debugInfo.Length, .. debugInfo];
        var status = new CallStatus(StatusCode.Internal, "m") { Trailers = new Metadata { { "grpc-status-details-bin", (byte[])[0x1A, (byte)any.Length, .. any] } } };

        Assert.Equal("at a", _failures.From(status, "RunAction", hasAnswered: false).Stack);
    }
}
