// From statements to instructions: registers, constants and special registers get places, branches the point where their lanes meet again.
#include "instructions.h"
#include <algorithm>

namespace simulator {
namespace {
constexpr uint32_t Slot32 = Lanes * 4, Slot64 = Lanes * 8;
constexpr uint32_t MostStaticShared = 48 * 1024;

class Decoder {
public:
    explicit Decoder(const ParsedKernel& parsed) : parsed(parsed), kernel(std::make_shared<Kernel>()) {}

    std::shared_ptr<Kernel> decode() {
        kernel->name = parsed.name;
        kernel->parameters = parsed.parameters;
        kernel->parameterBytes = parsed.parameterBytes;
        kernel->sharedBytes = parsed.sharedBytes;
        kernel->localBytes = (parsed.localBytes + 15) / 16 * 16;
        kernel->maxThreads = parsed.maxThreads;
        if (kernel->sharedBytes > MostStaticShared)
            throw PtxError(parsed.name + ": uses " + std::to_string(kernel->sharedBytes) + " bytes of static shared memory, 49152 is the most");
        kernel->maxDynamicShared = MostStaticShared - kernel->sharedBytes;
        kernel->fileBytes = Slot64; // place 0 means none
        for (const Statement& statement : parsed.statements) instruction(statement);
        Instruction end;
        end.kind = Instruction::Exit;
        kernel->code.push_back(end);
        for (auto& [index, label] : branches) {
            auto found = parsed.labels.find(label);
            if (found == parsed.labels.end()) throw PtxError(parsed.name + ": there is no label '" + label + "'");
            kernel->code[index].target = static_cast<uint32_t>(found->second);
        }
        findMeetings();
        kernel->registers = static_cast<uint32_t>(places.size());
        return kernel;
    }

private:
    const ParsedKernel& parsed;
    std::shared_ptr<Kernel> kernel;
    std::unordered_map<std::string, uint32_t> places;
    std::unordered_map<std::string, uint32_t> constantPlaces;
    std::vector<std::pair<size_t, std::string>> branches;
    const Statement* current = nullptr;

    [[noreturn]] void fail(const std::string& what) const {
        throw PtxError(parsed.name + ", line " + std::to_string(current->line) + ": " + current->opcode + ": " + what);
    }

    uint32_t reserve(int bytes) {
        uint32_t place = kernel->fileBytes;
        kernel->fileBytes += bytes == 8 ? Slot64 : Slot32;
        return place;
    }

    uint32_t constant(uint64_t value, int bytes) {
        auto [entry, isNew] = constantPlaces.emplace(std::to_string(value) + ":" + std::to_string(bytes), 0);
        if (isNew) {
            entry->second = reserve(bytes);
            kernel->constants.push_back({entry->second, bytes, value});
        }
        return entry->second;
    }

    // The kind is '4', '8' or 'p'; a register must have exactly this width.
    uint32_t registerOf(const std::string& name, char kind) {
        auto declared = parsed.registers.find(name);
        if (declared == parsed.registers.end()) fail("'" + name + "' is no register");
        const RegisterType& type = declared->second;
        if (type.isPredicate != (kind == 'p') || (kind != 'p' && type.bytes != kind - '0')) fail("register '" + name + "' has another width or kind");
        auto [place, isNew] = places.emplace(name, 0);
        if (isNew) place->second = reserve(type.bytes);
        return place->second;
    }

    static int specialOf(const std::string& name) {
        static const char* const Names[Specials] = {"%tid.x", "%tid.y", "%tid.z", "%ntid.x", "%ntid.y", "%ntid.z", "%ctaid.x", "%ctaid.y",
            "%ctaid.z", "%nctaid.x", "%nctaid.y", "%nctaid.z", "%laneid", "%warpid", "%dynamic_smem_size"};
        auto found = std::find(std::begin(Names), std::end(Names), name);
        return found == std::end(Names) ? -1 : static_cast<int>(found - std::begin(Names));
    }

    static const Variable* variableOf(const std::vector<Variable>& variables, const std::string& name) {
        for (const Variable& variable : variables)
            if (variable.name == name) return &variable;
        return nullptr;
    }

    bool symbolOffset(const std::string& name, uint64_t& offset) const {
        if (parsed.usesDynamicShared && name == parsed.dynamicShared) offset = (parsed.sharedBytes + 15) / 16 * 16;
        else if (const Variable* shared = variableOf(parsed.shared, name)) offset = shared->offset;
        else if (const Variable* local = variableOf(parsed.local, name)) offset = local->offset;
        else if (const Variable* parameter = variableOf(parsed.parameters, name)) offset = parameter->offset;
        else return false;
        return true;
    }

