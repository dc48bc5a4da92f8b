// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <benchmark/benchmark.h>
#include <cstdlib>

namespace totora::benchmarks
{

/// Gives a benchmark as many iterations as `TOTORA_ITERATIONS` asks for, so that what they cost can be counted
/// (benchmarks/instructions.sh); otherwise the library takes as many as it needs to measure a time.
inline void as_often_as_asked(benchmark::internal::Benchmark* one)
{
    auto const* const asked = std::getenv("TOTORA_ITERATIONS");
    if (auto const count = asked != nullptr ? std::strtoll(asked, nullptr, 10) : 0; count > 0)
        one->Iterations(count);
}

} // namespace totora::benchmarks
