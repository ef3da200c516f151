using System.Net;
using Microsoft.AspNetCore.Server.Kestrel.Core;

namespace Genkit.Sidecar.Benchmarks.Application;

internal static class BenchmarkApplication
{
    /// <summary>Starts a stock ASP.NET Core application with the flows, on a free port of 127.0.0.1.</summary>
    public static async Task<WebApplication> StartAsync()
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.SetMinimumLevel(LogLevel.Warning);
        builder.WebHost.ConfigureKestrel(kestrel => kestrel.Listen(IPAddress.Loopback, 0, listen => listen.Protocols = HttpProtocols.Http2));
        builder.Services.AddGrpc();

        var application = builder.Build();
        application.MapGrpcService<BenchmarkService>();
        await application.StartAsync();
        return application;
    }
}
