namespace Genkit.Sidecar.GrpcClient.Tests;

/// <summary>Checks what the other tests left behind. The runner starts collections that do not run in parallel after all others.</summary>
[Collection(nameof(CleanlinessTests))]
public sealed class CleanlinessTests(Cleanliness cleanliness)
{
    [Fact]
    public void Run_AllOtherTests_LeftNothingBehind() => cleanliness.AssertClean();

    [CollectionDefinition(nameof(CleanlinessTests), DisableParallelization = true)]
    public sealed class AfterTheOthers;
}
