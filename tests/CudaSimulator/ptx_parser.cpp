#include "ptx_parser.h"
#include <cctype>
#include <cstdlib>

namespace simulator {
namespace {
struct Token {
    std::string text;
    int line;
};

bool isWordCharacter(char c) { return std::isalnum(static_cast<unsigned char>(c)) || c == '_' || c == '$' || c == '.' || c == '%'; }

// Words hold dots and percent signs, so that "ld.global.f32" and "%tid.x" are one token each.
std::vector<Token> tokenize(const std::string& text) {
    std::vector<Token> tokens;
    int line = 1;
    for (size_t i = 0; i < text.size();) {
        char c = text[i];
        if (c == '\n') line++;
        if (std::isspace(static_cast<unsigned char>(c))) i++;
        else if (text.compare(i, 2, "//") == 0) i = std::min(text.find('\n', i), text.size());
        else if (text.compare(i, 2, "/*") == 0) {
            size_t end = text.find("*/", i);
            if (end == std::string::npos) throw PtxError("a comment does not end");
            for (; i < end + 2; i++) line += text[i] == '\n';
        } else if (isWordCharacter(c)) {
            size_t start = i;
            while (i < text.size() && isWordCharacter(text[i])) i++;
            tokens.push_back({text.substr(start, i - start), line});
        } else tokens.push_back({std::string(1, text[i++]), line});
    }
    tokens.push_back({"", line});
    return tokens;
}

class Parser {
public:
    explicit Parser(const std::string& text) : tokens(tokenize(text)) {}

    std::vector<ParsedKernel> parse() {
        while (!peek().empty()) {
            std::string word = next();
            if (word == ".version" || word == ".target" || word == ".address_size") {
                next();
                while (accept(",")) next();
            } else if (word == ".visible" || word == ".weak") continue;
            else if (word == ".entry") kernels.push_back(kernel());
            else if (word == ".extern" || word == ".shared") moduleShared(word == ".extern");
            else fail("'" + word + "' is not known outside of a kernel");
        }
        return std::move(kernels);
    }

private:
    std::vector<Token> tokens;
    size_t at = 0;
    std::vector<ParsedKernel> kernels;
    ParsedKernel common; // shared memory that the module declares for all

    const std::string& peek() const { return tokens[at].text; }
    std::string next() { return tokens[at].text.empty() ? fail("the text ends too soon") : tokens[at++].text; }
    bool accept(const char* text) { return peek() == text ? (at++, true) : false; }
    void expect(const char* text) {
        if (!accept(text)) fail(std::string("'") + text + "' is expected, not '" + peek() + "'");
    }
    [[noreturn]] std::string fail(const std::string& what) const { throw PtxError("line " + std::to_string(tokens[at].line) + ": " + what); }

    int64_t integer() {
        bool isNegative = accept("-");
        std::string word = next();
        char* end;
        int64_t value = static_cast<int64_t>(std::strtoull(word.c_str(), &end, 0));
        if (*end == 'U' && end[1] == 0) end++;
        if (*end != 0) fail("'" + word + "' is no integer");
        return isNegative ? -value : value;
    }

    // .align 8 .b8 name[16], as parameters and variables are declared.
    Variable variable(bool& isUnsized) {
        Variable result;
        bool isAligned = accept(".align");
        if (isAligned) result.alignment = static_cast<uint32_t>(integer());
        std::string type = next();
        int bytes = bytesOfType(type);
        if (bytes == 0) fail("'" + type + "' is no type of a variable");
        if (!isAligned) result.alignment = static_cast<uint32_t>(bytes);
        result.name = next();
        result.bytes = static_cast<uint32_t>(bytes);
        isUnsized = false;
        if (accept("[")) {
            isUnsized = peek() == "]";
            result.bytes *= isUnsized ? 0 : static_cast<uint32_t>(integer());
            expect("]");
        }
        return result;
    }

    static void place(std::vector<Variable>& variables, uint32_t& total, Variable variable) {
        variable.offset = (total + variable.alignment - 1) / variable.alignment * variable.alignment;
        total = variable.offset + variable.bytes;
        variables.push_back(std::move(variable));
    }

    void moduleShared(bool isExternal) {
        if (isExternal) expect(".shared");
        shared(common);
    }

    void shared(ParsedKernel& owner) {
        bool isUnsized;
        Variable declared = variable(isUnsized);
        if (isUnsized) {
            owner.usesDynamicShared = true;
            owner.dynamicShared = declared.name;
        } else place(owner.shared, owner.sharedBytes, declared);
        expect(";");
    }

