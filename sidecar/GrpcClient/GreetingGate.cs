namespace Genkit.Sidecar.GrpcClient;

/// <summary>Reading and writing while the peer has not greeted yet.</summary>
internal static class GreetingGate
{
    public static async ValueTask<int> ReadAsync(Connection connection, ValueTask<int> reading, Memory<byte> buffer)
    {
        int count;
        try
        {
            count = await reading.ConfigureAwait(false);
        }
        catch (IOException e)
        {
            throw connection.Greeting.Closed(e);
        }

        if (count > 0)
        {
            connection.Greeting.Received(buffer.Span[..count]);
            if (connection.Greeting.IsOver)
            {
                connection.Established();
            }
        }
        else if (buffer.Length > 0)
        {
            throw connection.Greeting.Closed(null);
        }

        return count;
    }

    /// <summary>A peer that is no HTTP/2 server may answer and hang up before everything is written. What it said then matters, not that writing failed: reading finds both.</summary>
    public static async ValueTask WriteAsync(ValueTask writing)
    {
        try
        {
            await writing.ConfigureAwait(false);
        }
        catch (IOException)
        {
        }
    }
}
