using System.Net.Sockets;
using System.Security.Cryptography;
using System.Text;
using Genkit.Sidecar.Configuration;

namespace Genkit.Sidecar.Endpoints.ReflectionV2;

/// <summary>
/// Notices a second sidecar under the same runtime id. The manager says nothing: it sends everything to whichever came last, and
/// forgets the id when that one goes. So sidecars tell each other, through a socket in Linux's abstract namespace that is named after
/// manager and id. It reaches as far as the network namespace; elsewhere, and on other systems, nothing is noticed.
/// </summary>
internal sealed partial class RuntimeIdClaim(RuntimeSettings settings, ILogger<RuntimeIdClaim> logger) : IDisposable
{
    private Socket? _listener;
    private string? _name;

    /// <summary>Claims the id at a manager, or warns on both sides that it is taken. Never fails.</summary>
    public void Claim(Uri manager)
    {
        var name = Name(manager, settings.Id);
        if (name == _name)
        {
            return;
        }

        Release();
        if (!OperatingSystem.IsLinux())
        {
            _name = name;
            Log.NotNoticed(logger, settings.Id);
            return;
        }

        var endPoint = new UnixDomainSocketEndPoint(name);
        Socket? socket = null;
        try
        {
            socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
            socket.Bind(endPoint);
            socket.Listen();
            (_listener, _name) = (socket, name);
            _ = ListenAsync(socket);
        }
        catch (SocketException exception) when (exception.SocketErrorCode == SocketError.AddressAlreadyInUse)
        {
            socket?.Dispose();
            Log.Taken(logger, settings.Id);
            Tell(endPoint);
        }
        catch (Exception exception) when (exception is SocketException or PlatformNotSupportedException)
        {
            // A sandbox without Unix sockets: only the warning is lost.
            socket?.Dispose();
        }
    }

    /// <summary>Whether another sidecar holds an id at a manager. Says nothing to it.</summary>
    public static bool IsHeld(Uri manager, string runtimeId)
    {
        if (!OperatingSystem.IsLinux())
        {
            return false;
        }

        try
        {
            // Bind only, so that the holder is not notified; released immediately.
            using var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
            socket.Bind(new UnixDomainSocketEndPoint(Name(manager, runtimeId)));
            return false;
        }
        catch (Exception exception) when (exception is SocketException or PlatformNotSupportedException)
        {
            return exception is SocketException { SocketErrorCode: SocketError.AddressAlreadyInUse };
        }
    }

    public void Dispose() => Release();

    private static string Name(Uri manager, string runtimeId)
    {
        var host = manager.IsLoopback ? "loopback" : manager.Host;
        var hash = SHA256.HashData(Encoding.UTF8.GetBytes($"{host}:{manager.Port}\n{runtimeId}"));
        return "\0genkit-sidecar-" + Convert.ToHexStringLower(hash.AsSpan(0, 16));
    }

    private static void Tell(UnixDomainSocketEndPoint endPoint)
    {
        try
        {
            using var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified) { Blocking = false };
            socket.Connect(endPoint);
        }
        catch (SocketException)
        {
            // It went away at this moment.
        }
    }

    /// <summary>Ends with the listener, and never fails.</summary>
    private async Task ListenAsync(Socket listener)
    {
        try
        {
            while (true)
            {
                using var other = await listener.AcceptAsync();
                Log.Replaced(logger, settings.Id);
            }
        }
        catch (Exception exception) when (exception is SocketException or ObjectDisposedException)
        {
            // Released.
        }
    }

    private void Release()
    {
        _listener?.Dispose();
        (_listener, _name) = (null, null);
    }

    private static partial class Log
    {
        [LoggerMessage(LogLevel.Information, "This system has no means to notice another sidecar that registers as {RuntimeId}", EventName = "RuntimeIdConflictUndetectable")]
        public static partial void NotNoticed(ILogger logger, string runtimeId);

        [LoggerMessage(LogLevel.Warning, "Another sidecar has registered with this manager as {RuntimeId} too: requests now come here only. Give each its own --runtime-id (GENKIT_RUNTIME_ID)", EventName = "RuntimeIdTakenOver")]
        public static partial void Taken(ILogger logger, string runtimeId);

        [LoggerMessage(LogLevel.Warning, "Another sidecar has registered with this manager as {RuntimeId} too: requests now go there. Give each its own --runtime-id (GENKIT_RUNTIME_ID)", EventName = "RuntimeIdLost")]
        public static partial void Replaced(ILogger logger, string runtimeId);
    }
}
