using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;
using System.Text;
using Genkit.Sidecar.GrpcClient.Tests.Raw;

namespace Genkit.Sidecar.GrpcClient.Tests;

/// <summary>A scripted HTTP/2 peer: each connection runs the script. It implements only as much of HTTP/2 as is needed to misbehave on cue.</summary>
internal sealed class Http2Peer : IAsyncDisposable
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly CancellationTokenSource _stop = new();
    private readonly Task _accepting;
    private int _connections;

    public Http2Peer(Func<Connection, Task> script)
    {
        _listener.Start();
        _accepting = AcceptAsync(script);
    }

    public string Address => $"http://127.0.0.1:{((IPEndPoint)_listener.LocalEndpoint).Port}";

    public GrpcTarget Target => GrpcTarget.Parse(Address);

    public int Connections => Volatile.Read(ref _connections);

    /// <summary>A channel to the peer, for which <c>/a.B/Stream</c> is a method whose request is a stream.</summary>
    public RawChannel Channel(TimeSpan? keepAliveTimeout = null, TimeProvider? time = null) => new(new ClientChannelOptions
    {
        Target = Target,
        MaxReceiveMessageBytes = 1_000_000,
        StreamedMethods = ["/a.B/Stream"],
        KeepAliveTimeout = keepAliveTimeout ?? TimeSpan.FromSeconds(15),
        TimeProvider = time ?? TimeProvider.System,
    });

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await _accepting;
        _listener.Stop();
        _stop.Dispose();
    }

    private async Task AcceptAsync(Func<Connection, Task> script)
    {
        List<Task> running = [];
        try
        {
            while (true)
            {
                var socket = await _listener.AcceptSocketAsync(_stop.Token);
                Interlocked.Increment(ref _connections);
                running.Add(RunAsync(socket, script));
            }
        }
        catch (Exception e) when (e is OperationCanceledException or SocketException or ObjectDisposedException)
        {
        }

        await Task.WhenAll(running);
    }

    private async Task RunAsync(Socket socket, Func<Connection, Task> script)
    {
        using var stream = new NetworkStream(socket, ownsSocket: true);
        try
        {
            await script(new Connection(stream, _stop.Token));
        }
        catch (Exception e) when (e is IOException or OperationCanceledException or ObjectDisposedException)
        {
            // The client or the script closed the connection, or the test has ended.
        }
    }

    /// <summary>One frame as received.</summary>
    public sealed record Frame(byte Type, byte Flags, int StreamId, byte[] Payload);

    /// <summary>One connection of the client.</summary>
    public sealed class Connection(Stream stream, CancellationToken stopped)
    {
        public const byte Data = 0, Headers = 1, RstStream = 3, Settings = 4, GoAway = 7;

        public Stream Stream => stream;

        public Task SendRawAsync(ReadOnlyMemory<byte> bytes) => stream.WriteAsync(bytes, stopped).AsTask();

        /// <summary>Reads the client's preface and sends SETTINGS.</summary>
        public async Task GreetAsync()
        {
            await stream.ReadExactlyAsync(new byte[24], stopped);
            await SendAsync(Settings, 0, 0, []);
        }

        /// <summary>Reads up to the first frame of this type, or of any type but SETTINGS and the like.</summary>
        public async Task<Frame> ReceiveAsync(params byte[] types)
        {
            while (true)
            {
                var head = new byte[9];
                await stream.ReadExactlyAsync(head, stopped);
                var payload = new byte[(head[0] << 16) | (head[1] << 8) | head[2]];
                await stream.ReadExactlyAsync(payload, stopped);
                var frame = new Frame(head[3], head[4], BinaryPrimitives.ReadInt32BigEndian(head.AsSpan(5)), payload);
                if (frame.Type == Settings && (frame.Flags & 1) == 0)
                {
                    await SendAsync(Settings, 1, 0, []);
                }

                if (types.Contains(frame.Type))
                {
                    return frame;
                }
            }
        }

        /// <summary>Waits for a request and returns its stream.</summary>
        public async Task<int> RequestAsync() => (await ReceiveAsync(Headers)).StreamId;

        public Task SendAsync(byte type, byte flags, int streamId, ReadOnlySpan<byte> payload)
        {
            var frame = new byte[9 + payload.Length];
            frame[0] = (byte)(payload.Length >> 16);
            frame[1] = (byte)(payload.Length >> 8);
            frame[2] = (byte)payload.Length;
            frame[3] = type;
            frame[4] = flags;
            BinaryPrimitives.WriteInt32BigEndian(frame.AsSpan(5), streamId);
            payload.CopyTo(frame.AsSpan(9));
            return SendRawAsync(frame);
        }

        public Task SendHeadersAsync(int streamId, bool endStream, params (string Name, string Value)[] headers)
        {
            // HPACK: literals without indexing and without Huffman coding.
            using var block = new MemoryStream();
            foreach (var (name, value) in headers)
            {
                block.WriteByte(0);
                WriteString(block, Encoding.ASCII.GetBytes(name));
                WriteString(block, Encoding.Latin1.GetBytes(value));
            }

            return SendHeaderBlockAsync(streamId, endStream, block.ToArray());
        }

        // The initial SETTINGS_MAX_FRAME_SIZE. Longer header blocks continue in CONTINUATION frames.
        private async Task SendHeaderBlockAsync(int streamId, bool endStream, byte[] block)
        {
            const int MaxFrame = 16384;
            const byte EndHeaders = 4, Continuation = 9;
            var count = Math.Min(block.Length, MaxFrame);
            await SendAsync(Headers, (byte)((endStream ? 1 : 0) | (count == block.Length ? EndHeaders : 0)), streamId, block.AsSpan(0, count));
            for (var offset = count; offset < block.Length; offset += count)
            {
                count = Math.Min(block.Length - offset, MaxFrame);
                await SendAsync(Continuation, (byte)(offset + count == block.Length ? EndHeaders : 0), streamId, block.AsSpan(offset, count));
            }
        }

        public Task SendResponseHeadersAsync(int streamId, params (string Name, string Value)[] more) =>
            SendHeadersAsync(streamId, false, [(":status", "200"), ("content-type", "application/grpc"), .. more]);

        public Task SendTrailersAsync(int streamId, params (string Name, string Value)[] trailers) => SendHeadersAsync(streamId, true, trailers);

        public Task SendDataAsync(int streamId, ReadOnlySpan<byte> payload, bool endStream = false) => SendAsync(Data, (byte)(endStream ? 1 : 0), streamId, payload);

        public Task ResetAsync(int streamId, int code)
        {
            var payload = new byte[4];
            BinaryPrimitives.WriteInt32BigEndian(payload, code);
            return SendAsync(RstStream, 0, streamId, payload);
        }

        public Task SendGoAwayAsync(int lastStreamId, int code)
        {
            var payload = new byte[8];
            BinaryPrimitives.WriteInt32BigEndian(payload, lastStreamId);
            BinaryPrimitives.WriteInt32BigEndian(payload.AsSpan(4), code);
            return SendAsync(GoAway, 0, 0, payload);
        }

        /// <summary>Keeps the connection open until the client closes it or the test ends.</summary>
        public async Task StayAsync()
        {
            var sink = new byte[64 * 1024];
            while (await stream.ReadAsync(sink, stopped) > 0)
            {
            }
        }

        private static void WriteString(MemoryStream block, byte[] text)
        {
            if (text.Length < 127)
            {
                block.WriteByte((byte)text.Length);
            }
            else
            {
                block.WriteByte(127);
                var rest = text.Length - 127;
                for (; rest >= 128; rest >>= 7)
                {
                    block.WriteByte((byte)((rest & 127) | 128));
                }

                block.WriteByte((byte)rest);
            }

            block.Write(text);
        }
    }
}
