namespace Genkit.Sidecar.Grpc.Tests;

public sealed class CallFailureTests
{
    // What SocketsHttpHandler throws when a GOAWAY crosses the request, now and then.
    [Fact]
    public void From_StreamOfOursWasClosed_DoesNotNameOurTypes()
    {
        var exception = new HttpRequestException("any", new ObjectDisposedException("Genkit.Sidecar.Grpc.PlaintextStream"));

        var status = CallFailure.From(exception, GrpcTarget.Parse("http://127.0.0.1:1"), wasSent: true, wasResent: false, connectFailure: null);

        Assert.Equal(GrpcStatusCode.Unavailable, status.Code);
        Assert.Equal("the connection to http://127.0.0.1:1 was lost: the peer ended it while the request was on its way", status.Message);
    }
}
