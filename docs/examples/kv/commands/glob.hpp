// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

namespace kv
{

/// A pattern of KEYS and SCAN: `*` any bytes, `?` any byte, `[a-z]` and `[^a-z]` one byte, `\` before what stands for itself.
///
/// All places in the pattern at which a text may be are followed at once, as bits: a byte of the text costs the same
/// whatever the pattern. Trying one after the other, as is usual, takes time that grows with the product of both lengths,
/// or, with recursion, exponentially, and every key of a store is tried on the thread that sends heartbeats.
class Glob
{
public:
    /// The most bytes that a pattern asks for one by one.
    static constexpr std::size_t letters_max = 512;

    /// Reads a pattern; nothing if it is too long.
    [[nodiscard]] static std::optional<Glob> read(std::string_view pattern)
    {
        auto glob = Glob{std::min(pattern.size(), letters_max) / 64 + 1};
        while (not pattern.empty()) {
            if (pattern.front() == '*') {
                glob.set(glob.repeats_, glob.letters_);
                pattern.remove_prefix(1);
                continue;
            }
            if (glob.letters_ == letters_max)
                return std::nullopt;
            glob.add_letter(pattern);
        }
        return glob;
    }

    /// Whether it takes any text.
    [[nodiscard]] bool takes_all() const { return letters_ == 0 and is_set(repeats_, 0); }

    [[nodiscard]] bool matches(std::string_view text) const
    {
        if (takes_all())
            return true;
        auto places = Bits{1}; // Bit n: the first n letters of the pattern have been read.
        for (auto const byte : text) {
            auto const* const taking = &takes_[static_cast<unsigned char>(byte) * words_];
            auto              carry = std::uint64_t{0};
            auto              any = std::uint64_t{0};
            for (auto at = std::size_t{0}; at < words_; ++at) {
                auto const stepping = places[at] & taking[at];
                places[at] = (stepping << 1U) | carry | (places[at] & repeats_[at]);
                carry = stepping >> 63U;
                any |= places[at];
            }
            if (any == 0)
                return false;
        }
        return is_set(places, letters_);
    }

private:
    using Bits = std::array<std::uint64_t, letters_max / 64 + 1>;

    explicit Glob(std::size_t words) : words_(words), takes_(256 * words) {}

    static void               set(Bits& bits, std::size_t at) { bits[at / 64] |= std::uint64_t{1} << at % 64; }
    [[nodiscard]] static bool is_set(Bits const& bits, std::size_t at) { return (bits[at / 64] >> at % 64 & 1U) != 0; }

    void take(unsigned byte) { takes_[byte * words_ + letters_ / 64] |= std::uint64_t{1} << letters_ % 64; }

    /// Takes what one byte of a text is compared with off the pattern.
    void add_letter(std::string_view& pattern)
    {
        auto const next = [&pattern] {
            auto const byte = static_cast<unsigned char>(pattern.front());
            pattern.remove_prefix(1);
            return unsigned{byte};
        };
        auto const first = next();
        if (first == '?') {
            for (auto byte = 0U; byte < 256; ++byte)
                take(byte);
        } else if (first == '[') {
            add_class(pattern);
        } else {
            take(first == '\\' and not pattern.empty() ? next() : first);
        }
        ++letters_;
    }

    /// What follows a `[`, as redis reads it: one that is not closed goes to the end.
    void add_class(std::string_view& pattern)
    {
        auto       taken = std::array<bool, 256>{};
        auto const next = [&pattern] {
            auto const byte = static_cast<unsigned char>(pattern.front());
            pattern.remove_prefix(1);
            return unsigned{byte};
        };
        auto const is_negated = pattern.starts_with('^');
        if (is_negated)
            pattern.remove_prefix(1);
        while (not pattern.empty()) {
            auto const byte = next();
            if (byte == ']')
                break;
            if (byte == '\\' and not pattern.empty()) {
                taken[next()] = true;
            } else if (pattern.size() >= 2 and pattern.front() == '-') {
                pattern.remove_prefix(1);
                auto const [least, most] = std::minmax({byte, next()});
                std::fill(taken.begin() + least, taken.begin() + most + 1, true);
            } else {
                taken[byte] = true;
            }
        }
        for (auto byte = 0U; byte < 256; ++byte)
            if (taken[byte] != is_negated)
                take(byte);
    }

    std::size_t                words_;     ///< How many of `Bits` are in use.
    std::vector<std::uint64_t> takes_;     ///< For each byte, so many words: the letters of the pattern that it is.
    Bits                       repeats_{}; ///< Where a `*` stands: before the letter of this number.
    std::size_t                letters_ = 0;
};

} // namespace kv
