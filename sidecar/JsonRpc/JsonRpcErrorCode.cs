namespace Genkit.Sidecar.JsonRpc;

/// <summary>Codes of <see href="https://www.jsonrpc.org/specification#error_object">JSON-RPC 2.0, section 5.1</see>.</summary>
internal static class JsonRpcErrorCode
{
    public const int InvalidRequest = -32600;
    public const int MethodNotFound = -32601;
    public const int InvalidParams = -32602;

    /// <summary>Genkit's code for every failure that has a Genkit status in its <c>data</c>.</summary>
    public const int ServerError = -32000;
}
