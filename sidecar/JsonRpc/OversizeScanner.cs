using System.Text.Json;
using Genkit.Sidecar.Json;

namespace Genkit.Sidecar.JsonRpc;

/// <summary>
/// Finds the id in a message too large to keep. The manager waits for an answer to <c>runAction</c> without a limit and sends the
/// id last, so a message over the limit is read to its end, and forgotten as it is read, to be able to refuse it by its id.
/// </summary>
internal sealed class OversizeScanner
{
    /// <summary>A token longer than this is no id.</summary>
    private const int MaxTokenBytes = 256;

    private readonly List<byte> _token = new(MaxTokenBytes);
    private long _length;
    private int _depth;
    private bool _inString;
    private bool _escaped;
    private bool _nameComesNext;
    private bool _tokenTooLong;
    private byte[]? _memberName;
    private byte[]? _paramName;
    private byte[]? _id;
    private byte[]? _requestId;

    public OversizeMessage Result => new(_length, Identifier(_id), Identifier(_requestId));

    public void Feed(ReadOnlySpan<byte> bytes)
    {
        _length += bytes.Length;
        foreach (var value in bytes)
        {
            if (_inString)
            {
                FeedString(value);
            }
            else
            {
                FeedStructure(value);
            }
        }
    }

    /// <summary>Checks the token, because the answer repeats it unchanged.</summary>
    private static RequestId? Identifier(byte[]? token) =>
        token is not null
        && JsonPayload.FindDefect(token, out var kind) is null
        && kind is JsonTokenType.String or JsonTokenType.Number
            ? new RequestId(token)
            : null;

    private void FeedString(byte value)
    {
        Keep(value);
        if (_escaped)
        {
            _escaped = false;
        }
        else if (value == '\\')
        {
            _escaped = true;
        }
        else if (value == '"')
        {
            _inString = false;
            EndToken();
        }
    }

    private void FeedStructure(byte value)
    {
        switch (value)
        {
            case (byte)'"':
                BeginToken();
                Keep(value);
                _inString = true;
                break;
            case (byte)'{':
                _depth++;
                _nameComesNext = true;
                break;
            case (byte)'[':
                _depth++;
                _nameComesNext = false;
                break;
            case (byte)'}' or (byte)']':
                EndToken();
                _depth--;
                _nameComesNext = false;
                break;
            case (byte)',':
                EndToken();
                _nameComesNext = true;
                break;
            case (byte)':':
                _nameComesNext = false;
                BeginToken();
                break;
            case (byte)' ' or (byte)'\t' or (byte)'\r' or (byte)'\n':
                break;
            default:
                Keep(value);
                break;
        }
    }

    private void BeginToken()
    {
        _token.Clear();
        _tokenTooLong = false;
    }

    /// <summary>Only the envelope (depth 1) and <c>params</c> (depth 2) matter; what is deeper is payload.</summary>
    private void Keep(byte value)
    {
        if (_depth > 2 || _token.Count == MaxTokenBytes)
        {
            _tokenTooLong = true;
            return;
        }

        _token.Add(value);
    }

    private void EndToken()
    {
        if (_token.Count == 0 || _tokenTooLong || _depth is 0 or > 2)
        {
            BeginToken();
            return;
        }

        var token = _token.ToArray();
        BeginToken();
        if (_nameComesNext)
        {
            _ = _depth == 1 ? _memberName = token : _paramName = token;
        }
        else if (_depth == 1 && _memberName.AsSpan().SequenceEqual("\"id\""u8))
        {
            _id = token;
        }
        else if (_depth == 2 && _memberName.AsSpan().SequenceEqual("\"params\""u8) && _paramName.AsSpan().SequenceEqual("\"requestId\""u8))
        {
            _requestId = token;
        }
    }
}

/// <summary>What is known of a message that is over the limit.</summary>
/// <param name="Length">Bytes that came.</param>
/// <param name="Id">Its id, if it has one that is a string or a number.</param>
/// <param name="RequestId">The JSON token of the run that it wanted to feed, if any.</param>
internal sealed record OversizeMessage(long Length, RequestId? Id, RequestId? RequestId);
