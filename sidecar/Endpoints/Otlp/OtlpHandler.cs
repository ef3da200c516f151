using System.Buffers;
using Genkit.Sidecar.Otlp;

namespace Genkit.Sidecar.Endpoints.Otlp;

/// <summary>Takes one request. Called by several threads at a time; the bytes are valid until it returns.</summary>
internal delegate OtlpReply OtlpHandler(OtlpSignal signal, OtlpEncoding encoding, in ReadOnlySequence<byte> request);
