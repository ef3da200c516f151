namespace Genkit.Sidecar.EndToEndTests.Infrastructure;

/// <summary>Command lines of the published sidecar, its stderr appended to the workspace's log.</summary>
internal static class SidecarCommand
{
    /// <summary>Returns `genkit-sidecar run [options] -- command`.</summary>
    public static IReadOnlyList<string> Run(
        Workspace workspace, IEnumerable<string> application, params IEnumerable<string> options) =>
        [.. Of(workspace), "run", .. options, "--", .. application];

    /// <summary>Returns `genkit-sidecar arguments`.</summary>
    public static IReadOnlyList<string> Of(Workspace workspace, params IEnumerable<string> arguments)
    {
        var sidecar = Repository.Require(Repository.Sidecar, "tests/e2e/setup sidecar");

        // The CLI hides the stderr of its command. With exec, the sidecar is the process that the CLI starts and stops.
        return ["sh", "-c", "log=$1; shift; exec \"$@\" 2>>\"$log\"", "sh", workspace.SidecarLog.Path, sidecar, .. arguments];
    }
}