    ParsedKernel kernel() {
        ParsedKernel result = common;
        bool isUnsized;
        result.name = next();
        if (accept("(")) {
            while (!accept(")")) {
                expect(".param");
                place(result.parameters, result.parameterBytes, variable(isUnsized));
                accept(",");
            }
        }
        while (!accept("{")) {
            std::string directive = next();
            if (directive != ".maxntid" && directive != ".reqntid" && directive != ".minnctapersm" && directive != ".maxnreg")
                fail("the directive '" + directive + "' is not known");
            int64_t product = integer();
            while (accept(",")) product *= integer();
            if (directive == ".maxntid" || directive == ".reqntid") result.maxThreads = static_cast<uint32_t>(product);
        }
        int depth = 1;
        while (depth > 0) {
            if (accept("{")) depth++;
            else if (accept("}")) depth--;
            else if (accept(".reg")) registers(result);
            else if (accept(".shared")) shared(result);
            else if (accept(".local")) {
                place(result.local, result.localBytes, variable(isUnsized));
                expect(";");
            } else if (tokens[at + 1].text == ":") {
                if (!result.labels.emplace(next(), result.statements.size()).second) fail("a label is there twice");
                expect(":");
            } else if (!accept(";")) result.statements.push_back(statement());
        }
        return result;
    }

    void registers(ParsedKernel& owner) {
        std::string type = next();
        RegisterType declared{bytesOfType(type) == 8 ? 8 : 4, type == ".pred"};
        if (!declared.isPredicate && bytesOfType(type) == 0) fail("'" + type + "' is no type of a register");
        auto declare = [&](const std::string& name) {
            if (!owner.registers.emplace(name, declared).second) fail("register '" + name + "' is declared twice");
        };
        do {
            std::string name = next();
            if (accept("<")) {
                int64_t count = integer();
                for (int64_t i = 0; i < count; i++) declare(name + std::to_string(i));
                expect(">");
            } else declare(name);
        } while (accept(","));
        expect(";");
    }

    Statement statement() {
        Statement result;
        result.line = tokens[at].line;
        if (accept("@")) {
            result.isNegated = accept("!");
            result.guard = next();
        }
        result.opcode = next();
        if (result.opcode[0] == '.') fail("the directive '" + result.opcode + "' is not known");
        if (accept(";")) return result;
        do result.operands.push_back(operand());
        while (accept(","));
        expect(";");
        return result;
    }

    Operand operand() {
        Operand result;
        if (accept("{")) {
            result.kind = Operand::Vector;
            do result.items.push_back(next());
            while (accept(","));
            expect("}");
        } else if (accept("[")) {
            result.kind = Operand::Address;
            if (std::isdigit(static_cast<unsigned char>(peek()[0]))) result.value = integer();
            else result.name = next();
            if (accept("+")) result.value += integer();
            else if (peek() == "-") result.value += integer();
            expect("]");
        } else if (peek() == "-" || std::isdigit(static_cast<unsigned char>(peek()[0]))) {
            number(result);
        } else {
            result.name = next();
            if (accept("|")) result.name += "|" + next();
        }
        return result;
    }

    void number(Operand& result) {
        const std::string& word = peek();
        bool isSingle = word.compare(0, 2, "0f") == 0 || word.compare(0, 2, "0F") == 0;
        bool isDouble = word.compare(0, 2, "0d") == 0 || word.compare(0, 2, "0D") == 0;
        if (isSingle || isDouble) {
            result.kind = isSingle ? Operand::Float : Operand::Double;
            if (word.size() != (isSingle ? 10u : 18u)) fail("'" + word + "' is no number");
            result.value = static_cast<int64_t>(std::strtoull(next().c_str() + 2, nullptr, 16));
        } else {
            result.kind = Operand::Integer;
            result.value = integer();
        }
    }
};
} // namespace

int bytesOfType(const std::string& type) {
    if (type.size() < 3 || type[0] != '.' || std::string("bsuf").find(type[1]) == std::string::npos) return 0;
    std::string bits = type.substr(2);
    return bits == "8" ? 1 : bits == "16" ? 2 : bits == "32" ? 4 : bits == "64" ? 8 : 0;
}

std::vector<ParsedKernel> parsePtx(const std::string& text) { return Parser(text).parse(); }
} // namespace simulator
