#!/usr/bin/env bash
# Trains, prunes and predicts for an hour in one process and watches its memory, handles and threads. Exit code 1 where something grew. Leaves all samples in soak.csv.
#
#   bench/soak.sh [--minutes N] [--out FILE.csv]
set -euo pipefail

minutes=60 out=soak.csv
while [ $# -gt 0 ]; do
  case "$1" in
    --minutes) minutes=${2-} ;; --out) out=${2-} ;;
    *) echo "soak.sh: unknown option $1" >&2; exit 2 ;;
  esac
  [ $# -ge 2 ] || { echo "soak.sh: $1 needs a value" >&2; exit 2; }
  shift 2
done
[[ $minutes =~ ^[0-9]+(\.[0-9]+)?$ ]] || { echo "soak.sh: --minutes $minutes is no number" >&2; exit 2; }

root=$(cd "$(dirname "$0")/.." && pwd)
exec dotnet run -c Release --project "$root/bench/GpuSpectralRnn.Bench" -- soak "$minutes" "$out"
