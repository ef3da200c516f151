using Grpc.Core;

namespace Genkit.Sidecar.GrpcClient.Tests;

public sealed class CallFailureTests
{
    // SocketsHttpHandler throws this when a GOAWAY frame crosses the request.
    [Fact]
    public void From_StreamOfOursWasClosed_DoesNotNameOurTypes()
    {
        var target = GrpcTarget.Parse("http://127.0.0.1:1");
        var cause = new HttpRequestException("any", new ObjectDisposedException("Genkit.Sidecar.GrpcClient.PlaintextStream"));
        var failure = new CallFailure(new ClientChannelOptions { Target = target }, new Connections());

        var status = failure.From(new RpcException(new Status(StatusCode.Unavailable, "any", cause)), startedAt: 0, deadline: null);

        Assert.Equal(StatusCode.Unavailable, status.Code);
        Assert.Equal("the connection to http://127.0.0.1:1 was lost: the peer ended it while the request was on its way", status.Message);
    }
}
