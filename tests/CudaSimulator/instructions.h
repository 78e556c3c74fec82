// What every PTX instruction does to the lanes of a warp.
#pragma once
#include "interpreter.h"

namespace simulator {
/// An instruction by its whole name. Operands in the order of the text, one letter each: 4 or 8 bytes, p a predicate; a capital A is an address, V a
/// vector of four-byte registers that goes to a list; 1, 2, 3 (x) registers of r in braces or alone are written 'x' with count and bytes beside.
struct Form {
    Handler run = nullptr;
    std::string operands;
    int count = 1; // registers of an x operand
    int bytes = 4; // of each of them
};

/// Null for an instruction that is not known.
const Form* findForm(const std::string& opcode);

constexpr uint64_t SharedWindow = 1ull << 56, LocalWindow = 1ull << 57; // where generic addresses of those spaces begin
} // namespace simulator
