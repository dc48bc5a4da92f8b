// SPDX-License-Identifier: BSL-1.0
// A state machine of your own, under every fault that the simulator knows. It hands out numbered tickets; after each event the
// simulator looks whether all replicas agree and nothing is lost, and in the end whether the answers that clients got can be right.
#include "totora/testing/linearizability/counter.hpp"
#include "totora/testing/simulate/clients/proposing_clients.hpp"
#include "totora/testing/simulate/simulation.hpp"
#include "totora/testing/simulate/trace_event_text.hpp"
#include <cstdio>
using namespace totora;

struct Tickets
{
    using Response = std::int64_t;
    Response given = 0;
    Index    applied;

    void apply(std::span<EntryView const> commands, std::vector<Response>& responses)
    {
        for (auto const& command : commands) {
            responses.push_back(++given);
            applied = command.index;
        }
    }
    Index applied_index() const { return applied; }

    /// For the simulator, which compares machines by it: differs if what they did differs.
    std::uint64_t digest() const { return static_cast<std::uint64_t>(given); }
};

/// What clients propose. They are judged by a counter to which one is added; `linearizability::sequential_object` describes
/// such an object for a machine of yours.
struct Drawing
{
    using Machine = Tickets;
    using Object = linearizability::Counter;

    linearizability::Operation<Object> draw(testing::Prng&, std::uint64_t) const
    {
        return {.action = Object::AddAndRead{1}};
    }
    void           encode(std::vector<std::byte>&, Object::Action const&) const {} // There is only one command.
    Object::Answer answer_of(Object::Action const&, Tickets::Response ticket) const { return ticket; }
};

struct Parts : simulate::DefaultParts // A `Storage` or a `Transport` of your own would be named here, too.
{
    using Machine = Tickets;
};

int main()
{
    auto tickets = std::uint64_t{0};
    for (auto seed = std::uint64_t{1}; seed <= 20; ++seed) {
        auto const scenario = simulate::make_scenario(seed, {.events = 5'000});
        auto const report = simulate::Simulation<Parts, simulate::ProposingClients<Drawing>>{scenario}.run();
        tickets += report.answered;
        if (not report.broken.empty()) {
            std::printf("seed %d: %s\n", static_cast<int>(seed), report.broken.c_str());
            report.last.for_each([](auto const& event) { std::printf("  %s\n", simulate::to_string(event).c_str()); });
            return 1;
        }
    }
    std::printf("%d tickets from 20 clusters, and nothing went wrong\n", static_cast<int>(tickets));
}
