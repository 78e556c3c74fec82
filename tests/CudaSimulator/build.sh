#!/usr/bin/env bash
# Builds the CUDA simulator: artifacts/cuda-simulator/libcuda.so.1. It is for the machine that builds it (-march=native).
set -euo pipefail
cd "$(dirname "$0")"
out=../../artifacts/cuda-simulator
mkdir -p "$out"
flags=(-std=c++17 -O3 -march=native -fPIC -fvisibility=hidden -pthread
       -fno-math-errno -fno-trapping-math -ffp-contract=off # a * b + c stays two operations
       -Wall -Wextra -Wconversion -Wno-sign-conversion -Werror)
jobs=()
for source in *.cpp; do
  "${CXX:-g++}" "${flags[@]}" -c "$source" -o "$out/${source%.cpp}.o" &
  jobs+=($!)
done
for job in "${jobs[@]}"; do wait "$job"; done
# Calls among its own entry points stay inside, whichever other driver is loaded.
"${CXX:-g++}" -shared -pthread -Wl,-soname,libcuda.so.1 -Wl,-Bsymbolic "$out"/*.o -o "$out/libcuda.so.1.new"
mv "$out/libcuda.so.1.new" "$out/libcuda.so.1"
rm -f "$out"/*.o
echo "artifacts/cuda-simulator/libcuda.so.1"
