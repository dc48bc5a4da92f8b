// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "totora/data/entry.hpp"

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace totora::inline v0
{

/// The longest text in a frame, in bytes; a longer one is cut.
inline constexpr std::size_t text_size_max = 255;

/// Writes values one after the other, least significant byte first. `ByteReader` reads the same values in the same order.
class ByteWriter
{
public:
    explicit ByteWriter(std::span<std::byte> room) : room_(room) {}

    template <std::unsigned_integral T>
    void number(T value)
    {
        // The room is that of the largest frame, so that this holds for every value; memory is not at stake either way.
        if (room_.size() - size_ < sizeof(T))
            return;
        put(room_.data() + size_, value);
        size_ += sizeof(T);
    }

    void text(std::string_view letters)
    {
        letters = letters.substr(0, text_size_max);
        number(static_cast<std::uint8_t>(letters.size()));
        for (auto const letter : letters)
            number(static_cast<std::uint8_t>(letter));
    }

    [[nodiscard]] std::size_t size() const { return size_; }

private:
    std::span<std::byte> room_;
    std::size_t          size_ = 0;
};

/// Reads what a `ByteWriter` wrote, from any bytes at all: what is missing reads as zero and fails the reader.
class ByteReader
{
public:
    explicit ByteReader(std::span<std::byte const> bytes) : rest_(bytes) {}

    template <std::unsigned_integral T>
    [[nodiscard]] T number()
    {
        if (rest_.size() < sizeof(T)) {
            failed_ = true;
            return 0;
        }
        auto const value = get<T>(rest_.data());
        rest_ = rest_.subspan(sizeof(T));
        return value;
    }

    /// A number that may not be above this.
    [[nodiscard]] std::uint64_t number_through(std::uint64_t highest)
    {
        auto const value = number<std::uint64_t>();
        fail_if(value > highest);
        return value;
    }

    /// Letters that a log can print; others read as '?': nobody has checked who sent them.
    [[nodiscard]] std::string text()
    {
        auto const size = std::size_t{number<std::uint8_t>()};
        failed_ = failed_ or size > text_size_max or size > rest_.size();
        if (failed_)
            return {};
        auto letters = std::string(size, '?');
        for (auto at = std::size_t{0}; at < size; ++at) {
            auto const letter = static_cast<char>(rest_[at]);
            if (letter >= ' ' and letter <= '~')
                letters[at] = letter;
        }
        rest_ = rest_.subspan(size);
        return letters;
    }

    /// Whether something was missing or may not be.
    [[nodiscard]] bool failed() const { return failed_; }

    /// Whether all bytes were read, and nothing failed.
    [[nodiscard]] bool complete() const { return not failed_ and rest_.empty(); }

    /// Fails the reader: what was read may not be.
    void fail_if(bool is_wrong) { failed_ = failed_ or is_wrong; }

private:
    std::span<std::byte const> rest_;
    bool                       failed_ = false;
};

} // namespace totora::inline v0
