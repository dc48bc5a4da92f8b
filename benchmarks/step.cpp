// SPDX-License-Identifier: BSL-1.0
// The core alone: three states that exchange messages, with no payload, log, transport or clock around them.
#include "totora/core/step.hpp"
#include "support/allocation_counter.hpp"
#include "support/iterations.hpp"
#include "totora/core/rules/recovery.hpp"

#include <array>
#include <benchmark/benchmark.h>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <utility>
#include <vector>

namespace totora::benchmarks
{
namespace
{

/// The three ways to take a step. All of them leave the state and what it wants done in their arguments.
struct InPlace
{
    template <typename T>
    static void take(State& state, ServerId from, T const& happened, Outgoing& outgoing)
    {
        core::advance(state, from, happened, outgoing);
    }
};

[[nodiscard]] Message message_of(ServerId from, Rpc const& rpc) { return message_from(from, rpc); }
[[nodiscard]] Message message_of(ServerId from, MessageBody const& happened) { return {from, happened}; }

struct ByMove
{
    template <typename T>
    static void take(State& state, ServerId from, T const& happened, Outgoing& outgoing)
    {
        auto transition = core::step(std::move(state), message_of(from, happened));
        state = std::move(transition.state);
        outgoing = std::move(transition.outgoing);
    }
};

struct ByCopy
{
    template <typename T>
    static void take(State& state, ServerId from, T const& happened, Outgoing& outgoing)
    {
        auto transition = core::step(state, message_of(from, happened));
        state = std::move(transition.state);
        outgoing = std::move(transition.outgoing);
    }
};

/// Three servers. Every write is durable at once, and every message arrives, in the order of sending.
template <typename Step>
class Trio
{
public:
    Trio()
    {
        auto configuration = Configuration{};
        for (auto const id : {1U, 2U, 3U})
            configuration.members.push_back({ServerId{id}, Incarnation{1}, MemberKind::voter});
        for (auto at = std::size_t{0}; at < states_.size(); ++at) {
            auto state = core::recover(Settings{}, configuration.members[at],
                                       {.current_term = {},
                                        .voted_for = {},
                                        .log = {},
                                        .configuration = configuration,
                                        .previous_configuration = configuration,
                                        .commit_index = {},
                                        .applied_index = {}});
            states_[at] = *std::move(state);
            take(at, nobody, Started{});
        }
        for (auto at = std::size_t{0}; at < states_.size(); ++at)
            ring(at, Alarm::leader_silent);
        ring(0, Alarm::election);
        settle();
    }

    [[nodiscard]] State const&  leader() const { return states_[0]; }
    [[nodiscard]] std::uint64_t steps() const { return steps_; }

    /// The leader takes a proposal of so many entries, and everything happens that follows from it.
    void propose(std::uint64_t count)
    {
        take(0, nobody, Proposed{count});
        settle();
    }

private:
    struct Letter
    {
        ServerId to;
        ServerId from;
        Rpc      rpc;
    };

    void ring(std::size_t at, Alarm alarm)
    {
        take(at, nobody, AlarmRang{alarm, states_[at].alarms.armings[static_cast<std::size_t>(alarm)]});
    }

    template <typename T>
    void take(std::size_t at, ServerId from, T const& happened)
    {
        auto& state = states_[at];
        Step::take(state, from, happened, outgoing_);
        ++steps_;
        post(at);
        if (outgoing_.writes.empty())
            return;
        Step::take(state, nobody, Persisted{state.writes.last}, outgoing_);
        ++steps_;
        post(at);
    }

    void post(std::size_t from)
    {
        for (auto const& envelope : outgoing_.messages)
            letters_.push_back({envelope.to(), states_[from].own.id, envelope.rpc()});
    }

    void settle()
    {
        while (not letters_.empty()) {
            arriving_.swap(letters_);
            for (auto const& letter : arriving_)
                take(static_cast<std::size_t>(letter.to.value - 1), letter.from, letter.rpc);
            arriving_.clear();
        }
    }

    std::array<State, 3> states_;
    Outgoing             outgoing_;
    std::vector<Letter>  letters_;
    std::vector<Letter>  arriving_;
    std::uint64_t        steps_ = 0;
};

auto allocated_in_place = false;

/// One iteration is one proposal of `state.range(0)` entries, committed by all three.
template <typename Step>
void commit(benchmark::State& state)
{
    auto       trio = Trio<Step>{};
    auto const batch = static_cast<std::uint64_t>(state.range(0));
    for (auto warmed = 0; warmed < 64; ++warmed)
        trio.propose(batch);
    auto const steps_before = trio.steps();
    auto const index_before = trio.leader().commit_index.value;
    auto const allocations_before = allocations;

    for (auto _ : state)
        trio.propose(batch);

    auto const entries = static_cast<double>(trio.leader().commit_index.value - index_before);
    auto const steps = static_cast<double>(trio.steps() - steps_before);
    auto const allocated = static_cast<double>(allocations - allocations_before);
    if (trio.leader().commit_index != last_index(trio.leader()) or entries <= 0)
        return state.SkipWithError("what was proposed is not committed");
    if (std::same_as<Step, InPlace> and allocated > 0)
        allocated_in_place = true;
    auto const seconds_each = benchmark::Counter::kIsRate | benchmark::Counter::kInvert;
    state.counters["per_entry"] = benchmark::Counter(entries, seconds_each);
    state.counters["per_step"] = benchmark::Counter(steps, seconds_each);
    state.counters["steps_per_entry"] = steps / entries;
    state.counters["allocations_per_entry"] = allocated / entries;
}

void sizes(benchmark::internal::Benchmark* one) { one->ArgName("batch")->Arg(1)->Arg(256)->Apply(as_often_as_asked); }

BENCHMARK_TEMPLATE(commit, InPlace)->Name("advance")->Apply(sizes);
BENCHMARK_TEMPLATE(commit, ByMove)->Name("step_moved")->Apply(sizes);
BENCHMARK_TEMPLATE(commit, ByCopy)->Name("step_copied")->Apply(sizes);

} // namespace
} // namespace totora::benchmarks

int main(int argc, char** argv)
{
    benchmark::Initialize(&argc, argv);
    if (benchmark::ReportUnrecognizedArguments(argc, argv))
        return 2;
    benchmark::RunSpecifiedBenchmarks();
    if (totora::benchmarks::allocated_in_place)
        std::fprintf(stderr, "step: `advance` asked for memory in the steady state, and it must not\n");
    return totora::benchmarks::allocated_in_place ? 1 : 0;
}
