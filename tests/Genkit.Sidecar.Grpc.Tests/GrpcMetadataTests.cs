namespace Genkit.Sidecar.Grpc.Tests;

public sealed class GrpcMetadataTests
{
    [Fact]
    public void Add_EntriesOfBothKinds_AreKeptInOrder()
    {
        var metadata = new GrpcMetadata { { "X-One", " 1 " }, { "x-one", "2" }, { "data-bin", new byte[] { 255 } } };

        Assert.Equal(3, metadata.Count);
        Assert.Equal(["x-one", "x-one", "data-bin"], metadata.Select(e => e.Key));
        Assert.Equal("2", metadata.Get("X-ONE"));
        Assert.Equal([255], metadata.GetBytes("data-bin"));
        Assert.Null(metadata.Get("other"));
        Assert.Null(metadata.GetBytes("other-bin"));
    }

    [Theory]
    [InlineData("x y")]
    [InlineData("x:y")]
    [InlineData(":path")]
    [InlineData("größe")]
    [InlineData("content-type")]
    [InlineData("TE")]
    [InlineData("grpc-timeout")]
    [InlineData("grpc-encoding")]
    [InlineData("user-agent")]
    [InlineData("host")]
    public void Add_NameThatIsNotAllowed_IsRefusedByName(string name)
    {
        var exception = Assert.Throws<ArgumentException>(() => new GrpcMetadata { { name, "secret" } });

        Assert.Contains($"'{name.ToLowerInvariant()}'", exception.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("secret", exception.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("secret\n")]
    [InlineData("secret\0")]
    [InlineData("secret é")]
    [InlineData("secret\t")]
    public void Add_ValueThatIsNotAllowed_IsRefusedAndNotRepeated(string value)
    {
        var exception = Assert.Throws<ArgumentException>(() => new GrpcMetadata { { "x-token", value } });

        Assert.Contains("'x-token'", exception.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("secret", exception.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Add_KindThatDoesNotFitTheName_IsRefused()
    {
        Assert.Throws<ArgumentException>(() => new GrpcMetadata { { "x-bin", "text" } });
        Assert.Throws<ArgumentException>(() => new GrpcMetadata { { "x-text", new byte[] { 1 } } });
    }
}
