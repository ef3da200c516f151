using System.Text;

namespace Genkit.Sidecar.EndToEndTests.Infrastructure;

/// <summary>Flow servers of the hello examples: the published sidecar and Genkit's own.</summary>
internal static class FlowServers
{
    private const string MadeBy = "tests/e2e/setup genkit";

    /// <summary>Starts a hello application under the sidecar and returns when both can be called.</summary>
    public static Task<(RunningProcess Process, Uri Address)> StartSidecarAsync(Workspace workspace, string language, params IEnumerable<string> options) =>
        StartSidecarAsync(workspace, HelloApplication.In(language).Command, process => process.Output, options);

    /// <summary>Starts an application of a client library, which prints its address to stderr.</summary>
    public static Task<(RunningProcess Process, Uri Address)> StartSidecarAsync(Workspace workspace, IEnumerable<string> application) =>
        StartSidecarAsync(workspace, application, process => process.Errors, []);

    private static async Task<(RunningProcess Process, Uri Address)> StartSidecarAsync(
        Workspace workspace, IEnumerable<string> application, Func<RunningProcess, Journal<string>> addressIn, IEnumerable<string> options)
    {
        var sidecar = Repository.Require(Repository.Sidecar, "tests/e2e/setup sidecar");

        // Does not use the workspace's log file, because the port is read from the sidecar's stderr.
        var process = workspace.Start([sidecar, "run", "--flow-server", "127.0.0.1:0", .. options, "--", .. application]);
        var started = await process.EventAsync("FlowServerStarted");
        await addressIn(process).FirstAsync(line => line.Contains("listens on", StringComparison.Ordinal), "the application's address");
        return (process, new Uri($"http://{started.State.GetProperty("EndPoint").GetString()}{started.State.GetProperty("PathPrefix").GetString()}"));
    }

    /// <summary>Starts Genkit's own flow server.</summary>
    public static async Task<Uri> StartGenkitAsync(Workspace workspace)
    {
        Repository.Require("tests/genkit/node_modules/genkit/package.json", MadeBy);
        var process = workspace.Start(["node", Repository.Require("tests/genkit/flow-server.cjs", MadeBy)]);
        return new Uri(await process.Output.FirstAsync(line => line.StartsWith("http://", StringComparison.Ordinal), "the address of Genkit's flow server"));
    }

    /// <summary>Calls a flow with Genkit's own client, <c>runFlow</c> or <c>streamFlow</c>.</summary>
    /// <returns>What it prints.</returns>
    public static async Task<IReadOnlyList<string>> CallAsync(Workspace workspace, params IEnumerable<string> arguments)
    {
        Repository.Require("tests/genkit/node_modules/genkit/package.json", MadeBy);
        var process = workspace.Start(["node", Repository.Require("tests/genkit/flow-client.cjs", MadeBy), .. arguments]);
        await process.ExitAsync();
        return process.Output.Snapshot();
    }

    public static HttpRequestMessage Request(Uri server, string path, string? body = null, string? accept = null)
    {
        var request = new HttpRequestMessage(HttpMethod.Post, new Uri(server, path));
        if (body is not null)
        {
            request.Content = new StringContent(body, Encoding.UTF8, "application/json");
        }

        if (accept is not null)
        {
            request.Headers.Add("Accept", accept);
        }

        return request;
    }
}
