using Genkit.Sidecar.Configuration;

namespace Genkit.Sidecar.Doctor;

/// <summary>Why the application's address refuses connections: the host answers, and no process listens.</summary>
internal static class ApplicationRefusal
{
    public static Finding Of(ApplicationAddress address, Surroundings surroundings)
    {
        var host = new Uri(address.Text);
        if (!host.IsLoopback)
        {
            return Finding.Failed(
                $"connection refused: {host.IdnHost} is there, but nothing listens at port {host.Port} of that address. Does the application listen on its own loopback (127.0.0.1) only?",
                $"Let the application listen on `0.0.0.0:{host.Port}`, not on 127.0.0.1",
                "`--app` with the port that it serves gRPC on",
                "Or let the sidecar share its network, as containers of one pod do, or with `network_mode: \"service:NAME\"`");
        }

        var start = $"Start the application on {address}, or name its address with `--app` ({ApplicationSettingTable.App.EnvironmentVariable})";
        const string Command = "Or let the sidecar start it: `genkit-sidecar doctor -- COMMAND`";
        return surroundings.IsContainer
            ? Finding.Failed(
                "connection refused: nothing listens there. This is a container, whose loopback is its own: an application in another one is not there",
                start,
                $"For an application in another container `--app http://NAME:{host.Port}`, where NAME is its Compose service or Kubernetes Service, and let it listen on `0.0.0.0:{host.Port}`",
                Command)
            : Finding.Failed("connection refused: nothing listens there", start, Command);
    }
}
