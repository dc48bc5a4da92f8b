// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <string_view>

namespace kv
{

/// An error to answer with instead of a result: two pieces that follow each other, such as "MOVED 0 " and an address. What
/// they refer to lives while the answer is given; nothing is allocated for them.
struct Refusal
{
    std::string_view error;
    std::string_view detail = {};
};

} // namespace kv
