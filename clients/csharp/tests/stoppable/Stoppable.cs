// Sends the chunk "waiting", and prints "ended" on stdout when its run has ended. Its argument is the grace period in seconds.
using System.Globalization;
using Genkit.Sidecar.Client;

var application = new Application("stoppable");
application.Flow("first", async (IAsyncEnumerable<string> chunks, ActionRunContext context) =>
{
    try
    {
        await context.SendChunkAsync("waiting");
        return await chunks.FirstAsync(context.CancellationToken);
    }
    finally
    {
        await Console.Out.WriteLineAsync("ended");
    }
});
await application.ServeAsync("127.0.0.1:0", new ServeOptions { Grace = TimeSpan.FromSeconds(int.Parse(args[0], CultureInfo.InvariantCulture)) });
