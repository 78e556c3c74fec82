using System.Globalization;
using System.Net;
using System.Text.Json;
using GpuSpectralRnn.Onnx.Proof;

namespace GpuSpectralRnn.Onnx.Reports;

/// <summary>A slider over sizes that shows each size's cost, gain and command, by a plain script in the page without external resources.</summary>
public static class SizeSlider
{
    private const string Script = """
        (() => {
          const sizes = JSON.parse(document.getElementById('sizes').textContent), slider = document.getElementById('size');
          const show = () => {
            const size = sizes[slider.value];
            for (const part of ['units', 'lost', 'gained', 'call']) document.getElementById(part).textContent = size[part];
            slider.setAttribute('aria-valuetext', size.units);
          };
          slider.addEventListener('input', show);
          show();
        })();
        """;

    /// <summary>The slider as HTML.</summary>
    /// <param name="points">From the least size.</param>
    /// <param name="chosen">Index of the size that is shown first.</param>
    /// <param name="command">Returns the command for a size.</param>
    public static string ToHtml(IReadOnlyList<SizePoint> points, int chosen, Func<SizePoint, string> command)
    {
        // The encoder of the standard escapes what could end the script.
        string sizes = JsonSerializer.Serialize(points.Select(point => new
        {
            units = $"{point.Size} units", lost = Lost(point.Proof), gained = Gained(point.Proof), call = command(point),
        }));
        SizePoint first = points[chosen];
        string Text(string text) => WebUtility.HtmlEncode(text);
        return
            $"""
            <section><h2>Choose a size</h2>
            <p><input type="range" id="size" min="0" max="{points.Count - 1}" value="{chosen}" step="1" aria-label="units to keep" style="width:100%"/></p>
            <dl><dt>kept</dt><dd id="units">{Text(first.Size)} units</dd><dt>lost</dt><dd id="lost">{Text(Lost(first.Proof))}</dd>
            <dt>gained</dt><dd id="gained">{Text(Gained(first.Proof))}</dd><dt>call</dt><dd><code id="call">{Text(command(first))}</code></dd></dl>
            <script type="application/json" id="sizes">{sizes}</script><script>{Script}</script></section>
            """;
    }

    /// <summary>Cost of a size: the differences of its outputs.</summary>
    public static string Lost(GraphProof proof) => string.Join("; ", proof.Outputs.Where(output => !output.IsState).Select(output => string.Create(
        CultureInfo.InvariantCulture,
        $"{output.Label} differs by {output.MeanDifference:g3} in the mean" +
        $"{(output.Agreement is { } same ? $", same decision in {100 * same:0.00} %" : "")}")));

    /// <summary>Gain of a size: time and bytes.</summary>
    public static string Gained(GraphProof proof) => string.Create(
        CultureInfo.InvariantCulture,
        $"{proof.MicrosecondsAfter:0.0} us a call instead of {proof.MicrosecondsBefore:0.0} " +
        $"({proof.MicrosecondsAfter / proof.MicrosecondsBefore:0.00}x, 1 thread), " +
        $"{proof.BytesAfter:N0} bytes instead of {proof.BytesBefore:N0} ({100.0 * proof.BytesAfter / proof.BytesBefore:0} %)");
}
