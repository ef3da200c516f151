using System.Net.Sockets;
using Genkit.Sidecar.Configuration;

namespace Genkit.Sidecar.Http;

/// <summary>Ensures that a Unix socket can be bound.</summary>
internal static class SocketFile
{
    /// <summary>Removes what a killed process left behind; anything else that is in the way is a problem.</summary>
    public static Parsed<SocketFileState> Clear(string path)
    {
        if (!Directory.Exists(Path.GetDirectoryName(path)))
        {
            return Parsed<SocketFileState>.Bad($"the directory of {path} does not exist");
        }

        if (Directory.Exists(path))
        {
            return Parsed<SocketFileState>.Bad($"{path} is a directory");
        }

        if (!Path.Exists(path))
        {
            return Parsed<SocketFileState>.Good(SocketFileState.Free);
        }

        if (!IsSocket(path))
        {
            return Parsed<SocketFileState>.Bad($"{path} exists and is not a socket");
        }

        try
        {
            // Without waiting, because the server may hang with a full backlog.
            using var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified) { Blocking = false };
            socket.Connect(new UnixDomainSocketEndPoint(path));
            return Parsed<SocketFileState>.Bad($"another process already serves {path}");
        }
        catch (SocketException e) when (e.SocketErrorCode == SocketError.ConnectionRefused)
        {
            return Remove(path);
        }
        catch (SocketException e) when (e.SocketErrorCode == SocketError.WouldBlock)
        {
            return Parsed<SocketFileState>.Bad($"another process already serves {path}");
        }
        catch (SocketException e)
        {
            return Parsed<SocketFileState>.Bad($"{path} cannot be tried: {e.Message}");
        }
    }

    private static Parsed<SocketFileState> Remove(string path)
    {
        try
        {
            File.Delete(path);
            return Parsed<SocketFileState>.Good(SocketFileState.StaleRemoved);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return Parsed<SocketFileState>.Bad($"{path} is a socket that no process serves and that cannot be removed: {e.Message}");
        }
    }

    // .NET does not tell the type of a file, and connecting to a regular one is "refused" too. Only a socket cannot be opened as
    // a file; a file that is not ours to open counts as no socket, so that it is never removed.
    private static bool IsSocket(string path)
    {
        try
        {
            using var _ = new FileStream(path, FileMode.Open, FileAccess.ReadWrite, FileShare.ReadWrite);
            return false;
        }
        catch (UnauthorizedAccessException)
        {
            return false;
        }
        catch (IOException)
        {
            return true;
        }
    }
}

internal enum SocketFileState
{
    Free,
    StaleRemoved,
}
