namespace Genkit.Sidecar.Doctor;

/// <summary>Why the manager's address refuses connections: the host answers, and no process listens.</summary>
internal static class ManagerRefusal
{
    public const string EnvFileRemedy =
        "`--env-file genkit.env`, written by `genkit start --experimental-reflection-v2 --write-env-file genkit.env`, finds the CLI on every port";

    /// <param name="address">Who refused.</param>
    /// <param name="others">Managers that answer elsewhere.</param>
    /// <param name="surroundings">Where this process runs.</param>
    public static Finding Of(Uri address, IReadOnlyList<Uri> others, Surroundings surroundings)
    {
        if (others.Count > 0)
        {
            var shown = others.Select(other => $"{other.Scheme}://{other.Authority}").ToList();
            return Finding.Failed(
                $"connection refused: nothing listens there, but a manager answers at {string.Join(" and ", shown)}. A restarted CLI may take another port",
                [.. shown.Select(other => $"`--manager {other}`"), EnvFileRemedy]);
        }

        if (!address.IsLoopback)
        {
            return Finding.Failed(
                "connection refused: nothing listens there, or on its own loopback only",
                $"Start `genkit start --experimental-reflection-v2` on {address.Host}",
                "Share the network of the CLI where its WebSocket listens on its own loopback: `network_mode: \"service:genkit\"` in Compose, one pod in Kubernetes",
                EnvFileRemedy);
        }

        const string Container = "connection refused: nothing listens there. This is a container, whose loopback is its own, not that of the machine that the CLI runs on";
        return surroundings switch
        {
            { IsKubernetes: true } => Finding.Failed(
                Container,
                "Run the sidecar in the pod of the Genkit CLI: the containers of a pod share their loopback",
                "Or run the sidecar on the laptop, beside the CLI, and name the application with `--app http://127.0.0.1:50051` behind `kubectl port-forward POD 50051`"),
            { IsContainer: true } => Finding.Failed(
                Container,
                "The CLI is another container's: `network_mode: \"service:genkit\"` for the sidecar, where genkit is the service of the CLI",
                "The CLI is the host's: `network_mode: host`, or `docker run --network host`",
                "Or run the sidecar on the host, beside the CLI, and name the container's published port with `--app`",
                "The CLI runs in here: `genkit start --experimental-reflection-v2`"),
            _ => Finding.Failed("connection refused: nothing listens there", "`genkit start --experimental-reflection-v2`", EnvFileRemedy),
        };
    }
}
