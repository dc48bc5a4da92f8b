// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <charconv>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

namespace totora::test
{

/// The words of a command line, one by one:
///
///     while (auto const option = line.next_option())
///         if (*option == "--json") json = line.value(); ...
///
/// At the first word that cannot be understood it ends, and `error` describes it.
class CommandLine
{
public:
    explicit CommandLine(std::vector<std::string> words) : words_(std::move(words)) {}

    /// The next option; nothing at the end, and after an error.
    [[nodiscard]] std::optional<std::string> next_option()
    {
        if (at_ == words_.size() or not error_.empty())
            return std::nullopt;
        return option_ = words_[at_++];
    }

    /// The word after the option.
    [[nodiscard]] std::string value()
    {
        if (at_ < words_.size())
            return words_[at_++];
        refuse(option_ + " needs a value after it.");
        return {};
    }

    /// The words after the option, separated by commas.
    [[nodiscard]] std::vector<std::string> values() { return parts(value(), ","); }

    /// The number after the option.
    [[nodiscard]] std::uint64_t number() { return number_of(value()); }

    [[nodiscard]] std::uint64_t number_of(std::string const& word)
    {
        auto       number = std::uint64_t{0};
        auto const end = word.data() + word.size();
        auto const read = std::from_chars(word.data(), end, number);
        if (read.ec != std::errc{} or read.ptr != end)
            refuse(option_ + " wants a whole number, not \"" + word + "\".");
        return number;
    }

    /// The range after the option, as in 3..5; 3 alone is 3..3.
    void read_range(std::uint64_t least, std::uint64_t most, std::uint64_t& first, std::uint64_t& last)
    {
        auto const ends = parts(value(), "..");
        if (ends.size() > 2)
            refuse(option_ + " wants a range, as in " + option_ + " 3..5.");
        first = number_of(ends.front());
        last = number_of(ends.back());
        if (first < least or last > most or first > last)
            refuse(option_ + " wants a range that goes up, from " + std::to_string(least) + " to at most " +
                   std::to_string(most) + ".");
    }

    /// Notes what is wrong; the first such text stays.
    void refuse(std::string what)
    {
        if (error_.empty())
            error_ = std::move(what);
    }

    [[nodiscard]] std::string const& error() const { return error_; }

private:
    [[nodiscard]] static std::vector<std::string> parts(std::string const& text, std::string_view separator)
    {
        auto found = std::vector<std::string>{};
        auto from = std::size_t{0};
        for (auto at = text.find(separator); at != std::string::npos; at = text.find(separator, from)) {
            found.push_back(text.substr(from, at - from));
            from = at + separator.size();
        }
        found.push_back(text.substr(from));
        return found;
    }

    std::vector<std::string> words_;
    std::size_t              at_ = 0;
    std::string              option_; ///< That was taken last.
    std::string              error_;
};

} // namespace totora::test
