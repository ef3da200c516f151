namespace Genkit.Sidecar.Doctor;

/// <summary>What the steps are called, in their order. The names are part of what <c>--json</c> promises.</summary>
internal static class StepName
{
    public const string Settings = "settings";

    public const string ManagerDns = "manager-dns";
    public const string ManagerTcp = "manager-tcp";
    public const string ManagerWebSocket = "manager-websocket";
    public const string ManagerRegister = "manager-register";
    public const string RuntimeId = "runtime-id";

    /// <summary>Only if that endpoint would be enabled.</summary>
    public const string ReflectionV1 = "reflection-v1";

    /// <summary>Only where the doctor was given a command.</summary>
    public const string ApplicationStart = "application-start";

    public const string ApplicationDns = "application-dns";
    public const string ApplicationConnect = "application-connect";
    public const string ApplicationGrpc = "application-grpc";
    public const string ListActions = "list-actions";
    public const string Run = "run";
    public const string LargeInput = "large-input";
}
