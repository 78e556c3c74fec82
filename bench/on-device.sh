#!/usr/bin/env bash
# Tests and benchmarks on a device, in one call of less than eight minutes. Leaves results.json and results.md.
#
#   bench/on-device.sh [--device cuda] [--peer FILE.py] [--only "NAME..."] [--runs N] [--out DIR] [--programs FILE.tar.gz]
#   bench/on-device.sh --pack FILE.tar.gz
#
# The peer is a script for another library; called as 'python3 FILE.py [--cuda] --runs N --only NAME...' it prints {"cases":{"rnn-row":{"train_ms":x,"infer_ms":x}}}.
# Without --programs the programs are published first, which needs the .NET SDK and a source of the ILGPU packages. For a machine that has neither,
# --pack them where both are, and take along the archive, this script and the peer: nothing else is needed there.
set -euo pipefail

device=cuda peer= only= runs=15 out=on-device programs= pack=
while [ $# -gt 0 ]; do
  case "$1" in
    --device) device=$2 ;; --peer) peer=$2 ;; --only) only=$2 ;; --runs) runs=$2 ;; --out) out=$2 ;; --programs) programs=$2 ;; --pack) pack=$2 ;;
    *) echo "on-device.sh: unknown option $1" >&2; exit 2 ;;
  esac
  [ $# -ge 2 ] || { echo "on-device.sh: $1 needs a value" >&2; exit 2; }
  shift 2
done
[ -z "$peer" ] || [ -f "$peer" ] || { echo "on-device.sh: there is no file $peer" >&2; exit 2; }

layers="rnn-row rnn-pixel rnn-pixel-b256 lstm-row gru-row lstm-ptb-small lstm-ptb-medium lstm-ptb-large"
[ -n "$only" ] || only="$layers operations gemm-4096 gram-512"

publish() { # FOLDER: gsrnn and the tests, with the runtime
  local root; root=$(cd "$(dirname "$0")/.." && pwd)
  for project in src/GpuSpectralRnn.Cli tests/GpuSpectralRnn.Tests; do
    dotnet publish "$root/$project" -c Release -r linux-x64 --self-contained -o "$1" -p:DebugType=none -v quiet -nologo >&2
  done
}

if [ -n "$pack" ]; then
  folder=$(mktemp -d)
  trap 'rm -rf "$folder"' EXIT
  publish "$folder"
  tar -C "$folder" -czf "$pack" .
  echo "$pack: $(du -m "$pack" | cut -f1) MiB"
  exit
fi

mkdir -p "$out"
bin=$out/programs
if [ -z "$programs" ]; then publish "$bin"
else mkdir -p "$bin" && tar -C "$bin" -xzf "$programs"
fi

# No report without the device: gsrnn says which there are.
"$bin/gsrnn" bench --device "$device" --only gemm-512 --runs 1 --quiet > /dev/null || exit $?

case "$device" in
  cuda*) tests="Cuda" ;;
  opencl*) tests="OpenCl" ;;
  ilgpu-cpu) tests="IlgpuCpu Wide" ;;
  *) tests="Host" ;;
esac

# cuBLAS where it came with a Python package.
case "$device" in
  cuda*) ldconfig -p 2> /dev/null | grep -q libcublas.so || export LD_LIBRARY_PATH=${LD_LIBRARY_PATH:-}:$("${PYTHON:-python3}" - <<'FIND' 2> /dev/null || true
import glob, os, nvidia
found = [p for root in nvidia.__path__ for p in glob.glob(root + '/*/lib/libcublas.so.*')]
print(':'.join(sorted({os.path.dirname(p) for p in found})))
FIND
) ;;
esac

echo "tests of the kernels on $device" >&2
tested=0
timeout 180 "$bin/GpuSpectralRnn.Tests" $tests > "$out/tests.txt" 2>&1 || tested=$?
summary=$(grep ' passed, ' "$out/tests.txt" | tail -n 1) || summary="the tests ended early, or took more than 180 s" # drivers may print behind the summary
echo "$summary" >&2

echo null > "$out/peer.json"
against=()
if [ -n "$peer" ]; then
  echo "peer $peer" >&2
  wanted=() # the peer knows layers only
  for name in $only; do case " $layers " in *" $name "*) wanted+=("$name") ;; esac; done
  cuda=(); case "$device" in cuda*) cuda=(--cuda) ;; esac
  if timeout 100 "${PYTHON:-python3}" "$peer" "${cuda[@]}" --runs "$runs" --only "${wanted[@]}" > "$out/peer.json"; then against=(--against "$out/peer.json")
  else echo "on-device.sh: the peer failed or took too long; going on without it" >&2; echo null > "$out/peer.json"
  fi
fi

echo "bench" >&2
benched=0
timeout 155 "$bin/gsrnn" bench --device "$device" --runs "$runs" --only $only "${against[@]}" --json > "$out/bench.json" 2> >(tee "$out/bench.txt" >&2) || benched=$?
[ -s "$out/bench.json" ] || echo null > "$out/bench.json"

# The same products by every way to compute them: bench takes the one of --blas auto.
ways=$out/products.txt products=
: > "$ways"
case "$device" in
  cuda*)
    for blas in kernels kernels-tf32 cublas cublas-tf32; do
      echo "products by $blas" | tee -a "$ways" >&2
      if found=$(timeout 10 "$bin/gsrnn" bench --device "$device" --blas "$blas" --runs "$runs" --only gemm-1024 gemm-4096 gemm-vocabulary --json 2>> "$ways"); then
        products="$products${products:+,}\"$blas\":$found"
      else echo "failed, is not there, or took too long" | tee -a "$ways" >&2
      fi
    done ;;
esac

printf '{"date":"%s","testsExitCode":%d,"tests":"%s","bench":%s,"products":{%s},"peer":%s}\n' \
  "$(date -u +%FT%TZ)" "$tested" "$summary" "$(cat "$out/bench.json")" "$products" "$(cat "$out/peer.json")" > "$out/results.json"
{
  echo "# $device, $(date -u +%F)"
  echo
  command -v nvidia-smi > /dev/null && nvidia-smi --query-gpu=name,driver_version,memory.total,clocks.max.sm --format=csv,noheader | sed 's/^/    /'
  echo "Tests: $summary (exit code $tested)"
  echo
  sed 's/^/    /' "$out/bench.txt"
  if [ -s "$ways" ]; then echo && sed 's/^/    /' "$ways"; fi
} > "$out/results.md"
echo "$out/results.json and $out/results.md" >&2
exit $(( tested != 0 ? 1 : benched != 0 ? 1 : 0 ))
