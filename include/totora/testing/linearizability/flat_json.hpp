// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "totora/testing/linearizability/scalar.hpp"
#include "totora/testing/linearizability/utf8.hpp"

#include <algorithm>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <variant>

namespace totora::inline v0::linearizability
{

// One JSON object (RFC 8259) on one line whose values are scalars: all that a history or a trace needs, and what every
// other program can read. Numbers are whole; names are different from each other; parsing is strict.

/// Appends a text with its quotation marks. It must be UTF-8.
inline void append_json(std::string& line, std::string_view text)
{
    constexpr auto digits = std::string_view{"0123456789abcdef"};
    line += '"';
    for (auto const character : text) {
        auto const code = static_cast<unsigned char>(character);
        if (character == '"' or character == '\\')
            line += {'\\', character};
        else if (character == '\n')
            line += "\\n";
        else if (code < 0x20U)
            line += {'\\', 'u', '0', '0', digits[code >> 4U], digits[code & 15U]};
        else
            line += character;
    }
    line += '"';
}

inline void append_json(std::string& line, Scalar const& value)
{
    if (auto const* const truth = std::get_if<bool>(&value))
        line += *truth ? "true" : "false";
    else if (auto const* const number = std::get_if<std::int64_t>(&value))
        line += std::to_string(*number);
    else if (auto const* const text = std::get_if<std::string>(&value))
        append_json(line, std::string_view{*text});
    else
        line += "null";
}

/// The object, without a line feed; or an error if a text is not UTF-8.
[[nodiscard]] inline Result<std::string, std::string> write_flat_json(Fields const& fields)
{
    auto line = std::string{"{"};
    for (auto const& [name, value] : fields) {
        auto const* const text = std::get_if<std::string>(&value);
        if (not is_utf8(name) or (text != nullptr and not is_utf8(*text)))
            return Unexpected{"\"" + name + "\" is not UTF-8"};
        line += line.size() == 1 ? "" : ",";
        append_json(line, std::string_view{name});
        line += ':';
        append_json(line, value);
    }
    return line + "}";
}

/// Reads one line, from its first brace to its last.
class FlatJsonReader
{
public:
    explicit FlatJsonReader(std::string_view line) : rest_(line) {}

    [[nodiscard]] Result<Fields, std::string> read()
    {
        auto fields = Fields{};
        if (not is_utf8(rest_))
            fail("the line is not UTF-8");
        else if (not skip('{'))
            fail("an object begins with {");
        else if (not skip('}'))
            do
                read_field_into(fields);
            while (wrong_.empty() and skip(','));
        if (wrong_.empty() and not fields.empty() and not skip('}'))
            fail("after a value comes , or }");
        skip_blanks();
        if (wrong_.empty() and not rest_.empty())
            fail("something follows the object");
        if (not wrong_.empty())
            return Unexpected{std::move(wrong_)};
        return fields;
    }

private:
    /// Only the first error is reported.
    void fail(std::string what)
    {
        if (wrong_.empty())
            wrong_ = std::move(what);
    }

    void skip_blanks() { rest_.remove_prefix(std::min(rest_.find_first_not_of(" \t\r"), rest_.size())); }

    [[nodiscard]] bool skip(char character)
    {
        skip_blanks();
        if (not rest_.starts_with(character))
            return false;
        rest_.remove_prefix(1);
        return true;
    }

    [[nodiscard]] bool skip(std::string_view word)
    {
        if (not rest_.starts_with(word))
            return false;
        rest_.remove_prefix(word.size());
        return true;
    }

    void read_field_into(Fields& fields)
    {
        if (not skip('"'))
            return fail("a name is a text");
        auto name = read_text();
        if (find_field(fields, name) != nullptr)
            return fail("\"" + name + "\" is there twice");
        if (wrong_.empty() and not skip(':'))
            return fail("after a name comes :");
        if (wrong_.empty())
            fields.push_back({std::move(name), read_value()});
    }

    [[nodiscard]] Scalar read_value()
    {
        if (skip('"'))
            return read_text();
        if (skip("null"))
            return null;
        if (skip("true"))
            return true;
        if (skip("false"))
            return false;
        if (rest_.starts_with('{') or rest_.starts_with('['))
            fail("a value is flat: no object, no array");
        return read_number();
    }

    [[nodiscard]] std::int64_t read_number()
    {
        auto       number = std::int64_t{0};
        auto const digits = rest_.substr(rest_.starts_with('-') ? 1 : 0);
        if (digits.empty() or digits.front() < '0' or digits.front() > '9') {
            fail("a value is null, true, false, a text or a whole number");
            return 0;
        }
        auto const [end, error] = std::from_chars(rest_.data(), rest_.data() + rest_.size(), number);
        auto const after = rest_.substr(static_cast<std::size_t>(end - rest_.data()));
        if (error != std::errc{})
            fail("a number needs more than 64 bits");
        else if (digits.front() == '0' and after.size() + 1 != digits.size())
            fail("a number begins with 0");
        else if (not after.empty() and std::string_view{".eE"}.find(after.front()) != std::string_view::npos)
            fail("a number is not whole");
        rest_ = after;
        return number;
    }

    /// What follows a quotation mark, up to the next one.
    [[nodiscard]] std::string read_text()
    {
        auto text = std::string{};
        while (wrong_.empty()) {
            if (rest_.empty()) {
                fail("a text does not end");
                break;
            }
            auto const character = rest_.front();
            rest_.remove_prefix(1);
            if (character == '"')
                break;
            if (static_cast<unsigned char>(character) < 0x20U)
                fail("a text has a control character that is not escaped");
            else if (character == '\\')
                read_escaped_into(text);
            else
                text += character;
        }
        return text;
    }

    void read_escaped_into(std::string& text)
    {
        constexpr auto names = std::string_view{"\"\\/bfnrt"};
        constexpr auto meanings = std::string_view{"\"\\/\b\f\n\r\t"};
        if (skip("u"))
            return read_code_point_into(text);
        auto const which = rest_.empty() ? std::string_view::npos : names.find(rest_.front());
        if (which == std::string_view::npos)
            return fail("a text has an escape that JSON does not have");
        text += meanings[which];
        rest_.remove_prefix(1);
    }

    /// Code points above U+FFFF are written as two surrogates.
    void read_code_point_into(std::string& text)
    {
        constexpr auto wrong = "a text has half a \\u escape";
        auto           high = read_four_digits();
        if (not high or (*high >= 0xDC00U and *high < 0xE000U))
            return fail(wrong);
        if (*high >= 0xD800U and *high < 0xDC00U) {
            auto const low = skip("\\u") ? read_four_digits() : std::nullopt;
            if (not low or *low < 0xDC00U or *low >= 0xE000U)
                return fail(wrong);
            high = 0x10000U + ((*high - 0xD800U) << 10U) + (*low - 0xDC00U);
        }
        append_utf8(text, static_cast<char32_t>(*high));
    }

    [[nodiscard]] std::optional<std::uint32_t> read_four_digits()
    {
        auto       number = std::uint32_t{0};
        auto const digits = rest_.substr(0, 4);
        auto const [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), number, 16);
        if (digits.size() != 4 or error != std::errc{} or end != digits.data() + 4)
            return std::nullopt;
        rest_.remove_prefix(4);
        return number;
    }

    std::string_view rest_;
    std::string      wrong_;
};

/// The fields of an object on one line, in its order, or what is wrong.
[[nodiscard]] inline Result<Fields, std::string> read_flat_json(std::string_view line)
{
    return FlatJsonReader{line}.read();
}

} // namespace totora::inline v0::linearizability
