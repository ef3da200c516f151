using System.Net.Sockets;

namespace Genkit.Sidecar.Doctor;

/// <summary>Why a Unix socket takes no connection.</summary>
internal static class SocketTrap
{
    public static Finding Of(string path, SocketException exception)
    {
        if (exception.SocketErrorCode == SocketError.AccessDenied)
        {
            var mode = OperatingSystem.IsWindows() || !File.Exists(path) ? "" : $" (mode {Convert.ToString((int)File.GetUnixFileMode(path), 8)})";
            return Finding.Failed(
                $"no permission to use the socket{mode}, as user {Environment.UserName}",
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
            exception.SocketErrorCode == SocketError.ConnectionRefused ? "nobody serves the socket: it was left behind" : $"no connection: {exception.Message}",
            $"Start the application, with its server at `unix:{path}`");
    }
}
