using BenchmarkDotNet.Configs;
using BenchmarkDotNet.Running;
using Genkit.Sidecar.Benchmarks.Micro;

// In this process, because BenchmarkDotNet would otherwise build the sidecar and the application anew for each job.
var config = DefaultConfig.Instance.WithArtifactsPath(Path.Combine("artifacts", "benchmarks", "micro"));
BenchmarkSwitcher.FromAssembly(typeof(LoopbackRun).Assembly).Run(["--inProcess", .. args], config);
