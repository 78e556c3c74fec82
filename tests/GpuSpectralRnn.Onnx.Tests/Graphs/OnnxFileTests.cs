using GpuSpectralRnn.Onnx.Graphs;
using GpuSpectralRnn.Onnx.Protos;
using GpuSpectralRnn.Onnx.Tests.Support;

namespace GpuSpectralRnn.Onnx.Tests.Graphs;

public class OnnxFileTests
{
    [Fact]
    public void What_the_schema_does_not_know_goes_through()
    {
        byte[] file = new GraphMaker().Input("x", 4, 1, 2).Recurrent("RNN", "cell", "x", 2, 3).Output("cell_y", 4, 1, 1, 3).ToFile(unknown: true);
        Runs.WithFile(file, path =>
        {
            ModelProto model = OnnxFile.Load(path);
            string copy = path + ".copy";
            OnnxFile.Save(copy, model);
            byte[] written = File.ReadAllBytes(copy);
            File.Delete(copy);

            Assert.Equal(file.Length, written.Length);
            Assert.Equal(model, ModelProto.Parser.ParseFrom(written)); // unknown fields count
            Assert.True(written.AsSpan().IndexOf("maker"u8) > 0);
        });
    }
}
