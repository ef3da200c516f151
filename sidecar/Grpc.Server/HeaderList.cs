using Microsoft.Extensions.Primitives;

namespace Genkit.Sidecar.Grpc.Server;

/// <summary>A header whose value is a list separated by commas, in one line or several.</summary>
internal static class HeaderList
{
    public static bool Contains(StringValues header, string wanted)
    {
        foreach (var line in header)
        {
            foreach (var range in line.AsSpan().Split(','))
            {
                if (line.AsSpan(range).Trim().Equals(wanted, StringComparison.OrdinalIgnoreCase))
                {
                    return true;
                }
            }
        }

        return false;
    }
}
