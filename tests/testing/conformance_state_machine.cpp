// SPDX-License-Identifier: BSL-1.0
#include "totora/testing/conformance/state_machine.hpp"

#include "totora/data/entry.hpp"
#include "totora/testing/prng.hpp"

#include "../../docs/examples/kv/machine/key_value.hpp"

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

namespace totora::test::conformance_state_machine_tests
{

using namespace totora::conformance;

namespace
{

/// What can be wrong with a machine.
enum class Fault
{
    none,
    answers_from_run_to_run,
    differs_from_run_to_run,
    counts_batches_in_answers,
    counts_batches,
    answers_from_kept_bytes,
    keeps_the_bytes,
    answers_the_last_only,
    throws,
    throws_a_number,
    counts_ahead,
    counts_commands,
    distinguishes_nothing,
    changes_when_looked_at,
    narrows_the_index,
    chokes_on_what_nobody_sends,
};

/// Counts the bytes of all commands so far, and answers how many there were before each, with one fault.
template <Fault fault>
struct Counter
{
    using Response = std::size_t;

    std::size_t               answered = 0;
    std::size_t               total = 0;
    std::uint64_t             applied = 0;
    std::vector<EntryView>    seen;
    mutable std::size_t       looked_at = 0;
    static inline std::size_t made = 0;
    std::size_t               number = ++made;

    void apply(std::span<EntryView const> commands, std::vector<Response>& responses)
    {
        answered += fault == Fault::counts_batches_in_answers ? 1U : 0U;
        total += fault == Fault::counts_batches ? 1U : 0U;
        for (auto const& command : commands) {
            if (fault == Fault::throws and command.payload.empty())
                throw std::runtime_error("It cannot be empty.");
            if (fault == Fault::throws_a_number and command.payload.empty())
                throw 17;
            seen.push_back(command);
            if (fault == Fault::chokes_on_what_nobody_sends and not command.payload.empty() and
                command.payload[0] == std::byte{0xFF})
                throw std::out_of_range("no such operation");
            applied = fault == Fault::counts_commands ? applied + 1 : command.index.value;
            if (fault == Fault::narrows_the_index)
                applied %= std::uint64_t{1} << 32U;
            total += command.payload.size();
            answered += command.payload.size();
            if (fault == Fault::answers_from_run_to_run)
                answered += number;
            if (fault == Fault::differs_from_run_to_run)
                total += number;
            if (fault == Fault::answers_from_kept_bytes)
                answered += first_byte_kept();
            if (fault == Fault::keeps_the_bytes)
                total += first_byte_kept();
            if (fault != Fault::answers_the_last_only or &command == &commands.back())
                responses.push_back(answered);
        }
    }

    [[nodiscard]] std::size_t first_byte_kept() const
    {
        return seen.size() > 1 and not seen[0].payload.empty() ? static_cast<std::size_t>(seen[0].payload[0]) : 0;
    }

    [[nodiscard]] Index applied_index() const
    {
        return Index{fault == Fault::counts_ahead                                           ? applied + 1
                     : fault == Fault::counts_commands or fault == Fault::narrows_the_index ? applied
                                                                                            : 0};
    }

    [[nodiscard]] std::uint64_t digest() const
    {
        looked_at += fault == Fault::changes_when_looked_at ? 1U : 0U;
        return fault == Fault::distinguishes_nothing ? 17 : total + looked_at;
    }
};

/// What a `Keeping` machine has on its disk.
struct Kept
{
    std::vector<std::size_t> sizes;
    Index                    applied;
};

/// What can be wrong with a machine that keeps its state over restarts.
enum class RestartFault
{
    none,
    forgets_the_index,
    forgets_the_state,
    saves_the_index_first,
    invents_an_index,
};

/// Keeps the sizes of all commands on a disk, and saves at every second one.
template <RestartFault fault>
class Keeping
{
public:
    using Response = std::size_t;

    explicit Keeping(Kept& disk) : disk_(disk), now_(disk) {}

    void apply(std::span<EntryView const> commands, std::vector<Response>& responses)
    {
        for (auto const& command : commands) {
            now_.applied = command.index;
            now_.sizes.push_back(command.payload.size());
            responses.push_back(now_.sizes.size());
            if (now_.sizes.size() % 2 == 1)
                save();
            else if (fault == RestartFault::saves_the_index_first)
                disk_.applied = now_.applied;
        }
    }

    [[nodiscard]] Index         applied_index() const { return now_.applied; }
    [[nodiscard]] std::uint64_t digest() const { return now_.sizes.size(); }

private:
    void save()
    {
        disk_ = now_;
        if (fault == RestartFault::forgets_the_index)
            disk_.applied = {};
        if (fault == RestartFault::forgets_the_state)
            disk_.sizes.clear();
        if (fault == RestartFault::invents_an_index)
            disk_.applied = Index{disk_.applied.value + 1000};
    }

    Kept& disk_;
    Kept  now_;
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
                                (complaint ? " " + std::string{complaint->what} : ""));
        }
    }

    [[nodiscard]] Index applied_index() const { return store.applied_index(); }

    kv::KeyValue store;
};

/// Every operation on a few keys, and what no right client would send.
std::vector<Command> store_commands()
{
    auto       random = testing::SplitMix{6};
    auto       commands = std::vector<Command>{{}, {std::byte{99}}, {std::byte{1}, std::byte{0}, std::byte{200}}};
    auto const words = std::array<std::string_view, 5>{"a", "b", "17", "-3", "no number"};
    for (auto count = 0; count < 200; ++count) {
        auto const operation = static_cast<kv::Operation>(1 + random.below(5));
        auto       chosen = std::vector<std::string_view>{};
        for (auto left = random.below(5); left > 0; --left)
            chosen.push_back(words.at(static_cast<std::size_t>(random.below(words.size()))));
        kv::encode_command(commands.emplace_back(), operation, static_cast<std::uint8_t>(random.below(4)), chosen);
    }
    return commands;
}

