using System.Diagnostics;
using System.Security.Cryptography.X509Certificates;
using System.Text.Json;

namespace Genkit.Sidecar.GrpcClient.Tests.Peers;

/// <summary>A process that serves wire.proto. It exits when its standard input closes, so that an aborted test run leaves no process behind.</summary>
internal sealed class Peer : IAsyncDisposable
{
    private readonly Process _process;
    private readonly DirectoryInfo _folder;
    private readonly Dictionary<string, string> _addresses;
    private readonly TestCertificates _certificates;

    private Peer(Process process, DirectoryInfo folder, Dictionary<string, string> addresses, TestCertificates certificates)
    {
        _process = process;
        _folder = folder;
        _addresses = addresses;
        _certificates = certificates;
    }

    public static async Task<Peer> StartAsync(PeerKind kind, CancellationToken cancellationToken, params (string Name, string Value)[] environment)
    {
        var folder = Directory.CreateTempSubdirectory("wire-");
        var certificates = new TestCertificates();
        var certificatePath = Path.Combine(folder.FullName, "cert.pem");
        var keyPath = Path.Combine(folder.FullName, "key.pem");
        using (var certificate = certificates.Issue("localhost"))
        {
            await File.WriteAllTextAsync(certificatePath, certificate.ExportCertificatePem(), cancellationToken);
            await File.WriteAllTextAsync(keyPath, certificate.GetECDsaPrivateKey()!.ExportPkcs8PrivateKeyPem(), cancellationToken);
        }

        var socketPath = Path.Combine(folder.FullName, "wire.sock");
        var sources = Path.Combine(AppContext.BaseDirectory, "Peers");
        ProcessStartInfo start;
        switch (kind)
        {
            case PeerKind.Node:
                start = new ProcessStartInfo(Tools.Node, [Path.Combine(sources, "wire_server.js"), Path.Combine(sources, "wire.proto"), socketPath, certificatePath, keyPath]);
                start.Environment["NODE_PATH"] = Tools.NodeModules;
                break;
            case PeerKind.Python:
                await Tools.RunAsync(
                    Tools.Protoc,
                    [
                        $"--proto_path={sources}", $"--python_out={folder.FullName}", $"--grpc_python_out={folder.FullName}",
                        $"--plugin=protoc-gen-grpc_python={Tools.PythonPlugin}", "wire.proto",
                    ],
                    cancellationToken);
                start = new ProcessStartInfo(Tools.Python, [Path.Combine(sources, "wire_server.py"), folder.FullName, socketPath, certificatePath, keyPath]);
                break;
            default:
                start = new ProcessStartInfo(await Tools.GoServerAsync(), [socketPath, certificatePath, keyPath]);
                break;
        }

        foreach (var (name, value) in environment)
        {
            start.Environment[name] = value;
        }

        start.RedirectStandardInput = true;
        start.RedirectStandardOutput = true;
        start.RedirectStandardError = true;
        var process = Process.Start(start)!;
        var errors = process.StandardError.ReadToEndAsync(CancellationToken.None);
        var line = await process.StandardOutput.ReadLineAsync(cancellationToken)
            ?? throw new InvalidOperationException($"the {kind} peer did not start: {await errors}");
        return new Peer(process, folder, JsonSerializer.Deserialize<Dictionary<string, string>>(line)!, certificates);
    }

    public GrpcTarget Target(Transport transport) => GrpcTarget.Parse(_addresses[transport switch
    {
        Transport.Tcp => "tcp",
        Transport.Unix => "unix",
        Transport.Tls => "tls",
        _ => "gzip",
    }]);

    public ClientChannelOptions Options(Transport transport) => new()
    {
        Target = Target(transport),
        CertificateAuthorities = transport == Transport.Tls ? _certificates.Authorities : null,
        MaxReceiveMessageBytes = 64 * 1024 * 1024,
        StreamedMethods = ["/wire.Wire/Chat", "/wire.Wire/Stall"],
    };

    /// <summary>Suspends the process. Its kernel still acknowledges what it receives.</summary>
    public Task FreezeAsync() => Tools.RunAsync("/bin/kill", ["-STOP", $"{_process.Id}"], CancellationToken.None);

    public Task ThawAsync() => Tools.RunAsync("/bin/kill", ["-CONT", $"{_process.Id}"], CancellationToken.None);

    public Task DeathAsync() => _process.WaitForExitAsync().WaitAsync(Timeouts.Default);

    public async ValueTask DisposeAsync()
    {
        try
        {
            _process.StandardInput.Close();
        }
        catch (IOException)
        {
            // The process has already exited, as one test requires.
        }

        await DeathAsync();
        _process.Dispose();
        _folder.Delete(recursive: true);
    }
}
