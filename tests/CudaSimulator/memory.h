// Device memory: every allocation lies in one reserved range of addresses, none of which is given out twice.
#pragma once
#include <cstddef>
#include <cstdint>
#include <map>
#include <mutex>
#include <vector>

namespace simulator {
struct Allocation {
    uint64_t begin = 1, end = 0; // empty
    const void* owner = nullptr; // the context; null for page-locked memory of the host, which all may use
    bool holds(uint64_t address, uint64_t bytes) const { return address >= begin && address < end && end - address >= bytes; }
};

class Memory {
public:
    static Memory& instance();

    /// 0 where the device has no room. Fresh memory is filled with 0xFF, not-a-numbers.
    uint64_t allocate(const void* owner, uint64_t bytes);
    bool release(const void* owner, uint64_t address);
    void releaseAll(const void* owner);

    /// Page-locked memory of the host, registered by its owner.
    void lockPages(uint64_t address, uint64_t bytes);
    bool unlockPages(uint64_t address);

    /// The live allocation that holds an address; an empty one if none does.
    Allocation find(uint64_t address) const;
    bool isReserved(uint64_t address) const { return address >= base && address < base + reserved; }
    uint64_t total() const { return capacity; }
    uint64_t free() const;

private:
    Memory();
    mutable std::mutex guard;
    std::map<uint64_t, Allocation> live; // by first address
    uint64_t base = 0, reserved = 0, top = 0, capacity = 0, used = 0;
    void forget(std::map<uint64_t, Allocation>::iterator place);
};
} // namespace simulator
