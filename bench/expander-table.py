#!/usr/bin/env python3
"""Accuracy and expansion of masks against density, for any data that gsrnn trains on.

    bench/expander-table.py --gsrnn src/GpuSpectralRnn.Cli/bin/Release/net10.0/gsrnn --rows rows.jsonl \
        [--cells rnn-tanh lstm] [--seeds 3] [--densities 0.5 0.25 0.1 0.05 0.03] [--masked hidden] [--also "--noise-snr 10"] \
        -- --data idx --images F --labels F --holdout 2000 --hidden 128 --epochs 5

What stands behind -- goes to every run. Each run is appended to the file of rows when it ends; called again, the script runs what is missing, and
prints the tables: means and deviations over seeds, and rank correlations (Spearman) of delta_R and accuracy. Needs Python alone.
"""
import argparse
import json
import os
import shlex
import statistics
import subprocess
import sys
import tempfile

METHODS = ["expander", "magnitude", "random-mask", "biregular"]


def call(words):
    """Runs a command and returns the JSON object that it prints."""
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        sys.exit(f"{shlex.join(words)}\n{done.stderr}")
    return json.loads(done.stdout)


def run(options, cell, method, density, seed):
    """One training run as a row; method 'dense' has no mask."""
    with tempfile.TemporaryDirectory() as folder:
        model = os.path.join(folder, "model.safetensors")
        words = [*shlex.split(options.gsrnn), "train", *options.call, "--cell", cell, "--seed", str(seed), "--json", "--quiet", "--out", model]
        words += ["--method", method, "--density", str(density), "--masked", options.masked] if method != "dense" else []
        if "--schedule" not in options.call:
            words += ["--schedule", "linear"]  # the same for all of them
        result = call(words)
        layers = [layer for layer in (result["pruning"] or {}).get("layers") or [] if ".weight_hh" in layer["name"]]
        relative = [layer["relative"] for layer in layers]
        row = {
            "cell": cell, "method": method, "density": density, "seed": seed, "value": result["metric"]["value"], "metric": result["metric"]["name"],
            "reached": statistics.fmean(layer["density"] for layer in layers) if layers else 1,
            "relative": 1 if not layers else None if None in relative else statistics.fmean(relative),
            "frozen": sum(layer["frozen"] for layer in layers), "layers": len(layers),
        }
        if options.also:
            data = data_words(options.call)
            row["also"] = call([*shlex.split(options.gsrnn), "eval", model, *data, *shlex.split(options.also), "--json", "--quiet"])["value"]
        return row


def data_words(words):
    """The options of a training call that say what the data are."""
    own = {"--data", "--images", "--labels", "--test-images", "--test-labels", "--view", "--holdout", "--limit", "--data-dir", "--x", "--y", "--batch", "--features", "--bands"}
    kept = []
    for i, word in enumerate(words):
        if word in own:
            kept += words[i:i + 2]
    return kept


def ranks(values):
    """Ranks with ties as their mean."""
    order = sorted(range(len(values)), key=lambda i: values[i])
    result = [0.0] * len(values)
    i = 0
    while i < len(order):
        j = i
        while j + 1 < len(order) and values[order[j + 1]] == values[order[i]]:
            j += 1
        for k in range(i, j + 1):
            result[order[k]] = (i + j) / 2
        i = j + 1
    return result


def spearman(pairs):
    """Rank correlation; None where one side does not vary."""
    if len(pairs) < 3:
        return None
    x, y = ranks([p[0] for p in pairs]), ranks([p[1] for p in pairs])
    if len(set(x)) == 1 or len(set(y)) == 1:
        return None
    return statistics.correlation(x, y)


def spread(values, scale, digits):
    mean = f"{scale * statistics.fmean(values):.{digits}f}"
    return f"{mean} ± {scale * statistics.stdev(values):.{digits}f}" if len(values) > 1 else mean


def tables(rows, options):
    for cell in options.cells:
        own = [row for row in rows if row["cell"] == cell]
        dense = [row for row in own if row["method"] == "dense"]
        if not dense:
            continue
        print(f"\n{cell}, {dense[0]['metric']} (%), dense {spread([row['value'] for row in dense], 100, 2)}, {len(dense)} seed{'s' if len(dense) > 1 else ''}\n")
        print("| density | " + " | ".join(f"{method} | δ_R/bound" for method in options.methods) + " |")
        print("|---|" + "---|---|" * len(options.methods))
        for density in options.densities:
            cells = []
            for method in options.methods:
                found = [row for row in own if row["method"] == method and row["density"] == density]
                if not found:
                    cells += ["", ""]
                    continue
                reached = statistics.fmean(row["reached"] for row in found)
                note = f" (at {reached:.3f})" if abs(reached - density) > 0.002 else ""
                relative = [row["relative"] for row in found if row["relative"] is not None]
                cells += [spread([row["value"] for row in found], 100, 2) + note, f"{statistics.fmean(relative):+.3f}" if relative else "not evaluated"]
                if options.also:
                    cells[-2] += f"; {spread([row['also'] for row in found], 100, 2)}"
            print(f"| {density} | " + " | ".join(cells) + " |")
        judged = [row for row in own if row["method"] != "dense" and row["relative"] is not None]
        whole = spearman([(row["relative"], row["value"]) for row in judged])
        print(f"\nSpearman of δ_R/bound and accuracy, all {len(judged)} masks: {shown(whole)}")
        for density in options.densities:
            alike = [row for row in judged if row["density"] == density and abs(row["reached"] - density) <= 0.002]
            print(f"at density {density} alone, {len(alike)} masks: {shown(spearman([(row['relative'], row['value']) for row in alike]))}")


def shown(correlation):
    return "not evaluated" if correlation is None else f"{correlation:+.2f}"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--gsrnn", required=True)
    parser.add_argument("--rows", required=True)
    parser.add_argument("--cells", nargs="+", default=["rnn-tanh", "lstm"])
    parser.add_argument("--methods", nargs="+", default=METHODS)
    parser.add_argument("--densities", nargs="+", type=float, default=[0.5, 0.25, 0.1, 0.05, 0.03])
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--masked", default="hidden")
    parser.add_argument("--also", default="", help="options of a second evaluation, for example --also='--noise-snr 10'")
    parser.add_argument("call", nargs=argparse.REMAINDER)
    options = parser.parse_args()
    options.call = [word for word in options.call if word != "--"]
    rows = []
    if os.path.exists(options.rows):
        with open(options.rows, encoding="utf-8") as file:
            rows = [json.loads(line) for line in file]
    done = {(row["cell"], row["method"], row["density"], row["seed"]) for row in rows}
    for seed in range(1, options.seeds + 1):
        for cell in options.cells:
            plan = [("dense", 1.0)] + [(method, density) for density in options.densities for method in options.methods]
            for method, density in plan:
                if not options.call or (cell, method, density, seed) in done:
                    continue
                rows.append(run(options, cell, method, density, seed))
                with open(options.rows, "a", encoding="utf-8") as file:
                    file.write(json.dumps(rows[-1]) + "\n")
    tables(rows, options)


if __name__ == "__main__":
    main()
