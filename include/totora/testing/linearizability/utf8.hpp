// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace totora::inline v0::linearizability
{

/// Appends a code point that is no surrogate.
inline void append_utf8(std::string& text, char32_t code)
{
    auto const add = [&](char32_t byte) { text += static_cast<char>(static_cast<unsigned char>(byte)); };
    if (code < 0x80U)
        return add(code);
    if (code < 0x800U) {
        add(0xC0U | code >> 6U);
    } else {
        if (code < 0x10000U) {
            add(0xE0U | code >> 12U);
        } else {
            add(0xF0U | code >> 18U);
            add(0x80U | (code >> 12U & 0x3FU));
        }
        add(0x80U | (code >> 6U & 0x3FU));
    }
    add(0x80U | (code & 0x3FU));
}

/// Whether these bytes are UTF-8: each code point in its shortest form, none above U+10FFFF, no surrogates (RFC 3629).
[[nodiscard]] inline bool is_utf8(std::string_view text)
{
    auto again = std::string{};
    for (auto at = std::size_t{0}; at < text.size(); at += again.size()) {
        auto const first = static_cast<unsigned char>(text[at]);
        auto const size = first < 0x80U ? 1U : first < 0xE0U ? 2U : first < 0xF0U ? 3U : 4U;
        auto       code = static_cast<char32_t>(size == 1U ? first : first & (0x7FU >> size));
        if (text.size() - at < size)
            return false;
        for (auto const byte : text.substr(at + 1, size - 1))
            code = code << 6U | (static_cast<unsigned char>(byte) & 0x3FU);
        again.clear();
        append_utf8(again, code);
        if (text.substr(at, size) != again or code > 0x10FFFFU or (code >= 0xD800U and code < 0xE000U))
            return false;
    }
    return true;
}

} // namespace totora::inline v0::linearizability
