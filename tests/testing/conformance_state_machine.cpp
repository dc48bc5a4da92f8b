// SPDX-License-Identifier: BSL-1.0
#include "totora/testing/conformance/state_machine.hpp"

#include "totora/policy/entry.hpp"
#include "totora/testing/conformance/dice.hpp"

#include "../../docs/examples/kv/key_value.hpp"

#include <boost/test/unit_test.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <variant>
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

/// The store of the example kv, with responses that can be compared.
struct Store
{
    using Response = std::string;

    void apply(std::span<EntryView const> commands, std::vector<Response>& responses)
    {
        auto answers = std::vector<kv::Answer>{};
        store.apply(commands, answers);
        for (auto const& answer : answers) {
            auto const* const number = std::get_if<kv::Number>(&answer);
            auto const* const complaint = std::get_if<kv::Complaint>(&answer);
            responses.push_back(std::to_string(answer.index()) + (number ? " " + std::to_string(number->value) : "") +
                                (complaint ? " " + std::string{complaint->sentence} : ""));
        }
    }

    [[nodiscard]] Index applied_index() const { return store.applied_index(); }

    kv::KeyValue store;
};

/// Every operation on a few keys, and what no right client would send.
std::vector<Command> store_commands()
{
    auto       dice = Dice{6};
    auto       commands = std::vector<Command>{{}, {std::byte{99}}, {std::byte{1}, std::byte{0}, std::byte{200}}};
    auto const words = std::array<std::string_view, 5>{"a", "b", "17", "-3", "no number"};
    for (auto count = 0; count < 200; ++count) {
        auto const operation = static_cast<kv::Operation>(1 + dice.roll(5));
        auto       chosen = std::vector<std::string_view>{};
        for (auto left = dice.roll(5); left > 0; --left)
            chosen.push_back(words.at(static_cast<std::size_t>(dice.roll(words.size()))));
        kv::encode_command(commands.emplace_back(), operation, static_cast<std::uint8_t>(dice.roll(4)), chosen);
    }
    return commands;
}

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

BOOST_AUTO_TEST_CASE(the_store_of_the_example_keeps_all_laws)
{
    BOOST_TEST(told(check_state_machine([] { return Store{}; }, store_commands())) == "");
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
