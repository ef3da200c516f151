using System.Buffers;
using System.Collections.Concurrent;
using System.Runtime.CompilerServices;

namespace Genkit.Sidecar.Grpc.Tests;

/// <summary>The library's pool for the whole run: counts what is out, refuses what comes back twice, and spoils what came back so that a late use shows.</summary>
internal sealed class WatchedPool : ArrayPool<byte>
{
    private readonly ArrayPool<byte> _pool = Create(maxArrayLength: 2 * 1024 * 1024, maxArraysPerBucket: 64);
    private readonly ConcurrentDictionary<byte[], string> _out = new();
    private readonly ConcurrentQueue<string> _faults = new();

    public static WatchedPool Instance { get; } = new();

    public IEnumerable<string> Faults => [.. _faults, .. _out.Values.Select(where => $"never returned, rented at {where}")];

    public override byte[] Rent(int minimumLength)
    {
        var array = _pool.Rent(minimumLength);
        if (!_out.TryAdd(array, Environment.StackTrace))
        {
            _faults.Enqueue("rented twice");
        }

        return array;
    }

    public override void Return(byte[] array, bool clearArray = false)
    {
        if (!_out.TryRemove(array, out _))
        {
            _faults.Enqueue($"returned twice: {Environment.StackTrace}");
            return;
        }

        Array.Fill(array, (byte)0xDD);
        _pool.Return(array);
    }

    [ModuleInitializer]
    internal static void Install() => BufferPool.Shared = Instance;
}