std::vector<Command> some_commands()
{
    auto random = testing::SplitMix{5};
    auto commands = std::vector<Command>{{std::byte{1}}};
    for (auto count = 0; count < 40; ++count)
        commands.emplace_back(static_cast<std::size_t>(random.below(20)), static_cast<std::byte>(random.below(256)));
    commands.emplace_back();
    return commands;
}

std::string laws_of(LawViolations const& broken)
{
    auto laws = std::string{};
    for (auto const& one : broken) {
        BOOST_TEST(one.reproduction.size() > 1U);
        laws += one.law + ". ";
    }
    return laws;
}

template <Fault fault>
std::string caught_by()
{
    return laws_of(check_state_machine([] { return Counter<fault>{}; }, some_commands()));
}

template <RestartFault fault>
std::string caught_by()
{
    auto       disk = Kept{};
    auto const begin = [&] {
        disk = Kept{};
        return Keeping<fault>{disk};
    };
    return laws_of(check_state_machine(begin, some_commands(), [&] { return Keeping<fault>{disk}; }));
}

} // namespace

BOOST_AUTO_TEST_SUITE(conformance_state_machine)

BOOST_AUTO_TEST_CASE(a_sound_machine_keeps_all_laws)
{
    BOOST_TEST(to_string(check_state_machine([] { return Counter<Fault::none>{}; }, some_commands())) == "");
}

BOOST_AUTO_TEST_CASE(the_store_of_the_example_keeps_all_laws)
{
    BOOST_TEST(to_string(check_state_machine([] { return Store{}; }, store_commands())) == "");
}

BOOST_AUTO_TEST_CASE(a_machine_that_keeps_its_state_over_restarts_keeps_all_laws)
{
    BOOST_TEST(caught_by<RestartFault::none>() == "");
}

BOOST_AUTO_TEST_CASE(a_machine_that_breaks_a_law_is_caught_by_that_law)
{
    BOOST_TEST(caught_by<Fault::answers_from_run_to_run>() ==
               "the same commands give the same responses. batches make no difference. no bytes are kept. ");
    BOOST_TEST(caught_by<Fault::counts_batches_in_answers>() == "batches make no difference. ");
    BOOST_TEST(caught_by<Fault::answers_from_kept_bytes>() == "no bytes are kept. ");
    BOOST_TEST(caught_by<Fault::answers_the_last_only>() == "one response per command. batches make no difference. ");
    BOOST_TEST(caught_by<Fault::throws>() == "apply does not throw. ");
    BOOST_TEST(caught_by<Fault::throws_a_number>() == "apply does not throw. ");
    BOOST_TEST(caught_by<Fault::counts_ahead>() == "the applied index is that of a command. ");
    BOOST_TEST(caught_by<Fault::narrows_the_index>() == "the applied index is that of a command. ");
    BOOST_TEST(caught_by<Fault::chokes_on_what_nobody_sends>() == "whatever was proposed is answered. ");
    BOOST_TEST(caught_by<Fault::counts_commands>() == "the applied index is that of a command. ");
}

BOOST_AUTO_TEST_CASE(a_kit_that_is_given_no_command_reports_it)
{
    auto const broken = check_state_machine([] { return Counter<Fault::none>{}; }, {});
    BOOST_REQUIRE(broken.size() == 1U);
    BOOST_TEST(broken.front().law == "there is a command to apply");
}

BOOST_AUTO_TEST_CASE(a_machine_whose_state_alone_breaks_a_law_is_caught_by_its_digest)
{
    BOOST_TEST(caught_by<Fault::differs_from_run_to_run>() ==
               "the same commands give the same state. batches make no difference. no bytes are kept. ");
    BOOST_TEST(caught_by<Fault::counts_batches>() == "batches make no difference. ");
    BOOST_TEST(caught_by<Fault::keeps_the_bytes>() == "no bytes are kept. ");
    BOOST_TEST(caught_by<Fault::distinguishes_nothing>() == "the digest distinguishes states. ");
    BOOST_TEST(caught_by<Fault::changes_when_looked_at>().starts_with("a digest changes nothing. "));
}

/// Wraps a machine that it owns, and names no digest.
template <Fault fault>
struct Wrapping
{
    using AdaptedPolicy = Counter<fault>;
    using Response = typename AdaptedPolicy::Response;

    AdaptedPolicy inner;

    [[nodiscard]] AdaptedPolicy&       base() { return inner; }
    [[nodiscard]] AdaptedPolicy const& base() const { return inner; }

    void apply(std::span<EntryView const> commands, std::vector<Response>& responses)
    {
        inner.apply(commands, responses);
    }
    [[nodiscard]] Index applied_index() const { return inner.applied_index(); }
};

BOOST_AUTO_TEST_CASE(the_digest_of_a_machine_that_is_wrapped_counts)
{
    auto const broken = check_state_machine([] { return Wrapping<Fault::counts_batches>{}; }, some_commands());
    BOOST_TEST(laws_of(broken) == "batches make no difference. ");
}

BOOST_AUTO_TEST_CASE(a_machine_that_keeps_something_else_than_its_applied_index_claims_is_caught)
{
    constexpr auto law = "a restart continues after the applied index. ";
    BOOST_TEST(caught_by<RestartFault::forgets_the_index>() == law);
    BOOST_TEST(caught_by<RestartFault::forgets_the_state>() == law);
    BOOST_TEST(caught_by<RestartFault::saves_the_index_first>() == law);
    BOOST_TEST(caught_by<RestartFault::invents_an_index>() == law);
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace totora::test::conformance_state_machine_tests
