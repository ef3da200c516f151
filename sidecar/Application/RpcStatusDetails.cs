using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;

namespace Genkit.Sidecar.Application;

/// <summary>
/// Reads the stack trace out of the <c>grpc-status-details-bin</c> trailer: a
/// <see href="https://github.com/googleapis/googleapis/blob/master/google/rpc/status.proto">google.rpc.Status</see> with a
/// <see href="https://github.com/googleapis/googleapis/blob/master/google/rpc/error_details.proto">google.rpc.DebugInfo</see> among its details.
/// </summary>
internal static class RpcStatusDetails
{
    private const uint StatusDetails = (3 << 3) | 2;
    private const uint StackEntries = (1 << 3) | 2;
    private const uint DebugDetail = (2 << 3) | 2;

    /// <returns>The stack, a line an entry; null if there is none or the bytes are something else.</returns>
    public static string? ReadStack(ReadOnlyMemory<byte> details)
    {
        try
        {
            var status = new CodedInputStream(details.ToArray());
            while (status.ReadTag() is var tag and not 0)
            {
                if (tag != StatusDetails)
                {
                    status.SkipLastField();
                    continue;
                }

                var detail = Any.Parser.ParseFrom(status.ReadBytes());
                if (Any.GetTypeName(detail.TypeUrl) == "google.rpc.DebugInfo")
                {
                    return ReadDebugInfo(detail.Value);
                }
            }
        }
        catch (InvalidProtocolBufferException)
        {
            // The trailer is the application's own then. The status itself still says what went wrong.
        }

        return null;
    }

    private static string? ReadDebugInfo(ByteString bytes)
    {
        var lines = new List<string>();
        string? detail = null;
        var debugInfo = bytes.CreateCodedInput();
        while (debugInfo.ReadTag() is var tag and not 0)
        {
            if (tag == StackEntries)
            {
                lines.Add(debugInfo.ReadString());
            }
            else if (tag == DebugDetail)
            {
                detail = debugInfo.ReadString();
            }
            else
            {
                debugInfo.SkipLastField();
            }
        }

        return lines.Count > 0 ? string.Join('\n', lines) : detail;
    }
}
