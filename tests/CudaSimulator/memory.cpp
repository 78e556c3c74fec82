#include "memory.h"
#include <cstdlib>
#include <cstring>
#include <sys/mman.h>

namespace simulator {
namespace {
constexpr uint64_t Alignment = 512, Page = 4096, Kept = 64; // Kept: bytes at least between two allocations
}

Memory& Memory::instance() {
    static Memory* memory = new Memory; // lives as long as the process: host threads may outlive static objects
    return *memory;
}

Memory::Memory() {
    const char* bytes = std::getenv("GSRNN_CUDA_SIMULATOR_MEMORY");
    capacity = bytes ? std::strtoull(bytes, nullptr, 0) : 4ull << 30;
    for (reserved = 1ull << 41; reserved >= capacity; reserved /= 2) {
        void* range = mmap(nullptr, reserved, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
        if (range == MAP_FAILED) continue;
        base = reinterpret_cast<uint64_t>(range);
        return;
    }
    capacity = reserved = 0;
}

uint64_t Memory::allocate(const void* owner, uint64_t bytes) {
    std::lock_guard<std::mutex> lock(guard);
    if (bytes == 0 || bytes > capacity - used || bytes > reserved - top - Alignment) return 0;
    uint64_t begin = base + top;
    top = (top + bytes + Kept + Alignment - 1) / Alignment * Alignment;
    used += bytes;
    std::memset(reinterpret_cast<void*>(begin), 0xFF, bytes);
    live[begin] = {begin, begin + bytes, owner};
    return begin;
}

void Memory::forget(std::map<uint64_t, Allocation>::iterator place) {
    auto [begin, end, owner] = place->second;
    used -= end - begin;
    uint64_t firstPage = (begin + Page - 1) / Page * Page, lastPage = end / Page * Page;
    if (lastPage > firstPage) madvise(reinterpret_cast<void*>(firstPage), lastPage - firstPage, MADV_DONTNEED);
    live.erase(place);
}

bool Memory::release(const void* owner, uint64_t address) {
    std::lock_guard<std::mutex> lock(guard);
    auto place = live.find(address);
    if (place == live.end() || place->second.owner != owner) return false;
    forget(place);
    return true;
}

void Memory::releaseAll(const void* owner) {
    std::lock_guard<std::mutex> lock(guard);
    for (auto place = live.begin(); place != live.end();) {
        auto current = place++;
        if (current->second.owner == owner) forget(current);
    }
}

void Memory::lockPages(uint64_t address, uint64_t bytes) {
    std::lock_guard<std::mutex> lock(guard);
    live[address] = {address, address + bytes, nullptr};
}

bool Memory::unlockPages(uint64_t address) {
    std::lock_guard<std::mutex> lock(guard);
    auto place = live.find(address);
    if (place == live.end() || place->second.owner != nullptr) return false;
    live.erase(place);
    return true;
}

Allocation Memory::find(uint64_t address) const {
    std::lock_guard<std::mutex> lock(guard);
    auto place = live.upper_bound(address);
    if (place == live.begin()) return {};
    --place;
    return place->second.holds(address, 1) ? place->second : Allocation{};
}

uint64_t Memory::free() const {
    std::lock_guard<std::mutex> lock(guard);
    return capacity - used;
}
} // namespace simulator
