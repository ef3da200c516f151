using System.Diagnostics;

namespace Genkit.Sidecar.GrpcClient.Tests.Peers;

/// <summary>Programs and packages that the peers need. Missing ones fail the test and name the remedy: a skipped peer proves nothing.</summary>
internal static class Tools
{
    private const string DebianPackages = "apt-get install python3-grpcio python3-protobuf protobuf-compiler protobuf-compiler-grpc";

    public static string Node => Find("node", "install Node 20 or later");

    public static string Protoc => Find("protoc", DebianPackages);

    public static string PythonPlugin => Find("grpc_python_plugin", DebianPackages);

    // Debian's Python first: another python in PATH does not find Debian's packages.
    public static string Python => File.Exists("/usr/bin/python3") ? "/usr/bin/python3" : Find("python3", DebianPackages);

    public static string Repository
    {
        get
        {
            var directory = new DirectoryInfo(AppContext.BaseDirectory);
            while (directory is not null && !File.Exists(Path.Combine(directory.FullName, "Genkit.Sidecar.sln")))
            {
                directory = directory.Parent;
            }

            return directory?.FullName ?? ".";
        }
    }

    public static string NodeModules
    {
        get
        {
            var modules = Path.Combine(Repository, "tests", "peers", "node_modules");
            return Directory.Exists(Path.Combine(modules, "@grpc", "grpc-js"))
                ? modules
                : throw new InvalidOperationException($"{modules} does not have @grpc/grpc-js: run 'npm ci --prefix tests/peers' in the repository");
        }
    }

    private static readonly Lazy<Task<string>> s_goServer = new(BuildGoServerAsync);

    /// <summary>The Go peer, built by the first test that needs it with the packages that tests/e2e/setup installs.</summary>
    public static Task<string> GoServerAsync() => s_goServer.Value;

    private static async Task<string> BuildGoServerAsync()
    {
        const string Remedy = "run 'tests/e2e/setup go' in the repository";
        var program = Path.Combine(AppContext.BaseDirectory, "wire_server_go");
        var build = new ProcessStartInfo(Find("go", Remedy), ["build", "-o", program, Path.Combine(AppContext.BaseDirectory, "Peers", "wire_server.go")])
        {
            // Debian's Go packages are not modules.
            Environment = { ["GO111MODULE"] = "off", ["GOPATH"] = "/usr/share/gocode", ["GOFLAGS"] = "" },
        };
        await RunAsync(build, CancellationToken.None);
        return program;
    }

    public static Task RunAsync(string program, string[] arguments, CancellationToken cancellationToken) =>
        RunAsync(new ProcessStartInfo(program, arguments), cancellationToken);

    private static async Task RunAsync(ProcessStartInfo start, CancellationToken cancellationToken)
    {
        start.RedirectStandardError = true;
        using var process = Process.Start(start)!;
        var errors = await process.StandardError.ReadToEndAsync(cancellationToken);
        await process.WaitForExitAsync(cancellationToken);
        if (process.ExitCode != 0)
        {
            throw new InvalidOperationException($"{start.FileName} ended with {process.ExitCode}: {errors}");
        }
    }

    private static string Find(string name, string remedy) =>
        (Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator)
            .Where(folder => folder.Length > 0)
            .Select(folder => Path.Combine(folder, name))
            .FirstOrDefault(File.Exists)
        ?? throw new InvalidOperationException($"'{name}' is not in PATH: {remedy}");
}
