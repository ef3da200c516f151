namespace Genkit.Sidecar.GrpcClient.Tests;

/// <summary>Looks at what the others left. The runner takes collections that do not run in parallel after all those that do.</summary>
[Collection(nameof(CleanlinessTests))]
public sealed class CleanlinessTests(Cleanliness cleanliness)
{
    [Fact]
    public void Run_AllOtherTests_LeftNothingBehind() => cleanliness.AssertClean();

    [CollectionDefinition(nameof(CleanlinessTests), DisableParallelization = true)]
    public sealed class AfterTheOthers;
}
