// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstddef>
#include <cstring>
#include <span>
#include <string>
#include <string_view>
#include <vector>

/// Payloads that tests can write down and read.
namespace totora::test
{

[[nodiscard]] inline std::vector<std::byte> bytes_of(std::string_view text)
{
    auto bytes = std::vector<std::byte>(text.size());
    if (not text.empty())
        std::memcpy(bytes.data(), text.data(), text.size());
    return bytes;
}

[[nodiscard]] inline std::string text_of(std::span<std::byte const> bytes)
{
    return {reinterpret_cast<char const*>(bytes.data()), bytes.size()};
}

} // namespace totora::test
