namespace Genkit.Sidecar.Supervision;

/// <summary>What <c>run -- command</c> starts.</summary>
/// <param name="Words">Name and arguments, as typed.</param>
/// <param name="ListenAddress">Where the command is to serve gRPC.</param>
/// <param name="Sidecar">Starts the command for us, where that takes more than .NET offers.</param>
internal sealed record ApplicationCommand(IReadOnlyList<string> Words, string ListenAddress, SidecarExecutable Sidecar);
