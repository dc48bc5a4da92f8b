// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "inline_words.hpp"

#include <algorithm>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <system_error>
#include <vector>

namespace kv
{

/// The largest word of a request in bytes. Redis takes 512 MiB; here a request becomes one entry of the log.
inline constexpr std::size_t word_bytes_max = std::size_t{8} << 20U;

/// The largest request in bytes, with everything around its words.
inline constexpr std::size_t request_bytes_max = word_bytes_max + (std::size_t{1} << 20U);

inline constexpr std::size_t words_max = 65'536;

/// The longest request that is a plain line, in bytes.
inline constexpr std::size_t inline_bytes_max = std::size_t{64} << 10U;

/// A whole text as a decimal number; nothing if it is anything else (" 1", "+1", "1x" and "" are).
[[nodiscard]] inline std::optional<std::int64_t> parse_integer(std::string_view text)
{
    auto        number = std::int64_t{0};
    auto const* end = text.data() + text.size();
    auto const [stopped_at, failure] = std::from_chars(text.data(), end, number);
    if (failure != std::errc{} or stopped_at != end)
        return std::nullopt;
    return number;
}

/// Cuts what a client sends into requests, in whatever pieces it arrives: RESP arrays of bulk strings, and plain
/// lines of words (`InlineWords`). Owns the bytes; holds no more than one request and one piece.
class RequestParser
{
public:
    enum class Outcome
    {
        incomplete, ///< More bytes are needed.
        request,    ///< `words()` is a request, until the next call.
        broken,     ///< Not RESP: `complaint()` is the reason. Where the next request begins is unknown.
    };

    /// Where the next bytes go; at least `bytes`. Report how many came with `filled`.
    [[nodiscard]] std::span<char> room(std::size_t bytes)
    {
        forget_what_was_read();
        if (buffer_.size() - end_ < bytes)
            buffer_.resize(std::max(end_ + bytes, std::min(2 * buffer_.size(), end_ + request_bytes_max)));
        return std::span{buffer_}.subspan(end_);
    }

    void filled(std::size_t bytes) { end_ += bytes; }

    /// Whether a part of a request is here, and the rest is not.
    [[nodiscard]] bool has_begun() const { return not is_whole_ and begin_ != end_; }

    /// Lets go of its memory if no request has begun. The words of the last one are gone then.
    void rest()
    {
        if (is_whole_)
            begin_next();
        if (begin_ == end_ and complaint_.empty())
            *this = RequestParser{};
    }

    /// The bytes that it holds, used or not.
    [[nodiscard]] std::size_t capacity() const
    {
        return buffer_.capacity() + pieces_.capacity() * sizeof(Piece) + words_.capacity() * sizeof(std::string_view);
    }

    /// Looks for the next request.
    [[nodiscard]] Outcome next()
    {
        if (not complaint_.empty())
            return Outcome::broken;
        if (is_whole_)
            begin_next();
        while (true) {
            auto const outcome = in_array_ ? next_word() : first_line();
            if (outcome == Outcome::broken)
                return outcome;
            if (outcome == Outcome::incomplete) {
                if (end_ - begin_ > request_bytes_max)
                    return broken("too big request");
                return outcome;
            }
            if (in_array_ and pieces_.size() < words_expected_)
                continue;
            is_whole_ = true;
            if (pieces_.empty()) { // An empty line or array asks for nothing.
                begin_next();
                continue;
            }
            words_.clear();
            for (auto const& [offset, length] : pieces_)
                words_.emplace_back(buffer_.data() + begin_ + offset, length);
            return Outcome::request;
        }
    }

    [[nodiscard]] std::span<std::string_view const> words() const { return words_; }
    [[nodiscard]] bool                              is_line() const { return not in_array_; } ///< Not an array.
    [[nodiscard]] std::string_view                  complaint() const { return complaint_; }

private:
    struct Piece
    {
        std::size_t offset; ///< From the begin of the request, which moves with the buffer.
        std::size_t length;
    };

    Outcome broken(std::string_view why)
    {
        complaint_ = std::string{"ERR Protocol error: "}.append(why);
        return Outcome::broken;
    }

    /// The line at the read position, without its end, which is read too; nothing if its end is not here yet.
    std::optional<std::string_view> line()
    {
        auto const unread = std::string_view{buffer_.data() + begin_ + read_, end_ - begin_ - read_};
        auto const length = unread.find('\n', looked_);
        looked_ = length == std::string_view::npos ? unread.size() : 0;
        if (length == std::string_view::npos)
            return std::nullopt;
        read_ += length + 1;
        auto const text = unread.substr(0, length);
        return text.ends_with('\r') ? text.substr(0, length - 1) : text;
    }

