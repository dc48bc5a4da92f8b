// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "totora/core/values/configuration.hpp"
#include "totora/core/values/types.hpp"
#include "totora/data/entry.hpp"

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace totora::inline v0
{

/// The longest text in a frame, in bytes; a longer one is cut.
inline constexpr std::size_t text_size_max = 255;

/// Writes values one behind the other, least significant byte first. `ByteReader` reads the same values in the same order.
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

    void operator()(bool value) { number(static_cast<std::uint8_t>(value ? 1 : 0)); }
    void operator()(Term value) { number(value.value); }
    void operator()(Index value) { number(value.value); }
    void operator()(Round value) { number(value.value); }
    void operator()(AppendNumber value) { number(value.value); }

    void operator()(LogPosition const& position)
    {
        (*this)(position.term);
        (*this)(position.index);
    }

    void operator()(Run const& run)
    {
        (*this)(run.term);
        (*this)(run.first);
        number(run.count);
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

/// Reads what `ByteWriter` wrote, from any bytes at all: what is not there or may not be reads as zero and fails the reader.
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

    void operator()(bool& value)
    {
        auto const byte = number<std::uint8_t>();
        failed_ = failed_ or byte > 1;
        value = byte == 1;
    }

    void operator()(Term& term) { limited(term.value); }
    void operator()(Index& index) { limited(index.value); }
    void operator()(Round& round) { limited(round.value); }
    void operator()(AppendNumber& append_number) { limited(append_number.value); }

    void operator()(LogPosition& position)
    {
        (*this)(position.term);
        (*this)(position.index);
    }

    void operator()(Run& run)
    {
        (*this)(run.term);
        (*this)(run.first);
        limited(run.count);
        // Entries are counted from 1, and the last one is held to the same limit as the first.
        if (run.count > 0)
            failed_ = failed_ or run.first.value == 0 or last_of(run).value > number_max;
    }

    /// Letters that a log can print; others read as '?', because they are a stranger's.
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

private:
    void limited(std::uint64_t& value)
    {
        value = number<std::uint64_t>();
        failed_ = failed_ or value > number_max;
    }

    std::span<std::byte const> rest_;
    bool                       failed_ = false;
};

} // namespace totora::inline v0
