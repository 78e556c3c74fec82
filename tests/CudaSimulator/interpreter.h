// Decoded kernels and how they run: a warp at a time, all its lanes together, blocks spread over the cores.
#pragma once
#include "memory.h"
#include "ptx_parser.h"
#include <memory>
#include <string>
#include <vector>

namespace simulator {
constexpr int Lanes = 32;

/// What stops a kernel; the code is the CUresult that the context has from then on.
struct Fault {
    int code;
    std::string what;
};

struct Warp;
struct Instruction;
using Handler = void (*)(Warp&, const Instruction&, uint32_t mask);

/// Operands are places in a warp's register file, in bytes; constants have places there, too.
struct Instruction {
    enum Kind : uint8_t { Compute, Branch, Exit, Barrier, Trap };
    Handler run = nullptr;
    uint32_t r[4] = {}; // what it writes (or a store reads), up to four registers
    uint32_t a = 0, b = 0, c = 0, d = 0;
    int64_t offset = 0;       // of an address; of further operands in Kernel::lists
    uint32_t guard = 0;       // the place of its predicate, if it has one
    Kind kind = Compute;
    bool isGuarded = false, isNegated = false, isWideAddress = false;
    uint32_t target = 0;      // of a branch
    uint32_t meeting = 0;     // where the lanes that a branch parts meet again; the code's length for nowhere
    uint32_t cache = 0;       // which cached allocation a memory access looks at first
    int line = 0;
};

enum Special { TidX, TidY, TidZ, NtidX, NtidY, NtidZ, CtaidX, CtaidY, CtaidZ, NctaidX, NctaidY, NctaidZ, LaneId, WarpId, DynamicShared, Specials };

struct Constant {
    uint32_t place;
    int bytes;
    uint64_t value;
};

struct Kernel {
    std::string name;
    std::vector<Variable> parameters;
    uint32_t parameterBytes = 0, sharedBytes = 0, localBytes = 0, maxThreads = 1024;
    uint32_t maxDynamicShared = 0;   // cuFuncSetAttribute raises it
    uint32_t registers = 0;          // that PTX declares
    uint32_t fileBytes = 0, caches = 0;
    std::vector<Instruction> code;
    std::vector<Constant> constants;
    std::vector<std::vector<uint32_t>> lists;
    uint32_t specials[Specials] = {}; // their places; 0 where the kernel does not ask
};

/// Decodes a kernel; refuses, by PtxError, instructions that the simulator does not know.
std::shared_ptr<Kernel> decode(const ParsedKernel& parsed);

struct Launch {
    std::shared_ptr<Kernel> kernel;
    uint32_t grid[3], block[3], dynamicShared;
    std::vector<uint8_t> parameters;
    const void* context;
};

/// Runs all blocks; throws Fault.
void run(const Launch& launch);

/// A group of threads that advances together.
struct Warp {
    struct Frame {
        uint32_t pc, meeting, mask;
    };
    enum State { Ready, AtBarrier, Done };

    uint8_t* file = nullptr;
    uint8_t* shared = nullptr;
    uint8_t* local = nullptr;
    const uint8_t* parameters = nullptr;
    Allocation* caches = nullptr;
    const Launch* launch = nullptr;
    uint32_t sharedBytes = 0, index = 0;
    uint32_t block[3] = {};
    uint32_t present = 0, exited = 0;
    State state = Ready;
    std::vector<Frame> frames;

    template <class T> T* lanes(uint32_t place) { return reinterpret_cast<T*>(file + place); }
    uint32_t live() const { return present & ~exited; }

    /// Where an instruction, lane and block are, for messages.
    [[noreturn]] void fault(int code, const Instruction& at, uint32_t mask, const std::string& what) const;
};

enum Error {
    InvalidValue = 1, OutOfMemory = 2, NotInitialized = 3, InvalidDevice = 101, InvalidContext = 201, InvalidPtx = 218, InvalidHandle = 400,
    NotFound = 500, NotReady = 600, IllegalAddress = 700, OutOfResources = 701, LaunchTimeout = 702, IllegalInstruction = 715,
    MisalignedAddress = 716, InvalidAddressSpace = 717, LaunchFailed = 719, CaptureUnsupported = 900, CaptureInvalidated = 901,
};
} // namespace simulator