    Outcome first_line()
    {
        if (read_ == 0 and begin_ < end_ and not may_begin(buffer_[begin_]))
            return broken("no request begins with this byte");
        auto const text = line();
        if (not text) {
            auto const too_long = end_ - begin_ > inline_bytes_max;
            return too_long ? broken("too big inline request") : Outcome::incomplete;
        }
        if (not text->starts_with('*')) {
            if (text->size() > inline_bytes_max)
                return broken("too big inline request");
            return inline_words(*text);
        }
        auto const count = parse_integer(text->substr(1));
        if (not count or *count > static_cast<std::int64_t>(words_max))
            return broken("invalid multibulk length");
        words_expected_ = *count < 0 ? 0 : static_cast<std::size_t>(*count);
        in_array_ = words_expected_ > 0;
        return Outcome::request;
    }

    /// Requests begin with '*', a command, or blanks. So a client that sends TLS, for example, is refused before a whole line is here.
    [[nodiscard]] static bool may_begin(char byte)
    {
        return (byte >= ' ' and byte <= '~') or (byte >= '\t' and byte <= '\r');
    }

    /// In an error, which is one line.
    [[nodiscard]] static char printable(char byte) { return byte >= ' ' and byte <= '~' ? byte : '?'; }

    Outcome inline_words(std::string_view text)
    {
        auto* const begin = buffer_.data() + begin_;
        auto        words = InlineWords{{begin + (text.data() - begin), text.size()}};
        while (auto const word = words.next())
            pieces_.push_back({static_cast<std::size_t>(word->data() - begin), word->size()});
        return words.is_balanced() ? Outcome::request : broken("unbalanced quotes in request");
    }

    Outcome next_word()
    {
        if (pieces_.size() == words_expected_)
            return Outcome::request;
        if (not word_length_) {
            auto const unread = std::string_view{buffer_.data() + begin_ + read_, end_ - begin_ - read_};
            if (not unread.empty() and unread.front() != '$')
                return broken(std::string{"expected '$', got '"} + printable(unread.front()) + "'");
            auto const text = line();
            if (not text)
                return unread.size() > 32 ? broken("invalid bulk length") : Outcome::incomplete;
            auto const length = parse_integer(text->substr(1));
            if (not length or *length < 0 or *length > static_cast<std::int64_t>(word_bytes_max))
                return broken("invalid bulk length");
            word_length_ = static_cast<std::size_t>(*length);
            if (read_ + *word_length_ > request_bytes_max)
                return broken("too big request");
        }
        if (end_ - begin_ - read_ < *word_length_ + 2)
            return Outcome::incomplete;
        auto const* const after = buffer_.data() + begin_ + read_ + *word_length_;
        if (after[0] != '\r' or after[1] != '\n')
            return broken("expected the end of a bulk string");
        pieces_.push_back({read_, *word_length_});
        read_ += *word_length_ + 2;
        word_length_.reset();
        return Outcome::request;
    }

    void begin_next()
    {
        begin_ += read_;
        read_ = 0;
        looked_ = 0;
        in_array_ = false;
        is_whole_ = false;
        words_expected_ = 0;
        pieces_.clear();
    }

    void forget_what_was_read()
    {
        if (is_whole_)
            begin_next();
        if (begin_ == 0)
            return;
        std::memmove(buffer_.data(), buffer_.data() + begin_, end_ - begin_);
        end_ -= begin_;
        begin_ = 0;
        if (buffer_.size() > 2 * inline_bytes_max and end_ < inline_bytes_max) {
            buffer_.resize(2 * inline_bytes_max); // The buffer of a large request is given back.
            buffer_.shrink_to_fit();
        }
    }

    std::vector<char>             buffer_;
    std::size_t                   begin_ = 0;  ///< Where the request at hand begins in the buffer.
    std::size_t                   end_ = 0;    ///< After the last byte that came.
    std::size_t                   read_ = 0;   ///< How much of the request is read.
    std::size_t                   looked_ = 0; ///< How far after `read_` there is no end of a line.
    bool                          in_array_ = false;
    bool                          is_whole_ = false;
    std::size_t                   words_expected_ = 0;
    std::optional<std::size_t>    word_length_;
    std::vector<Piece>            pieces_;
    std::vector<std::string_view> words_;
    std::string                   complaint_;
};

} // namespace kv
