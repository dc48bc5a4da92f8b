// SPDX-License-Identifier: BSL-1.0
// The store of the example server `kv`: what a capture of all of it costs, and a write beside one.
#include "../docs/examples/kv/machine/values.hpp"

#include <benchmark/benchmark.h>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>

namespace kv
{
namespace
{

constexpr auto value_bytes = std::size_t{256};

void fill(Values& values, std::size_t count)
{
    auto const value = std::string(value_bytes, 'v');
    for (auto number = std::size_t{0}; number < count; ++number)
        values.put("key:" + std::to_string(number), value);
}

[[nodiscard]] std::size_t count_of(benchmark::State const& state)
{
    return (static_cast<std::size_t>(state.range(0)) << 20U) / value_bytes;
}

void free_all(Values& values) { static_cast<void>(values.sweep(std::numeric_limits<std::size_t>::max())); }

void capture(benchmark::State& state)
{
    auto values = Values{};
    fill(values, count_of(state));
    for (auto _ : state) {
        auto captured = std::make_optional(values.capture());
        benchmark::DoNotOptimize(captured);
        state.PauseTiming();
        captured.reset();
        free_all(values);
        state.ResumeTiming();
    }
}

/// Each key once while a capture shares it: the write copies what it changes.
void put_beside_a_capture(benchmark::State& state)
{
    auto       values = Values{};
    auto const count = count_of(state);
    auto const value = std::string(value_bytes, 'w');
    fill(values, count);
    auto captured = values.capture();
    auto number = std::size_t{0};
    for (auto _ : state) {
        values.put("key:" + std::to_string(number * 7919 % count), value);
        if (++number == count) {
            state.PauseTiming();
            captured = values.capture();
            free_all(values);
            number = 0;
            state.ResumeTiming();
        }
    }
}

void put(benchmark::State& state)
{
    auto       values = Values{};
    auto const count = count_of(state);
    auto const value = std::string(value_bytes, 'w');
    fill(values, count);
    auto number = std::size_t{0};
    for (auto _ : state)
        values.put("key:" + std::to_string(number++ * 7919 % count), value);
}

BENCHMARK(capture)->ArgName("mib")->Arg(64)->Arg(1024)->Unit(benchmark::kMillisecond)->Iterations(20);
BENCHMARK(put)->ArgName("mib")->Arg(64)->Arg(1024);
BENCHMARK(put_beside_a_capture)->ArgName("mib")->Arg(64)->Arg(1024);

} // namespace
} // namespace kv

BENCHMARK_MAIN();
