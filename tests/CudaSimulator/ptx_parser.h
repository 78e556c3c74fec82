// PTX text as a list of statements, variables and registers; no meaning of instructions yet.
#pragma once
#include <cstdint>
#include <stdexcept>
#include <string>
#include <unordered_map>
#include <vector>

namespace simulator {
/// What is wrong with a PTX text; the driver answers CUDA_ERROR_INVALID_PTX.
struct PtxError : std::runtime_error {
    using std::runtime_error::runtime_error;
};

struct Operand {
    enum Kind { Name, Integer, Float, Double, Address, Vector };
    Kind kind = Name;
    std::string name;               // a register or symbol; of an address its base, empty for none
    int64_t value = 0;              // an integer, the bits of a number, or the offset of an address
    std::vector<std::string> items; // of a vector
};

struct Statement {
    int line = 0;
    std::string guard; // the predicate of @p, empty for none
    bool isNegated = false;
    std::string opcode; // with all its suffixes
    std::vector<Operand> operands;
};

struct Variable {
    std::string name;
    uint32_t bytes = 0, alignment = 1, offset = 0;
};

/// Bytes of a register in a lane's slot: 4 or 8; predicates have 4.
struct RegisterType {
    int bytes = 4;
    bool isPredicate = false;
};

struct ParsedKernel {
    std::string name;
    std::vector<Variable> parameters, shared, local;
    uint32_t parameterBytes = 0, sharedBytes = 0, localBytes = 0;
    bool usesDynamicShared = false;
    std::string dynamicShared; // the symbol, which lies behind the static variables
    uint32_t maxThreads = 1024;
    std::unordered_map<std::string, RegisterType> registers;
    std::vector<Statement> statements;
    std::unordered_map<std::string, size_t> labels; // the statement behind each
};

/// Every kernel of a module.
std::vector<ParsedKernel> parsePtx(const std::string& text);

/// Bytes of a fundamental type such as ".f32"; 0 for what is none.
int bytesOfType(const std::string& type);
} // namespace simulator
