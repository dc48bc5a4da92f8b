// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string_view>

namespace kv
{

/// Takes words off a line that a person typed, as redis does: blanks separate them, and quotes keep blanks together. In
/// "double quotes" a backslash makes \n, \r, \t, \b, \a and \xHH, or stands before what stands for itself; in 'single
/// quotes' it does so before a quote. The words are made in the line itself: they are never longer than what was typed.
class InlineWords
{
public:
    explicit InlineWords(std::span<char> line) : line_(line) {}

    /// The next word; nothing at the end, and if quotes are not balanced (`is_balanced`).
    [[nodiscard]] std::optional<std::string_view> next()
    {
        while (read_ < line_.size() and is_blank(line_[read_]))
            ++read_;
        if (read_ == line_.size())
            return std::nullopt;
        auto const begin = read_;
        written_ = read_;
        while (read_ < line_.size() and not is_blank(line_[read_])) {
            auto const letter = line_[read_++];
            if (letter != '"' and letter != '\'') {
                line_[written_++] = letter;
                continue;
            }
            // A quote that ends ends the word.
            is_balanced_ = take_quoted(letter) and (read_ == line_.size() or is_blank(line_[read_]));
            if (not is_balanced_)
                return std::nullopt;
        }
        return std::string_view{line_.data() + begin, written_ - begin};
    }

    [[nodiscard]] bool is_balanced() const { return is_balanced_; }

private:
    [[nodiscard]] static bool is_blank(char letter)
    {
        return letter == ' ' or letter == '\0' or (letter >= '\t' and letter <= '\r');
    }

    /// What stands between quotes, and the one that ends it; false if there is none.
    [[nodiscard]] bool take_quoted(char quote)
    {
        while (read_ < line_.size()) {
            auto const letter = line_[read_++];
            if (letter == quote)
                return true;
            auto const follows = read_ < line_.size() ? line_[read_] : '\0';
            if (letter != '\\' or (quote == '\'' and follows != '\'') or read_ == line_.size())
                line_[written_++] = letter;
            else
                line_[written_++] = quote == '"' ? escaped() : line_[read_++];
        }
        return false;
    }

    /// What stands after a backslash in double quotes.
    [[nodiscard]] char escaped()
    {
        auto const letter = line_[read_++];
        switch (letter) {
        case 'n':
            return '\n';
        case 'r':
            return '\r';
        case 't':
            return '\t';
        case 'b':
            return '\b';
        case 'a':
            return '\a';
        case 'x':
            if (read_ + 2 <= line_.size() and digit(line_[read_]) < 16 and digit(line_[read_ + 1]) < 16) {
                read_ += 2;
                return static_cast<char>(16 * digit(line_[read_ - 2]) + digit(line_[read_ - 1]));
            }
            return letter;
        default:
            return letter;
        }
    }

    /// The value of a hexadecimal digit; 16 if it is none.
    [[nodiscard]] static int digit(char letter)
    {
        if (letter >= '0' and letter <= '9')
            return letter - '0';
        auto const lower = static_cast<char>(letter | 0x20);
        return lower >= 'a' and lower <= 'f' ? lower - 'a' + 10 : 16;
    }

    std::span<char> line_;
    std::size_t     read_ = 0;
    std::size_t     written_ = 0;
    bool            is_balanced_ = true;
};

} // namespace kv
