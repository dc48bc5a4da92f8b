// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <functional>
#include <string>
#include <string_view>
#include <unordered_map>

namespace kv
{

/// Keys and their values, in parts, so that no single write takes long however many there are.
///
/// A hash table that grows moves all its keys at once: at 3 million of them that took longer than an election timeout, on all
/// servers with the same entry, and the leader was deposed. A part that grows moves its own keys only.
class Values
{
public:
    /// The value of a key, or null.
    [[nodiscard]] std::string const* find(std::string_view key) const
    {
        auto const& part = parts_[part_of(key)];
        auto const  found = part.find(key);
        return found == part.end() ? nullptr : &found->second;
    }

    void put(std::string_view key, std::string_view value)
    {
        auto&      part = parts_[part_of(key)];
        auto const found = part.find(key);
        if (found != part.end()) {
            found->second.assign(value);
            return;
        }
        part.emplace(key, value);
        ++size_;
    }

    /// Whether the key was there.
    bool erase(std::string_view key)
    {
        auto&      part = parts_[part_of(key)];
        auto const found = part.find(key);
        if (found == part.end())
            return false;
        part.erase(found);
        --size_;
        return true;
    }

    [[nodiscard]] std::size_t size() const { return size_; }

    /// The most keys that one write may move.
    [[nodiscard]] std::size_t largest_part() const
    {
        auto const smaller = [](Part const& one, Part const& other) { return one.size() < other.size(); };
        return std::max_element(parts_.begin(), parts_.end(), smaller)->size();
    }

private:
    struct Hash : std::hash<std::string_view>
    {
        using is_transparent = void;
    };

    using Part = std::unordered_map<std::string, std::string, Hash, std::equal_to<>>;

    static constexpr std::size_t part_count = 256;

    /// By the upper bits of what the part itself goes by.
    [[nodiscard]] static std::size_t part_of(std::string_view key)
    {
        constexpr auto bits = 8U * sizeof(std::size_t) - 8U;
        return std::hash<std::string_view>{}(key) >> bits;
    }

    std::array<Part, part_count> parts_;
    std::size_t                  size_ = 0;
};

} // namespace kv
