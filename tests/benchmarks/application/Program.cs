using Genkit.Sidecar.Benchmarks.Application;

var application = await BenchmarkApplication.StartAsync();
Console.WriteLine(application.Urls.First());
await application.WaitForShutdownAsync();
