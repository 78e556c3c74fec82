using Google.Protobuf;
using GpuSpectralRnn.Onnx.Graphs;
using GpuSpectralRnn.Onnx.Protos;

namespace GpuSpectralRnn.Onnx.Tests.Support;

/// <summary>
/// A file that defines functions and calls them, as onnxscript writes such: two layers (Layer calls Scaled; one with the default factor), then Head, which
/// has an If whose bodies read values around them and an input that the call leaves out.
/// </summary>
internal static class FunctionGraph
{
    public const int Steps = 7, Inputs = 3, Hidden = 8, Upper = 6, Outputs = 2;

    private const string Domain = "made";

    /// <summary>x [T, 1, I] to p [T, 1, M].</summary>
    /// <param name="type">Of the layers: RNN, LSTM or GRU.</param>
    /// <param name="edit">Changes the file before it is written.</param>
    public static byte[] Make(string type, Action<ModelProto>? edit = null)
    {
        GraphMaker maker = new GraphMaker().Input("x", Steps, 1, Inputs);
        int gates = type switch { "LSTM" => 4, "GRU" => 3, _ => 1 };
        Weights("l0", Inputs, Hidden);
        Weights("l1", Hidden, Upper);
        maker.Constant("head", [Upper, Outputs]);
        Call(maker, "Layer", ["x", "l0_w", "l0_r", "l0_b"], ["below", "below_too"], Attributes.Create("hidden", Hidden));
        Call(
            maker, "Layer", ["below", "l1_w", "l1_r", "l1_b"], ["above_too", "above"], Attributes.Create("hidden", Upper), new AttributeProto { Name = "factor", Type = 1, F = 1.5f });
        Call(maker, "Head", ["above", "head"], ["p"]);
        maker.Graph.Node[1].Name = ""; // exporters do not name every call
        maker.Output("p", Steps, 1, Outputs);
        ModelProto model = ModelProto.Parser.ParseFrom(maker.ToFile());
        model.OpsetImport.Add(new OperatorSetProto { Domain = Domain, Version = 1 });
        model.Functions.Add(Layer(type));
        model.Functions.Add(Scaled());
        model.Functions.Add(Head());
        edit?.Invoke(model);
        return model.ToByteArray();

        void Weights(string name, int inputs, int hidden) => maker.Constant($"{name}_w", [1, gates * hidden, inputs])
            .Constant($"{name}_r", [1, gates * hidden, hidden], 1.5f / MathF.Sqrt(hidden)).Constant($"{name}_b", [1, 2 * gates * hidden], 0.3f);
    }

    /// <summary>A function of that name with these nodes.</summary>
    public static FunctionProto Function(string name, string[] inputs, string[] outputs, GraphMaker body)
    {
        FunctionProto function = new() { Domain = Domain, Name = name, Input = { inputs }, Output = { outputs }, Node = { body.Graph.Node } };
        function.OpsetImport.Add(new OperatorSetProto { Domain = "", Version = 17 });
        function.OpsetImport.Add(new OperatorSetProto { Domain = Domain, Version = 1 });
        return function;
    }

    /// <summary>A call.</summary>
    public static GraphMaker Call(GraphMaker maker, string name, string[] inputs, string[] outputs, params AttributeProto[] attributes)
    {
        maker.Node(name, inputs, outputs, attributes).Graph.Node[^1].Domain = Domain;
        return maker;
    }

    private static AttributeProto Reference(string name, string to, int type) => new() { Name = name, RefAttrName = to, Type = type };

    // Both outputs are the same steps; the layers read one each.
    private static FunctionProto Layer(string type)
    {
        GraphMaker body = new GraphMaker().Node(type, ["x", "w", "r", "b"], ["y"], Reference("hidden_size", "hidden", 2));
        if (type == "GRU") body.Graph.Node[0].Attribute.Add(Attributes.Create("linear_before_reset", 1));
        body.Node("Constant", [], ["one"], Attributes.Create("value_ints", [1L])).Node("Squeeze", ["y", "one"], ["steps"]);
        Call(body, "Scaled", ["steps"], ["scaled"], Reference("factor", "factor", 1)).Node("Identity", ["scaled"], ["again"]);
        FunctionProto function = Function("Layer", ["x", "w", "r", "b"], ["scaled", "again"], body);
        function.Attribute.Add("hidden");
        function.AttributeProto.Add(new AttributeProto { Name = "factor", Type = 1, F = 0.75f });
        return function;
    }

    private static FunctionProto Scaled()
    {
        FunctionProto function = Function(
            "Scaled", ["x"], ["y"], new GraphMaker().Node("Constant", [], ["one"], Reference("value_float", "factor", 1)).Node("Mul", ["x", "one"], ["y"]));
        function.Attribute.Add("factor");
        return function;
    }

    private static FunctionProto Head()
    {
        GraphMaker Branch(string type) => new GraphMaker().Node(type, ["m"], ["r"]).Result("r"); // the same name in both
        GraphMaker body = new GraphMaker().Node("MatMul", ["x", "w"], ["m"])
            .Node("Constant", [], ["limit"], new AttributeProto { Name = "value_float", Type = 1, F = 0f })
            .Node("ReduceMean", ["m"], ["level"], Attributes.Create("keepdims", 0)).Node("Greater", ["level", "limit"], ["which"])
            .Node("If", ["which"], ["q"], Attributes.Create("then_branch", Branch("Identity").Graph), Attributes.Create("else_branch", Branch("Neg").Graph))
            .Node("Clip", ["q", "", "most"], ["p"]);
        return Function("Head", ["x", "w", "most"], ["p"], body);
    }
}
