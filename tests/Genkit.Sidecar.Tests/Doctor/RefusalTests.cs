using System.Net.Sockets;
using Genkit.Sidecar.Configuration;
using Genkit.Sidecar.Doctor;

namespace Genkit.Sidecar.Tests.Doctor;

public sealed class RefusalTests
{
    private static readonly Surroundings s_laptop = new(IsContainer: false, IsKubernetes: false, IsUnderGenkit: false, Proxy: null);
    private static readonly Surroundings s_container = s_laptop with { IsContainer = true };
    private static readonly Surroundings s_pod = s_container with { IsKubernetes = true };

    [Fact]
    public void Manager_LoopbackOnALaptop_IsToBeStarted() =>
        AssertFailed(ManagerRefusal.Of(new("ws://localhost:3200"), [], s_laptop), "nothing listens there", "`genkit start --experimental-reflection-v2`");

    [Fact]
    public void Manager_LoopbackOfAContainer_IsNotThatOfTheHost()
    {
        var finding = ManagerRefusal.Of(new("ws://127.0.0.1:3200"), [], s_container);

        AssertFailed(finding, "whose loopback is its own", "network_mode: \"service:genkit\"");
        AssertFailed(finding, "whose loopback is its own", "network_mode: host");
    }

    [Fact]
    public void Manager_LoopbackOfAPod_IsToBeSharedOrForwarded()
    {
        var finding = ManagerRefusal.Of(new("ws://localhost:3200"), [], s_pod);

        AssertFailed(finding, "whose loopback is its own", "in the pod of the Genkit CLI");
        AssertFailed(finding, "whose loopback is its own", "kubectl port-forward");
        Assert.DoesNotContain(finding.Remedies, remedy => remedy.Contains("network_mode", StringComparison.Ordinal));
    }

    [Fact]
    public void Manager_AnswersElsewhere_IsNamedBeforeAllElse()
    {
        var finding = ManagerRefusal.Of(new("ws://localhost:3200"), [new("ws://localhost:3201"), new("wss://h/?token=secret")], s_container);

        Assert.Equal("`--manager ws://localhost:3201`", finding.Remedies[0]);
        AssertFailed(finding, "ws://localhost:3201 and wss://h.", "--write-env-file");
        Assert.DoesNotContain("secret", finding.ToString() + string.Concat(finding.Remedies), StringComparison.Ordinal);
    }

    [Fact]
    public void Manager_OfAnotherMachine_MayListenOnItsLoopbackOnly() =>
        AssertFailed(ManagerRefusal.Of(new("ws://genkit:3200"), [], s_container), "on its own loopback only", "on genkit");

    [Theory]
    [InlineData("http://app:50051", "app is there, but nothing listens at port 50051", "`0.0.0.0:50051`, not on 127.0.0.1")]
    [InlineData("http://192.0.2.1:50051", "192.0.2.1 is there", "`0.0.0.0:50051`, not on 127.0.0.1")]
    [InlineData("http://127.0.0.1:50051", "an application in another one is not there", "`--app http://NAME:50051`")]
    public void Application_SeenFromAContainer_MayListenOnAnotherLoopback(string address, string found, string remedy) =>
        AssertFailed(ApplicationRefusal.Of(Address(address), s_container), found, remedy);

    [Fact]
    public void Application_OnALaptop_IsToBeStarted()
    {
        var finding = ApplicationRefusal.Of(Address("http://[::1]:50051"), s_laptop);

        AssertFailed(finding, "nothing listens there", "Start the application on http://[::1]:50051");
        Assert.DoesNotContain("container", finding.Found, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(SocketError.AddressNotAvailable, "/nowhere/app.sock", "no such socket file, nor its directory", "mount the same volume")]
    [InlineData(SocketError.AddressNotAvailable, "/app.sock", "there is no such socket file", "`unix:/app.sock`")]
    [InlineData(SocketError.AccessDenied, "/nowhere/app.sock", "has no permission to use the socket", "runAsUser")]
    public void Socket_EachReason_IsToldApart(SocketError error, string path, string found, string remedy) =>
        AssertFailed(SocketRefusal.Of(path, new((int)error)), found, remedy);

    [Fact]
    public void Socket_NobodyServesIt_WasLeftBehind()
    {
        using var directory = new TemporaryDirectory();
        var path = directory.File("app.sock", "");

        AssertFailed(SocketRefusal.Of(path, new((int)SocketError.ConnectionRefused)), "left behind", "Start the application");
    }

    [Fact]
    public void Surroundings_EachMark_TellsWhereTheProcessRuns()
    {
        Assert.Equal(s_laptop, Of());
        Assert.Equal(s_container, Of("container=podman"));
        Assert.Equal(s_container, Surroundings.Of(new Dictionary<string, string>(), path => path == "/.dockerenv"));
        Assert.Equal(s_container, Surroundings.Of(new Dictionary<string, string>(), path => path == "/run/.containerenv"));
        Assert.Equal(s_pod, Of("KUBERNETES_SERVICE_HOST=10.0.0.1"));
        Assert.Equal(s_laptop with { IsUnderGenkit = true }, Of("GENKIT_ENV=dev"));
        Assert.Equal(s_laptop with { IsUnderGenkit = true }, Of("GENKIT_TELEMETRY_SERVER=http://localhost:4033"));
        Assert.Equal(s_laptop, Of("GENKIT_ENV=prod"));
        Assert.Equal(s_laptop with { Proxy = "http_proxy" }, Of("http_proxy=http://proxy:3128"));
        Assert.Equal(s_laptop, Of("container=", "HTTP_PROXY="));
    }

    private static Surroundings Of(params string[] environment) =>
        Surroundings.Of(environment.Select(row => row.Split('=', 2)).ToDictionary(row => row[0], row => row[1]), _ => false);

    private static ApplicationAddress Address(string text) => ApplicationAddress.Parse(text).Value!;

    private static void AssertFailed(Finding finding, string found, string remedy)
    {
        Assert.Equal(StepStatus.Failed, finding.Status);
        Assert.Contains(found, finding.Found, StringComparison.Ordinal);
        Assert.Contains(finding.Remedies, row => row.Contains(remedy, StringComparison.Ordinal));
    }
}
