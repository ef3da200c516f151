using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using Genkit.Sidecar.Tests.Supervision;

namespace Genkit.Sidecar.Tests.Http;

/// <summary>The listeners of the built sidecar in an environment that configures other ASP.NET Core applications.</summary>
public sealed class WebListenerTests
{
    [Fact]
    public async Task Listener_SurroundingsOfAnAspNetCoreApplication_DoNotChangeIt()
    {
        using var directory = new TemporaryDirectory();
        using var urls = Taken(out var port);
        var file = directory.File(
            "appsettings.json",
            $$"""
            { "Urls": "http://127.0.0.1:{{port}}", "Kestrel": { "Endpoints": { "Other": { "Url": "http://127.0.0.1:{{port}}" } } }, "AllowedHosts": "other.example" }
            """);
        using var sidecar = Start(Path.GetDirectoryName(file)!, new()
        {
            ["ASPNETCORE_URLS"] = $"http://127.0.0.1:{port}",
            ["ASPNETCORE_HTTP_PORTS"] = $"{port}",
            ["DOTNET_URLS"] = $"http://127.0.0.1:{port}",
            ["HTTP_PORTS"] = $"{port}",
            ["URLS"] = $"http://127.0.0.1:{port}",
            ["Kestrel__Endpoints__Other__Url"] = $"http://127.0.0.1:{port}",
            ["Kestrel__Limits__MaxRequestLineSize"] = "20",
            ["AllowedHosts"] = "other.example",
            ["ASPNETCORE_ENVIRONMENT"] = "Development",
            ["DOTNET_ENVIRONMENT"] = "Development",
            ["ASPNETCORE_HOSTINGSTARTUPASSEMBLIES"] = "Missing",
            ["ASPNETCORE_CONTENTROOT"] = "/nowhere",
        });

        // The port is in use, so a sidecar that tried to listen there would not start.
        try
        {
            var address = await ListeningAsync(sidecar);
            using var http = new HttpClient { Timeout = Timeouts.Default };
            using var response = await http.GetAsync(new Uri($"http://{address}/healthz?{new string('x', 100)}"), TestContext.Current.CancellationToken);

            Assert.Equal("ok\n", await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken));
        }
        finally
        {
            sidecar.Kill();
            await sidecar.WaitForExitAsync(TestContext.Current.CancellationToken);
        }
    }

    private static Process Start(string directory, Dictionary<string, string> environment)
    {
        var start = new ProcessStartInfo(SidecarProcess.Executable.FileName) { WorkingDirectory = directory, RedirectStandardError = true };
        string[] words =
        [
            "run", "--manager", "ws://127.0.0.1:1", "--health", "127.0.0.1:0", "--otlp-grpc", "127.0.0.1:0", "--otlp-http", "127.0.0.1:0",
            "--reflection-v1", "127.0.0.1:0", "--flow-server", "127.0.0.1:0", "--project-root", directory, "--log-format", "json",
        ];
        foreach (var word in words)
        {
            start.ArgumentList.Add(word);
        }

        foreach (var (name, value) in environment)
        {
            start.Environment[name] = value;
        }

        return Process.Start(start)!;
    }

    /// <summary>Waits until the last listener is open and returns the address of the health listener.</summary>
    private static async Task<string> ListeningAsync(Process sidecar)
    {
        var (address, lines) = ("", new List<string>());
        while (await sidecar.StandardError.ReadLineAsync(TestContext.Current.CancellationToken).AsTask().WaitAsync(Timeouts.Default) is { } line)
        {
            lines.Add(line);
            if (SidecarProcess.ValuesOf(line, "HealthListenerStarted") is { } values)
            {
                address = values.GetProperty("EndPoint").GetString()!;
            }

            if (SidecarProcess.ValuesOf(line, "FlowServerStarted") is not null)
            {
                return address;
            }
        }

        throw new InvalidOperationException($"The sidecar has ended:\n{string.Join('\n', lines)}");
    }

    private static TcpListener Taken(out int port)
    {
        var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        port = ((IPEndPoint)listener.LocalEndpoint).Port;
        return listener;
    }
}
