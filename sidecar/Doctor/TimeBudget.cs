namespace Genkit.Sidecar.Doctor;

/// <summary>How long the whole of an examination may still take.</summary>
internal sealed class TimeBudget(TimeSpan total)
{
    public TimeSpan Left { get; private set; } = total;

    public void Spend(TimeSpan took) => Left = took < Left ? Left - took : TimeSpan.Zero;
}
