using System.Text.Json.Nodes;
using Genkit.Sidecar.EndToEndTests.Infrastructure;

namespace Genkit.Sidecar.EndToEndTests.Kubernetes;

/// <summary>All overlays, rendered once.</summary>
public sealed class RenderedOverlays : IAsyncLifetime
{
    private readonly Dictionary<string, Overlay> _overlays = [];

    public async ValueTask InitializeAsync()
    {
        await using var workspace = new Workspace();
        foreach (var name in Overlay.All)
        {
            _overlays[name] = await Overlay.RenderAsync(workspace, name);
        }
    }

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;

    /// <summary>Returns a copy, which a test may modify.</summary>
    internal Overlay this[string name] => new(
        [.. _overlays[name].Objects.Select(o => o.DeepClone().AsObject())], _overlays[name].Problems);
}