    uint32_t source(const Operand& operand, char kind) {
        int bytes = kind == '8' ? 8 : 4;
        switch (operand.kind) {
        case Operand::Integer: return constant(bytes == 8 ? static_cast<uint64_t>(operand.value) : static_cast<uint32_t>(operand.value), bytes);
        case Operand::Float:
            if (bytes != 4) fail("a single-precision number is too short");
            return constant(static_cast<uint64_t>(operand.value), 4);
        case Operand::Double:
            if (bytes != 8) fail("a double-precision number is too long");
            return constant(static_cast<uint64_t>(operand.value), 8);
        case Operand::Name: break;
        default: fail("a register or number is expected");
        }
        if (operand.name == "WARP_SZ") return constant(Lanes, bytes);
        int special = specialOf(operand.name);
        if (special >= 0) {
            if (bytes != 4) fail("'" + operand.name + "' has 32 bits");
            uint32_t& place = kernel->specials[special];
            if (place == 0) place = reserve(4);
            return place;
        }
        uint64_t offset;
        if (parsed.registers.count(operand.name) == 0 && symbolOffset(operand.name, offset)) return constant(offset, bytes);
        return registerOf(operand.name, kind);
    }

    uint32_t destination(const Operand& operand, char kind) {
        if (operand.kind != Operand::Name) fail("a register is expected");
        return registerOf(operand.name, kind);
    }

    void address(Instruction& result, const Operand& operand) {
        if (operand.kind != Operand::Address) fail("an address is expected");
        result.offset = operand.value;
        result.isWideAddress = true;
        auto declared = parsed.registers.find(operand.name);
        uint64_t offset = 0;
        if (declared != parsed.registers.end()) {
            result.isWideAddress = declared->second.bytes == 8;
            result.a = registerOf(operand.name, result.isWideAddress ? '8' : '4');
        } else {
            if (!operand.name.empty() && !symbolOffset(operand.name, offset)) fail("'" + operand.name + "' is neither a register nor a variable");
            result.offset += static_cast<int64_t>(offset);
            result.a = constant(0, 8);
        }
        result.cache = kernel->caches++;
    }

    void instruction(const Statement& statement) {
        current = &statement;
        Instruction result;
        result.line = statement.line;
        if (!statement.guard.empty()) {
            result.isGuarded = true;
            result.isNegated = statement.isNegated;
            result.guard = registerOf(statement.guard, 'p');
        }
        const std::string& opcode = statement.opcode;
        if (opcode == "bra" || opcode == "bra.uni") {
            result.kind = Instruction::Branch;
            if (statement.operands.size() != 1 || statement.operands[0].kind != Operand::Name) fail("one label is expected");
            branches.emplace_back(kernel->code.size(), statement.operands[0].name);
        } else if (opcode == "ret" || opcode == "ret.uni" || opcode == "exit") result.kind = Instruction::Exit;
        else if (opcode == "trap") result.kind = Instruction::Trap;
        else if (opcode == "bar.sync" || opcode == "barrier.sync.aligned") {
            result.kind = Instruction::Barrier;
            if (statement.operands.size() != 1 || statement.operands[0].kind != Operand::Integer) fail("one number of a barrier, for all threads, is expected");
            result.offset = statement.operands[0].value;
        } else if (!compute(result, statement)) fail("the simulator does not know this instruction");
        kernel->code.push_back(result);
    }

    bool compute(Instruction& result, const Statement& statement) {
        const Form* form = findForm(statement.opcode);
        if (form == nullptr) return false;
        result.run = form->run;
        std::vector<Operand> operands = statement.operands;
        if (operands.size() != form->operands.size()) fail(std::to_string(form->operands.size()) + " operands are expected");
        bool hasResult = form->operands[0] != 'A' && form->run != nullptr && statement.opcode != "bar.warp.sync";
        uint32_t* const sources[] = {&result.a, &result.b, &result.c, &result.d};
        size_t next = 0;
        std::vector<uint32_t> list;
        for (size_t n = 0; n < operands.size(); n++) {
            const Operand& operand = operands[n];
            char kind = form->operands[n];
            if (kind == 'A') {
                address(result, operand);
                next = 1;
            } else if (kind == 'x') registersOf(result, operand, *form, n == 0);
            else if (kind == 'V') {
                if (operand.kind != Operand::Vector) fail("registers in braces are expected");
                for (const std::string& item : operand.items) list.push_back(registerOf(item, '4'));
            } else if (kind == 's') shuffled(result, operand.name);
            else if (n == 0 && hasResult) result.r[0] = destination(operand, kind);
            else if (n == 0) result.r[0] = source(operand, kind);
            else *sources[next++] = source(operand, kind);
        }
        if (!list.empty()) {
            if (list.size() != 10) fail("4, 2 and 4 registers are expected");
            result.offset = static_cast<int64_t>(kernel->lists.size());
            kernel->lists.push_back(std::move(list));
        }
        return true;
    }

