using System.Net.Sockets;
using System.Runtime.Versioning;
using Genkit.Sidecar.Supervision;

namespace Genkit.Sidecar.Doctor;

/// <summary>Why a Unix socket takes no connection.</summary>
internal static class SocketRefusal
{
    public static Finding Of(string path, SocketException exception)
    {
        if (exception.SocketErrorCode == SocketError.AccessDenied)
        {
            return Finding.Failed(
                OperatingSystem.IsWindows() ? "no permission to use the socket" : $"user {Posix.EffectiveUser()} has no permission to use the socket{Mode(path)}",
                "Run both as one user: `runAsUser` in Kubernetes, `user:` in Compose",
                $"Or give the sidecar the right to write it: `chmod 0666 {path}`, and `chmod o+x` for its directories");
        }

        if (!File.Exists(path))
        {
            return Finding.Failed(
                Directory.Exists(Path.GetDirectoryName(path)) ? "there is no such socket file" : "there is no such socket file, nor its directory",
                $"Start the application, with its server at `unix:{path}`",
                "In containers, mount the same volume at the same path on both sides");
        }

        return Finding.Failed(
            exception.SocketErrorCode == SocketError.ConnectionRefused ? "no process serves the socket: it was left behind" : $"no connection: {exception.Message}",
            $"Start the application, with its server at `unix:{path}`");
    }

    // A directory on the way may be what is forbidden, and then there is no mode to be had.
    [UnsupportedOSPlatform("windows")]
    private static string Mode(string path) => File.Exists(path) ? $" (mode {Convert.ToString((int)File.GetUnixFileMode(path), 8)})" : "";
}
