using System.Net;
using System.Net.Sockets;
using Genkit.Sidecar.Configuration;
using Genkit.Sidecar.Http;
using Microsoft.Extensions.Logging;

namespace Genkit.Sidecar.Supervision;

/// <summary>Chooses the address on which a command should serve gRPC: that of the settings, else a port that is free now.</summary>
internal static partial class ListenAddress
{
    public static Parsed<ApplicationAddress> Choose(ApplicationSettings settings, ILogger logger)
    {
        if (settings.AddressSource.Origin == SettingOrigin.Default)
        {
            return Parsed<ApplicationAddress>.Good(ApplicationAddress.Loopback(FreePort()));
        }

        if (settings.Address.SocketPath is { } path)
        {
            var cleared = SocketFile.Clear(path);
            if (cleared.Problem is not null)
            {
                return Parsed<ApplicationAddress>.Bad($"{settings.AddressSource}: {cleared.Problem}");
            }

            if (cleared.Value == SocketFileState.StaleRemoved)
            {
                Log.StaleSocketRemoved(logger, path);
            }
        }

        return Parsed<ApplicationAddress>.Good(settings.Address);
    }

    // Another process may bind it first. The system assigns its ports in turn, so that is unlikely during a start.
    private static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }

    private static partial class Log
    {
        [LoggerMessage(LogLevel.Information, "Removed the stale socket {Path}, which no process serves", EventName = "StaleSocketRemoved")]
        public static partial void StaleSocketRemoved(ILogger logger, string path);
    }
}
