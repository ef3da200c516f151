using Genkit.Sidecar.JsonRpc;
using Genkit.Sidecar.Runs;

namespace Genkit.Sidecar.Endpoints.ReflectionV2;

/// <summary>
/// Messages that go to the manager in one write, and the run events that are among them. It owns each event from <see cref="Take"/> until the event has been
/// sent or returned to its run.
/// </summary>
/// <remarks>
/// The states of a run's event:
/// <list type="table">
/// <listheader><term>From, to</term><description>Moved by</description></listheader>
/// <item><term>none, queued</term><description><see cref="ActionRun"/>, with <see cref="RunOutbox.WriteAsync"/> or <see cref="RunOutbox.Post"/></description></item>
/// <item><term>queued, taken</term><description><see cref="SessionWriter"/>, with <see cref="RunOutbox.TryRead"/> and <see cref="Take"/></description></item>
/// <item><term>taken, encoded</term><description><see cref="SessionWriter"/>, with <see cref="AddAsync"/></description></item>
/// <item><term>encoded, sent</term><description><see cref="SendAsync"/>, which releases the payload</description></item>
/// <item><term>taken or encoded, queued</term><description><see cref="Return"/>, when the connection is lost</description></item>
/// <item><term>queued, dropped</term><description><see cref="RunOutbox.Abandon"/>, when the manager that asked is gone for good</description></item>
/// </list>
/// </remarks>
/// <param name="socket">Where the batch goes.</param>
/// <param name="onAnswered">Called for each run whose last event has been sent.</param>
internal sealed class FrameBatch(ManagerSocket socket, Action<PendingRequest> onAnswered)
{
    /// <summary>Size of a write. A longer message is sent in fragments of this size.</summary>
    private const int BufferBytes = 64 * 1024;

    private readonly WebSocketFrameEncoder _encoder = new();
    private readonly byte[] _buffer = new byte[BufferBytes];
    private readonly List<(PendingRequest Pending, RunEvent Event)> _events = [];
    private int _bytes;
    private int _messages;

    /// <summary>How many of <see cref="_events"/>, from the first, are in the buffer, or sent in part.</summary>
    private int _encodedEvents;

    /// <summary>Takes over an event that was read from its run's outbox. The next call of <see cref="AddAsync"/> for an event must be for this one.</summary>
    public void Take(PendingRequest pending, in RunEvent runEvent) => _events.Add((pending, runEvent));

    /// <summary>Adds one message, and sends what was added before if there is no room for it.</summary>
    /// <param name="message">The message. It may be cleared afterwards.</param>
    /// <param name="isEvent">Whether it is that of the event that was taken last.</param>
    /// <param name="cancellationToken">Gives up sending.</param>
    public ValueTask AddAsync(OutgoingFrame message, bool isEvent, CancellationToken cancellationToken)
    {
        if (!TryEncode(message))
        {
            return AddWithRoomAsync(message, isEvent, cancellationToken);
        }

        Added(isEvent);
        return ValueTask.CompletedTask;
    }

    /// <summary>Sends what was added.</summary>
    /// <exception cref="System.Net.WebSockets.WebSocketException">The connection is lost.</exception>
    public async ValueTask SendAsync(CancellationToken cancellationToken)
    {
        await WriteAsync(cancellationToken);
        for (var i = 0; i < _encodedEvents; i++)
        {
            var (pending, runEvent) = _events[i];
            runEvent.Release();
            if (runEvent.EndsRun)
            {
                onAnswered(pending);
            }
        }

        _events.RemoveRange(0, _encodedEvents);
        _encodedEvents = 0;
    }

    /// <summary>Returns the events that were not sent to their runs, which keep them for another connection.</summary>
    public void Return()
    {
        // The last one first, so that each outbox gives them out again in their order.
        for (var i = _events.Count - 1; i >= 0; i--)
        {
            _events[i].Pending.Run.Outbox.Return(_events[i].Event);
        }

        _events.Clear();
        _encodedEvents = 0;
    }

    private async ValueTask AddWithRoomAsync(OutgoingFrame message, bool isEvent, CancellationToken cancellationToken)
    {
        await SendAsync(cancellationToken);
        if (!TryEncode(message))
        {
            await AddFragmentsAsync(message, cancellationToken);
        }

        Added(isEvent);
    }

    /// <summary>Sends all fragments but the last one, which is left in the buffer. The WebSocket's own frames may be sent between two of them.</summary>
    private async ValueTask AddFragmentsAsync(OutgoingFrame message, CancellationToken cancellationToken)
    {
        var fragment = BufferBytes - WebSocketFrameEncoder.HeaderBytes(BufferBytes);
        for (var offset = 0L; offset < message.Length; offset += fragment)
        {
            await WriteAsync(cancellationToken);
            Encode(message, offset, (int)Math.Min(fragment, message.Length - offset));
        }
    }

    private bool TryEncode(OutgoingFrame message)
    {
        if (message.Length > BufferBytes || _bytes + WebSocketFrameEncoder.HeaderBytes((int)message.Length) + message.Length > BufferBytes)
        {
            return false;
        }

        Encode(message, 0, (int)message.Length);
        return true;
    }

    private void Encode(OutgoingFrame message, long offset, int length)
    {
        var header = WebSocketFrameEncoder.HeaderBytes(length);
        var frame = _buffer.AsSpan(_bytes, header + length);
        message.CopyTo(offset, frame[header..]);
        _encoder.Encode(frame, length, isFirst: offset == 0, isLast: offset + length == message.Length);
        _bytes += frame.Length;
    }

    private void Added(bool isEvent)
    {
        _messages++;
        _encodedEvents += isEvent ? 1 : 0;
    }

    private async ValueTask WriteAsync(CancellationToken cancellationToken)
    {
        if (_bytes > 0)
        {
            await socket.WriteAsync(_buffer.AsMemory(0, _bytes), _messages, cancellationToken);
            _bytes = 0;
            _messages = 0;
        }
    }
}
