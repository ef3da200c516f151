using Genkit.Sidecar.Endpoints.ReflectionV2;
using static Genkit.Sidecar.Endpoints.ReflectionV2.ManagerIdentity.Verdict;

namespace Genkit.Sidecar.Tests.Endpoints.ReflectionV2;

public class ManagerIdentityTests
{
    private readonly ManagerIdentity _identity = new();

    [Fact]
    public void FirstConnection_FirstRequest_IsTheSame()
    {
        Assert.Equal(Undecided, _identity.Connected("ws://a"));
        Assert.Equal(Same, _identity.Received(1));
        Assert.Equal(Undecided, _identity.Received(2));
        Assert.Equal(Undecided, _identity.Waited());
    }

    [Theory]
    [InlineData(8, true)]
    [InlineData(1_000, true)]
    [InlineData(7, false)]
    [InlineData(1, false)]
    public void NextConnection_FirstRequest_IsTheSameManagersIfItsIdIsHigher(long id, bool same)
    {
        _identity.Connected("ws://a");
        _identity.Received(7);
        _identity.Received(3);

        Assert.Equal(Undecided, _identity.Connected("ws://a"));
        Assert.Equal(same ? Same : Restarted, _identity.Received(id));
        Assert.Equal(Undecided, _identity.Received(id + 1));
        Assert.Equal(Undecided, _identity.Waited());
    }

    [Fact]
    public void NextConnection_AfterARestart_CountsFromTheNewManagersIds()
    {
        _identity.Connected("ws://a");
        _identity.Received(100);
        _identity.Connected("ws://a");
        Assert.Equal(Restarted, _identity.Received(1));

        _identity.Connected("ws://a");
        Assert.Equal(Same, _identity.Received(2));
    }

    [Fact]
    public void Connected_OtherAddress_IsAnotherManagerAtOnce()
    {
        _identity.Connected("ws://a");
        _identity.Received(7);

        Assert.Equal(Restarted, _identity.Connected("ws://b"));
        Assert.Equal(Undecided, _identity.Waited());
        Assert.Equal(Undecided, _identity.Received(1));
        _identity.Connected("ws://b");
        Assert.Equal(Restarted, _identity.Received(1));
    }

    [Fact]
    public void Waited_WithoutARequest_PresumesTheSame()
    {
        _identity.Connected("ws://a");
        _identity.Received(7);
        _identity.Connected("ws://a");

        Assert.Equal(Same, _identity.Waited());
        Assert.Equal(Restarted, _identity.Received(1));
    }

    [Fact]
    public void Received_IdThatIsNoNumber_DecidesNothing()
    {
        _identity.Connected("ws://a");
        _identity.Received(7);
        _identity.Connected("ws://a");

        Assert.Equal(Undecided, _identity.Received(null));
        Assert.Equal(Same, _identity.Waited());
        Assert.Equal(Same, _identity.Received(8));
    }

    [Fact]
    public void Connected_SeveralTimesWithoutARequest_KeepsWhatIsKnown()
    {
        _identity.Connected("ws://a");
        _identity.Received(7);
        _identity.Connected("ws://a");
        _identity.Connected("ws://a");

        Assert.Equal(Restarted, _identity.Received(7));
    }
}
