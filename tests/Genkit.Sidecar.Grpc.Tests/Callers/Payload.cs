using System.Security.Cryptography;

namespace Genkit.Sidecar.Grpc.Tests.Callers;

/// <summary>The bytes that all callers send: 0 to 250, again and again.</summary>
internal static class Payload
{
    public static byte[] Of(int size)
    {
        var bytes = new byte[size];
        for (var i = 0; i < size; i++)
        {
            bytes[i] = (byte)(i % 251);
        }

        return bytes;
    }

    public static string Hash(int size) => Convert.ToHexStringLower(SHA256.HashData(Of(size)));
}
