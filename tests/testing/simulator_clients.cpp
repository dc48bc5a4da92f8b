// SPDX-License-Identifier: BSL-1.0
// A state machine that is no store, with clients of its own: what is right raises no alarm, what is wrong does.
#include "totora/testing/linearizability/counter.hpp"
#include "totora/testing/simulate/clients/proposing_clients.hpp"
#include "totora/testing/simulate/simulation.hpp"

#include <boost/test/unit_test.hpp>

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <utility>
#include <variant>
#include <vector>

namespace totora::test::simulator_clients_tests
{
namespace
{

enum class Wrong
{
    nothing,
    an_answer,   ///< Every machine forgets every twentieth addition after it has answered it.
    one_replica, ///< Every third machine adds too much at first.
    batches,     ///< Of the additions of one batch only the last one counts.
    reads        ///< A server looks at its machine at once for a read.
};

/// Counts, by the amount that follows the number of a command.
template <Wrong wrong>
class Sum
{
public:
    using Response = std::int64_t;

    void apply(std::span<EntryView const> commands, std::vector<Response>& responses)
    {
        auto const before = sum_;
        for (auto const& command : commands) {
            auto const by = get<std::int64_t>(command.payload.data() + sizeof(std::uint64_t));
            if (wrong == Wrong::batches)
                sum_ = before;
            responses.push_back(sum_ + by);
            if (wrong != Wrong::an_answer or ++additions_ % 20 != 0)
                sum_ += by;
            applied_ = command.index;
        }
    }

    [[nodiscard]] std::int64_t  sum() const { return sum_; }
    [[nodiscard]] Index         applied_index() const { return applied_; }
    [[nodiscard]] std::uint64_t digest() const { return static_cast<std::uint64_t>(sum_); }

private:
    std::int64_t sum_ = wrong == Wrong::one_replica and made_++ % 3 == 0 ? 1 : 0;
    std::size_t  additions_ = 0;
    Index        applied_;

    static inline std::size_t made_ = 0;
};

template <Wrong wrong>
struct Additions
{
    using Machine = Sum<wrong>;
    using Object = linearizability::Counter;

    [[nodiscard]] linearizability::Operation<Object> draw(testing::Prng& random, std::uint64_t) const
    {
        auto const by = static_cast<std::int64_t>(random.between(1, 9));
        if (random.below(3) == 0)
            return {.action = Object::Read{}};
        if (random.below(2) == 0)
            return {.action = Object::Add{by}};
        return {.action = Object::AddAndRead{by}};
    }

    void encode(std::vector<std::byte>& payload, Object::Action const& action) const
    {
        auto const* const silent = std::get_if<Object::Add>(&action);
        auto const        before = payload.size();
        payload.resize(before + sizeof(std::int64_t));
        put(payload.data() + before, silent != nullptr ? silent->by : std::get<Object::AddAndRead>(action).by);
    }

    [[nodiscard]] bool is_read(Object::Action const& action) const
    {
        return std::holds_alternative<Object::Read>(action);
    }

    [[nodiscard]] Object::Answer read(Machine const& machine, Object::Action const&) const { return machine.sum(); }

    [[nodiscard]] Object::Answer answer_of(Object::Action const& action, std::int64_t sum) const
    {
        return std::holds_alternative<Object::Add>(action) ? linearizability::null : Object::Answer{sum};
    }
};

template <Wrong wrong>
struct Parts : simulate::DefaultParts
{
    using Machine = Sum<wrong>;

    template <typename Node, typename Completion>
    static void read(Node& node, Completion completion)
    {
        if (wrong == Wrong::reads)
            completion(ReadOutcome{ReadableNow{}});
        else
            simulate::DefaultParts::read(node, std::move(completion));
    }
};

/// Clients that overwrite what the checks look for.
struct NamelessAdditions : Additions<Wrong::nothing>
{
    void encode(std::vector<std::byte>& payload, Object::Action const&) const { payload.resize(7); }
};

/// What is found first in three seeds, and how many answers there were.
template <Wrong wrong>
[[nodiscard]] std::pair<std::string, std::uint64_t> run()
{
    using Clients = simulate::ProposingClients<Additions<wrong>>;
    auto answered = std::uint64_t{0};
    for (auto seed = std::uint64_t{1}; seed <= 3; ++seed) {
        auto const scenario = simulate::make_scenario(seed, {.events = 3'000});
        auto const report = simulate::Simulation<Parts<wrong>, Clients>{scenario}.run();
        answered += report.answered;
        if (not report.broken.empty())
            return {report.broken, answered};
    }
    return {{}, answered};
}

BOOST_AUTO_TEST_CASE(a_machine_that_is_no_store_is_simulated)
{
    auto const [broken, answered] = run<Wrong::nothing>();

    BOOST_TEST(broken == "");
    BOOST_TEST(answered > 500U);
}

BOOST_AUTO_TEST_CASE(a_payload_that_does_not_begin_with_a_number_is_detected)
{
    using Clients = simulate::ProposingClients<NamelessAdditions>;
    auto const scenario = simulate::make_scenario(1, {.events = 1'000});

    BOOST_TEST((simulate::Simulation<Parts<Wrong::nothing>, Clients>{scenario}.run().broken) ==
               "the number of a command is the first eight bytes of its payload");
}

BOOST_AUTO_TEST_CASE(answers_that_cannot_be_true_are_detected)
{
    BOOST_TEST(run<Wrong::an_answer>().first.starts_with("the clients' history is not linearizable: key"));
}

BOOST_AUTO_TEST_CASE(reads_that_no_node_allowed_are_detected)
{
    BOOST_TEST(run<Wrong::reads>().first.starts_with("the clients' history is not linearizable: key"));
}

BOOST_AUTO_TEST_CASE(an_update_that_is_lost_within_a_batch_is_detected)
{
    BOOST_TEST(run<Wrong::batches>().first == "machines that have applied the same entries are equal");
}

BOOST_AUTO_TEST_CASE(a_replica_that_differs_is_detected)
{
    BOOST_TEST(run<Wrong::one_replica>().first == "machines that have applied the same entries are equal");
}

} // namespace
} // namespace totora::test::simulator_clients_tests
