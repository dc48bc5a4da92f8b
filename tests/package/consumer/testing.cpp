// SPDX-License-Identifier: BSL-1.0
// A project that checks its clock with a kit, and pipes with range-v3.
#include "totora/clock/manual_clock.hpp"
#include "totora/testing/conformance/clock.hpp"

#include <range/v3/algorithm/all_of.hpp>

#include <array>

int main()
{
    auto const numbers = std::array{1, 2, 3};
    return ranges::all_of(numbers, [](int number) { return number > 0; }) and totora::alarm_clock<totora::ManualClock>
               ? 0
               : 1;
}
