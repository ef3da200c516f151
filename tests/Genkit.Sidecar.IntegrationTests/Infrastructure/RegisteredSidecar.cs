namespace Genkit.Sidecar.IntegrationTests.Infrastructure;

/// <summary>A sidecar between an application and a manager, after it has registered. Most tests start with it.</summary>
internal sealed class RegisteredSidecar : IAsyncDisposable
{
    private RegisteredSidecar(FakeApplication application, FakeManager manager, SidecarFixture sidecar, ManagerSocketPeer peer)
    {
        Application = application;
        Manager = manager;
        Sidecar = sidecar;
        Peer = peer;
    }

    public FakeApplication Application { get; }

    public FakeManager Manager { get; }

    public SidecarFixture Sidecar { get; }

    public LogCapture Log => Sidecar.Log;

    /// <summary>The manager's end of the first connection.</summary>
    public ManagerSocketPeer Peer { get; }

    public static async Task<RegisteredSidecar> StartAsync(params string[] flags)
    {
        var application = await FakeApplication.StartAsync();
        var manager = await FakeManager.StartAsync();
        var sidecar = await SidecarFixture.StartAsync(manager.Address, application.Address, flags);
        var peer = await manager.AcceptRegisteredAsync();
        return new RegisteredSidecar(application, manager, sidecar, peer);
    }

    public async ValueTask DisposeAsync()
    {
        try
        {
            await Sidecar.DisposeAsync();
        }
        finally
        {
            await Manager.DisposeAsync();
            await Application.DisposeAsync();
        }
    }
}
