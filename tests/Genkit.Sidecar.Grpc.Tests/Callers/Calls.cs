namespace Genkit.Sidecar.Grpc.Tests.Callers;

internal static class Calls
{
    /// <summary>Sends one message and no more.</summary>
    public static async Task SendOnlyAsync(this ICall call, int size)
    {
        await call.SendAsync(size);
        await call.EndAsync();
    }

    /// <summary>The next message or the end.</summary>
    public static async Task<CallEvent> NextMessageAsync(this ICall call)
    {
        var next = await call.NextAsync();
        return next.Event == "headers" ? await call.NextAsync() : next;
    }

    /// <summary>Reads everything, and gives the end.</summary>
    public static async Task<CallEvent> ToEndAsync(this ICall call)
    {
        CallEvent next;
        do
        {
            next = await call.NextAsync();
        }
        while (next.Event != "end");
        return next;
    }
}
