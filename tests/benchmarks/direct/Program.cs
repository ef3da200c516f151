using System.Text.Json;
using Genkit.Sidecar.Benchmarks.Direct;
using Genkit.Sidecar.V1;
using Grpc.Net.Client;

// Calls the application at the address in the first argument. Each line of the input is a load; its answer is `begin` and `end`, when the
// time that is measured begins and ends, and a line with the measurement.
using var channel = GrpcChannel.ForAddress(args[0], new GrpcChannelOptions { MaxReceiveMessageSize = null });
var client = new ActionService.ActionServiceClient(channel);
while (await Console.In.ReadLineAsync() is { } line)
{
    var load = JsonSerializer.Deserialize<Load>(line, JsonSerializerOptions.Web)!;
    var measurement = await new ClosedLoop(client, load).MeasureAsync(
        begin: () => Console.WriteLine("begin"),
        end: () => Console.WriteLine("end"));
    Console.WriteLine(JsonSerializer.Serialize(measurement, JsonSerializerOptions.Web));
}
