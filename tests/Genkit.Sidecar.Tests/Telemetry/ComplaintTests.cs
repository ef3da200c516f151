using Genkit.Sidecar.Telemetry;
using Microsoft.Extensions.Time.Testing;

namespace Genkit.Sidecar.Tests.Telemetry;

public class ComplaintTests
{
    [Fact]
    public void Complaint_FaultThatComesAndGoes_IsMadeOnceAMinute()
    {
        var time = new FakeTimeProvider();
        var complaint = new Complaint(time);

        var made = 0;
        for (var i = 0; i < 90; i++)
        {
            made += complaint.TryOpen() ? 1 : 0;
            complaint.Close();
            time.Advance(TimeSpan.FromSeconds(1));
        }

        Assert.Equal(2, made);
    }

    [Fact]
    public void Complaint_FaultThatLasts_IsMadeOnce()
    {
        var time = new FakeTimeProvider();
        var complaint = new Complaint(time);

        Assert.True(complaint.TryOpen());
        time.Advance(TimeSpan.FromHours(1));

        Assert.False(complaint.TryOpen());
        Assert.True(complaint.IsOpen);
    }
}
