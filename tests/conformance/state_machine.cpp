// SPDX-License-Identifier: BSL-1.0
#include "totora/conformance/state_machine.hpp"

#include "totora/conformance/dice.hpp"
#include "totora/policy/entry.hpp"

#include <boost/test/unit_test.hpp>

#include <cstddef>
#include <cstdint>
#include <span>
#include <stdexcept>
#include <string>
#include <vector>

using namespace totora;
using namespace totora::conformance;

namespace
{

/// What can be wrong with a machine.
enum class Fault
{
    none,
    differs_from_run_to_run,
    counts_batches,
    keeps_the_bytes,
    answers_the_last_only,
    throws,
    counts_ahead,
};

/// Counts the bytes of all commands so far, with one thing wrong.
template <Fault fault>
struct Counter
{
    using Response = std::size_t;

    std::size_t               total = 0;
    std::uint64_t             applied = 0;
    std::vector<EntryView>    seen;
    static inline std::size_t made = 0;
    std::size_t               number = ++made;

    void apply(std::span<EntryView const> commands, std::vector<Response>& responses)
    {
        total += fault == Fault::counts_batches ? 1U : 0U;
        for (auto const& command : commands) {
            if (fault == Fault::throws and command.payload.empty())
                throw std::runtime_error("It cannot be empty.");
            seen.push_back(command);
            applied = command.index.value;
            total += command.payload.size();
            if (fault == Fault::differs_from_run_to_run)
                total += number;
            if (fault == Fault::keeps_the_bytes and seen.size() > 1 and not seen[0].payload.empty())
                total += static_cast<std::size_t>(seen[0].payload[0]);
            if (fault != Fault::answers_the_last_only or &command == &commands.back())
                responses.push_back(total);
        }
    }

    [[nodiscard]] Index applied_index() const { return Index{fault == Fault::counts_ahead ? applied + 1 : 0}; }
};

std::vector<Command> some_commands()
{
    auto dice = Dice{5};
    auto commands = std::vector<Command>{{std::byte{1}}};
    for (auto count = 0; count < 40; ++count)
        commands.emplace_back(static_cast<std::size_t>(dice.roll(20)), static_cast<std::byte>(dice.roll(256)));
    commands.emplace_back();
    return commands;
}

template <Fault fault>
std::string first_caught_by()
{
    auto const broken = check_state_machine([] { return Counter<fault>{}; }, some_commands());
    if (broken.empty())
        return {};
    BOOST_TEST(broken.front().reproduction.size() > 1U);
    return broken.front().law;
}

} // namespace

BOOST_AUTO_TEST_SUITE(conformance_state_machine)

BOOST_AUTO_TEST_CASE(a_sound_machine_keeps_all_laws)
{
    BOOST_TEST(told(check_state_machine([] { return Counter<Fault::none>{}; }, some_commands())) == "");
}

BOOST_AUTO_TEST_CASE(a_machine_that_breaks_a_law_is_caught_by_that_law)
{
    BOOST_TEST(first_caught_by<Fault::differs_from_run_to_run>() == "the same commands give the same responses");
    BOOST_TEST(first_caught_by<Fault::counts_batches>() == "batches make no difference");
    BOOST_TEST(first_caught_by<Fault::keeps_the_bytes>() == "no bytes are kept");
    BOOST_TEST(first_caught_by<Fault::answers_the_last_only>() == "one response per command");
    BOOST_TEST(first_caught_by<Fault::throws>() == "apply does not throw");
    BOOST_TEST(first_caught_by<Fault::counts_ahead>() == "the applied index is that of a command");
}

BOOST_AUTO_TEST_SUITE_END()
