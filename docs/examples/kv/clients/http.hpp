// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "../commands/commands.hpp"

#include <span>
#include <string_view>

namespace kv
{

/// Whether a request is part of one of HTTP. A web page can make a browser send one to any port of its machine, with a body of
/// the page's choice, of which each line would be a request: so nothing that follows may be done.
///
/// As Redis does, POST and Host: are taken for HTTP wherever they stand, since a browser sends one of them before any body.
/// Of plain lines more is: a header of any name, and a request line of any method. `is_known`: it is a command;
/// "GET / HTTP/1.1" has a word too many for one, while "SET page HTTP/1.1" stores a value.
[[nodiscard]] inline bool is_http(std::span<std::string_view const> words, bool is_line, bool is_known)
{
    if (is_word(words.front(), "post") or is_word(words.front(), "host:"))
        return true;
    if (not is_line or is_known)
        return false;
    return words.front().ends_with(':') or (words.size() == 3 and words.back().starts_with("HTTP/"));
}

} // namespace kv