    // The registers of a load or a store; what is stored may be a number.
    void registersOf(Instruction& result, const Operand& operand, const Form& form, bool isResult) {
        std::vector<std::string> names = operand.kind == Operand::Vector ? operand.items : std::vector<std::string>{operand.name};
        if (names.size() != static_cast<size_t>(form.count)) fail(std::to_string(form.count) + " registers are expected");
        for (size_t i = 0; i < names.size(); i++) {
            Operand one = operand;
            if (operand.kind == Operand::Vector) {
                one.kind = Operand::Name;
                one.name = names[i];
            }
            char kind = form.bytes == 8 ? '8' : '4';
            result.r[i] = isResult ? destination(one, kind) : source(one, kind);
        }
    }

    // The result, or with a predicate beside it "%r1|%p1".
    void shuffled(Instruction& result, const std::string& name) {
        size_t bar = name.find('|');
        result.r[0] = registerOf(name.substr(0, bar), '4');
        result.r[1] = bar == std::string::npos ? 0 : registerOf(name.substr(bar + 1), 'p');
    }

    // The lanes that a branch parts meet where every way from it comes by: at its nearest post-dominator. Code is cut into blocks behind branches and
    // exits and before targets; the exit is a block of its own, behind all others.
    void findMeetings() {
        std::vector<Instruction>& code = kernel->code;
        uint32_t length = static_cast<uint32_t>(code.size());
        std::vector<bool> starts(length + 1, false);
        starts[0] = true;
        for (uint32_t i = 0; i < length; i++) {
            if (code[i].kind == Instruction::Branch) starts[code[i].target] = true;
            if (code[i].kind == Instruction::Branch || code[i].kind == Instruction::Exit) starts[i + 1] = true;
        }
        std::vector<uint32_t> blockOf(length), first, last;
        for (uint32_t i = 0; i < length; i++) {
            if (starts[i]) {
                first.push_back(i);
                last.push_back(i);
            }
            last.back() = i;
            blockOf[i] = static_cast<uint32_t>(first.size() - 1);
        }
        int blocks = static_cast<int>(first.size()), exit = blocks;
        std::vector<std::vector<int>> following(first.size() + 1);
        for (int b = 0; b < blocks; b++) {
            const Instruction& end = code[last[static_cast<size_t>(b)]];
            auto& ways = following[static_cast<size_t>(b)];
            if (end.kind == Instruction::Branch) ways.push_back(static_cast<int>(blockOf[end.target]));
            if (end.kind == Instruction::Exit && !end.isGuarded) ways.push_back(exit); // lanes that leave early meet nobody
            if ((end.kind != Instruction::Branch && end.kind != Instruction::Exit) || end.isGuarded) ways.push_back(b + 1);
        }
        std::vector<int> meeting = postDominators(following, static_cast<size_t>(exit));
        for (Instruction& instruction : code) {
            if (instruction.kind != Instruction::Branch) continue;
            int where = meeting[blockOf[static_cast<size_t>(&instruction - code.data())]];
            instruction.meeting = where < 0 || where == exit ? length : first[static_cast<size_t>(where)];
        }
    }

    // The nearest block by which every way from a block to the exit comes (any block where no way leads there). A block is post-dominated by itself and by
    // what post-dominates all that follow it; of its post-dominators the nearest has the most of its own.
    static std::vector<int> postDominators(const std::vector<std::vector<int>>& following, size_t exit) {
        const size_t count = following.size();
        std::vector<std::vector<bool>> by(count, std::vector<bool>(count, true));
        by[exit].assign(count, false);
        by[exit][exit] = true;
        for (bool changes = true; changes;) {
            changes = false;
            for (size_t block = exit; block-- > 0;) {
                std::vector<bool> common(count, true);
                for (int way : following[block])
                    for (size_t k = 0; k < count; k++) common[k] = common[k] && by[static_cast<size_t>(way)][k];
                common[block] = true;
                changes |= common != by[block];
                by[block] = std::move(common);
            }
        }
        std::vector<int> nearest(count, -1);
        for (size_t block = 0; block < exit; block++) {
            long most = 0;
            for (size_t k = 0; k < count; k++) {
                long own = std::count(by[k].begin(), by[k].end(), true);
                if (k == block || !by[block][k] || own <= most) continue;
                most = own;
                nearest[block] = static_cast<int>(k);
            }
        }
        return nearest;
    }
};
} // namespace

std::shared_ptr<Kernel> decode(const ParsedKernel& parsed) { return Decoder(parsed).decode(); }
} // namespace simulator
