namespace Genkit.Sidecar.Endpoints.ReflectionV2;

/// <summary>
/// Tells whether the manager of a new connection is the one of the connection before. Its ids count up from 1 for as long as it
/// lives and its callers outlive a lost socket, so an answer may follow them to the new one; but a restarted manager counts from 1
/// again, and an old answer would resolve a stranger's request.
/// </summary>
internal sealed class ManagerIdentity
{
    private long _highest;
    private string? _address;
    private bool _decided;

    public enum Verdict
    {
        /// <summary>Nothing new is known.</summary>
        Undecided,
        Same,
        Restarted,
    }

    /// <summary>A connection was made: whose it is remains to be seen, unless the address is another one.</summary>
    public Verdict Connected(string address)
    {
        var moved = _address is not null && _address != address;
        _address = address;
        if (moved)
        {
            _highest = 0;
        }

        _decided = moved;
        return moved ? Verdict.Restarted : Verdict.Undecided;
    }

    /// <summary>A request came: the first one of a connection decides.</summary>
    public Verdict Received(long? requestId)
    {
        if (requestId is not { } id)
        {
            return Verdict.Undecided;
        }

        if (_decided)
        {
            _highest = Math.Max(_highest, id);
            return Verdict.Undecided;
        }

        _decided = true;
        var verdict = id > _highest ? Verdict.Same : Verdict.Restarted;
        _highest = id;
        return verdict;
    }

    /// <summary>
    /// No request came for a while: an answer to a request that the manager does not know does no harm then. Only presumed; the
    /// first request still decides.
    /// </summary>
    public Verdict Waited() => _decided ? Verdict.Undecided : Verdict.Same;
}
