using Genkit.Sidecar.Metrics;

namespace Genkit.Sidecar.Tests.Metrics;

public sealed class PrometheusTextTests
{
    [Theory]
    [InlineData("genkit.sidecar.run.duration", "s", false, "genkit_sidecar_run_duration_seconds")]
    [InlineData("genkit.sidecar.run.input", "By", true, "genkit_sidecar_run_input_bytes_total")]
    [InlineData("genkit.sidecar.run.input.chunks", "{chunk}", true, "genkit_sidecar_run_input_chunks_total")]
    [InlineData("process.start_time", "s", false, "process_start_time_seconds")]
    [InlineData("genkit.sidecar.manager.registered", null, false, "genkit_sidecar_manager_registered")]
    public void Name_UnitAndKind_AreSuffixes(string name, string? unit, bool isCounter, string expected) =>
        Assert.Equal(expected, PrometheusText.Name(name, unit, isCounter));

    [Fact]
    public void Labels_SpecialCharacters_AreEscaped() =>
        Assert.Equal(
            """a_b="back\\slash, \"quotes\"\nand more",c="1.5",d="" """.TrimEnd(),
            PrometheusText.Labels([new("a.b", "back\\slash, \"quotes\"\nand more"), new("c", 1.5), new("d", null)]));

    [Theory]
    [InlineData(0, "0")]
    [InlineData(0.64, "0.64")]
    [InlineData(1795265152.583, "1795265152.583")]
    [InlineData(9007199254740992, "9007199254740992")]
    [InlineData(double.PositiveInfinity, "+Inf")]
    [InlineData(double.NegativeInfinity, "-Inf")]
    [InlineData(double.NaN, "NaN")]
    public void Number_AnyValue_IsWrittenAsPrometheusReadsIt(double value, string expected) => Assert.Equal(expected, PrometheusText.Number(value));

    [Fact]
    public void Text_Family_HasHelpTypeAndSamples()
    {
        var text = new PrometheusText();

        text.Begin("up", "gauge", "one\\two\nthree \"four\"");
        text.Sample("up", "", 1);
        text.Sample("up", "a=\"b\"", 0.5);

        Assert.Equal(
            """
            # HELP up one\\two\nthree "four"
            # TYPE up gauge
            up 1
            up{a="b"} 0.5

            """,
            text.ToString());
    }
}
