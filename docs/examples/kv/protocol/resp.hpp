// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "request_parser.hpp"

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace kv
{

/// The version of RESP in which a client wants its answers (HELLO).
enum class Protocol : std::uint8_t
{
    resp2 = 2,
    resp3 = 3,
};

/// Writing answers; each appends one to `to`.
inline void write_simple(std::string& to, std::string_view text) { to.append("+").append(text).append("\r\n"); }
inline void write_error(std::string& to, std::string_view text, std::string_view detail = {})
{
    to.append("-").append(text).append(detail).append("\r\n");
}

/// OK, or an error if there is one.
inline void write_done(std::string& to, std::string_view error)
{
    error.empty() ? write_simple(to, "OK") : write_error(to, error);
}
inline void write_nil(std::string& to, Protocol protocol = Protocol::resp2)
{
    to.append(protocol == Protocol::resp3 ? "_\r\n" : "$-1\r\n");
}

inline void write_number(std::string& to, char kind, std::int64_t number)
{
    to.push_back(kind);
    to.append(std::to_string(number)).append("\r\n");
}

inline void write_integer(std::string& to, std::int64_t number) { write_number(to, ':', number); }

inline void write_bulk(std::string& to, std::string_view text)
{
    to.reserve(to.size() + text.size() + 32); // Or its end would double what a large one takes.
    write_number(to, '$', static_cast<std::int64_t>(text.size()));
    to.append(text).append("\r\n");
}

/// A text for people, of lines.
inline void write_text(std::string& to, std::string_view text, Protocol protocol)
{
    if (protocol == Protocol::resp2)
        return write_bulk(to, text);
    to.reserve(to.size() + text.size() + 32);
    write_number(to, '=', static_cast<std::int64_t>(text.size()) + 4);
    to.append("txt:").append(text).append("\r\n");
}

/// The elements follow.
inline void write_array(std::string& to, std::size_t elements)
{
    write_number(to, '*', static_cast<std::int64_t>(elements));
}

/// The keys and values follow, in turns.
inline void write_map(std::string& to, std::size_t pairs, Protocol protocol)
{
    if (protocol == Protocol::resp3)
        write_number(to, '%', static_cast<std::int64_t>(pairs));
    else
        write_array(to, 2 * pairs);
}

} // namespace kv
