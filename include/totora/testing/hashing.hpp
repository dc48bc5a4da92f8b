// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <utility>
#include <vector>

namespace totora::inline v0::testing
{

/// Of 10^8 states the chance that any two share one is below 10^-22.
struct Hash128
{
    std::uint64_t low = 0;
    std::uint64_t high = 0;

    friend constexpr bool operator==(Hash128 const&, Hash128 const&) = default;
};

/// Spreads the bits of a number over all of it.
[[nodiscard]] constexpr std::uint64_t spread(std::uint64_t value)
{
    value ^= value >> 33U;
    value *= 0xff51afd7ed558ccdULL;
    value ^= value >> 33U;
    value *= 0xc4ceb9fe1a85ec53ULL;
    return value ^ value >> 33U;
}

/// MurmurHash3's 128 bits for machines of 64.
[[nodiscard]] inline Hash128 hash_of(char const* bytes, std::size_t size)
{
    constexpr auto c1 = std::uint64_t{0x87c37b91114253d5ULL};
    constexpr auto c2 = std::uint64_t{0x4cf5ad432745937fULL};
    auto           low = std::uint64_t{0x9e3779b97f4a7c15ULL};
    auto           high = std::uint64_t{0xd1b54a32d192ed03ULL};
    auto const     take = [&](std::uint64_t first, std::uint64_t second) {
        low ^= std::rotl(first * c1, 31) * c2;
        low = (std::rotl(low, 27) + high) * 5 + 0x52dce729;
        high ^= std::rotl(second * c2, 33) * c1;
        high = (std::rotl(high, 31) + low) * 5 + 0x38495ab5;
    };
    auto at = std::size_t{0};
    for (; at + 16 <= size; at += 16) {
        std::uint64_t words[2];
        std::memcpy(words, bytes + at, 16);
        take(words[0], words[1]);
    }
    if (at < size) {
        std::uint64_t words[2] = {0, 0};
        std::memcpy(words, bytes + at, size - at);
        take(words[0], words[1]);
    }
    low ^= size;
    high ^= size;
    low += high;
    high += low;
    low = spread(low);
    high = spread(high);
    low += high;
    high += low;
    return {low, high};
}

/// A set of hashes: flat, open addressing, 16 bytes a slot, at most seven of eight slots in use.
class HashSet
{
public:
    explicit HashSet(std::size_t slots = 1U << 16U) : slots_(slots) {}

    [[nodiscard]] std::size_t size() const { return size_; }
    [[nodiscard]] std::size_t bytes() const { return slots_.size() * sizeof(Hash128); }

    /// Adds a hash; false if it was there.
    bool insert(Hash128 hash)
    {
        if (hash == Hash128{})
            hash.low = 1; // The empty slot is no hash.
        if (size_ * 8 >= slots_.size() * 7)
            grow();
        auto& slot = slot_for(slots_, hash);
        if (slot == hash)
            return false;
        slot = hash;
        ++size_;
        return true;
    }

private:
    [[nodiscard]] static Hash128& slot_for(std::vector<Hash128>& slots, Hash128 hash)
    {
        auto at = static_cast<std::size_t>(hash.low) & (slots.size() - 1);
        while (slots[at] != Hash128{} and slots[at] != hash)
            at = (at + 1) & (slots.size() - 1);
        return slots[at];
    }

    void grow()
    {
        auto larger = std::vector<Hash128>(slots_.size() * 2);
        for (auto const hash : slots_)
            if (hash != Hash128{})
                slot_for(larger, hash) = hash;
        slots_ = std::move(larger);
    }

    std::vector<Hash128> slots_;
    std::size_t          size_ = 0;
};

/// A map from pairs of small numbers to results: flat, open addressing.
class PairMap
{
public:
    static constexpr std::uint32_t unknown = 0xffffffffU;

    PairMap() : slots_(1U << 12U) {}

    [[nodiscard]] std::size_t bytes() const { return slots_.size() * sizeof(Slot); }

    [[nodiscard]] std::uint32_t find(std::uint32_t a, std::uint32_t b) const
    {
        auto const key = key_of(a, b);
        for (auto at = start_of(key, slots_.size());; at = (at + 1) & (slots_.size() - 1)) {
            if (slots_[at].value == unknown)
                return unknown;
            if (slots_[at].key == key)
                return slots_[at].value;
        }
    }

    /// Adds a result that was not there.
    void insert(std::uint32_t a, std::uint32_t b, std::uint32_t value)
    {
        if (size_ * 2 >= slots_.size()) {
            auto larger = std::vector<Slot>(slots_.size() * 2);
            for (auto const& slot : slots_)
                if (slot.value != unknown)
                    put(larger, slot);
            slots_ = std::move(larger);
        }
        put(slots_, {key_of(a, b), value});
        ++size_;
    }

private:
    struct Slot
    {
        std::uint64_t key = 0;
        std::uint32_t value = unknown;
    };

    [[nodiscard]] static std::uint64_t key_of(std::uint32_t a, std::uint32_t b) { return std::uint64_t{a} << 32U | b; }

    [[nodiscard]] static std::size_t start_of(std::uint64_t key, std::size_t slots)
    {
        return static_cast<std::size_t>(spread(key)) & (slots - 1);
    }

    static void put(std::vector<Slot>& slots, Slot const& slot)
    {
        auto at = start_of(slot.key, slots.size());
        while (slots[at].value != unknown)
            at = (at + 1) & (slots.size() - 1);
        slots[at] = slot;
    }

    std::vector<Slot> slots_;
    std::size_t       size_ = 0;
};

} // namespace totora::inline v0::testing
