namespace Genkit.Sidecar.Configuration;

/// <summary>The settings that become <see cref="RuntimeSettings"/>.</summary>
internal static class RuntimeSettingTable
{
    public static readonly SettingGroup<RuntimeSettings> Group = new("Runtime");

    public static readonly Setting Name = Group.Add(
        "name",
        SettingValue.Text("NAME", "a name without control characters"),
        (settings, value) => settings with { Name = value },
        defaultNote: "what GetRuntimeInfo says, else the runtime id",
        description: "Name of the application in the Dev UI",
        reason: "the application knows its own name");

    public static readonly Setting RuntimeId = Group.Add(
        "runtime-id",
        SettingValue.Text("ID", "an id without control characters"),
        (settings, value) => settings with { Id = value },
        setSource: (settings, source) => settings with { IdSource = source },
        variable: "GENKIT_RUNTIME_ID",
        defaultNote: "process id and a random suffix",
        description: "Id to register with; the manager replaces a runtime by the next one of the same id",
        reason: "two containers are both process 1");

    public static readonly Setting GenkitEnv = Group.Add(
        "genkit-env",
        SettingValue.Text("NAME", "a name without control characters"),
        (settings, value) => settings with { GenkitEnv = value },
        variable: "GENKIT_ENV",
        defaultNote: "none, which is not `dev`",
        description: "Genkit's environment: `dev` opens what is for development",
        reason: "the Genkit CLI sets the variable for the command it starts; production does not set it");

    public static readonly Setting ProjectRoot = Group.Add(
        "project-root",
        SettingValue.Text("FOLDER", "a path"),
        (settings, value) => settings with { ProjectRoot = value },
        defaultNote: "the nearest folder with a package.json, go.mod, pyproject.toml or the like, else the working directory",
        description: "Folder of the project, whose .genkit/runtimes has the runtime file of Reflection API v1",
        reason: "the Genkit CLI looks for it by the same files");
}
