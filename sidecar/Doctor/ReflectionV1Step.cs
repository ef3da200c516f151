using System.Net;
using System.Net.Sockets;
using Genkit.Sidecar.Configuration;
using Genkit.Sidecar.Endpoints.ReflectionV1;

namespace Genkit.Sidecar.Doctor;

/// <summary>Whether Reflection API v1 could be served, and found by the CLI's commands.</summary>
internal sealed class ReflectionV1Step(ReflectionV1Settings settings, RuntimeSettings runtime)
{
    public Finding Examine()
    {
        var (root, folder) = RuntimeFile.Place(runtime);
        var wanted = ReflectionV1Listener.Candidates(settings);
        if (wanted.FirstOrDefault(IsFree) is not { } free)
        {
            return Finding.Warning(
                $"something listens at {(settings.Address is null ? $"each of {wanted[0]} to {wanted[^1].Port}" : wanted[0])} already: fine if it is the sidecar that you look into",
                $"`{ReflectionV1SettingTable.ReflectionV1.Flag} ADDRESS` with a port that is free, or `off`");
        }

        return WhyNotWritable(root, folder) is { } reason
            ? Finding.Warning(
                $"it can be served at {free}, but no runtime file can be made in {folder}: {reason}. The CLI's commands will not find it",
                $"`{RuntimeSettingTable.ProjectRoot.Flag} {RuntimeSettingTable.ProjectRoot.Placeholder}` with the folder of the project, which this user can write")
            : Finding.Ok($"it can be served at {free}; the CLI finds it by a file in {folder}, when that is started in {root} or below");
    }

    private static bool IsFree(IPEndPoint endPoint)
    {
        try
        {
            using var listener = new TcpListener(endPoint);
            listener.Start();
            return true;
        }
        catch (SocketException)
        {
            return false;
        }
    }

    /// <summary>Tries it in the nearest folder that is there already, and leaves nothing behind.</summary>
    private static string? WhyNotWritable(string root, string folder)
    {
        try
        {
            if (!Directory.Exists(root))
            {
                return $"there is no folder {root}";
            }

            var nearest = folder;
            while (!Directory.Exists(nearest))
            {
                nearest = Path.GetDirectoryName(nearest)!;
            }

            // In a folder of runtimes the CLI reads whatever appears.
            var probe = Path.Combine(nearest == folder ? Path.GetDirectoryName(folder)! : nearest, $".genkit-sidecar-doctor-{Guid.NewGuid():N}");
            using (File.Create(probe, 1, FileOptions.DeleteOnClose))
            {
            }

            return null;
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            return exception.Message;
        }
    }
}
