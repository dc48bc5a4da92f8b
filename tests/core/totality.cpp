// SPDX-License-Identifier: BSL-1.0
#include "support/builders.hpp"
#include "support/random/messages.hpp"
#include "support/sanitized.hpp"
#include "totora/testing/laws/step.hpp"

#include <array>
#include <cstdint>
#include <cstdlib>
#include <string>

// The core is total: no message of any content makes it crash, leave its bounds or break an invariant, and a message that no
// correct server can send changes nothing at all. Ten million messages, at run time.

namespace totora::test::totality_tests
{
namespace
{

constexpr std::uint64_t messages_default = is_sanitized ? 1'000'000 : 10'000'000;

/// How many messages one server lives through, before another begins.
constexpr std::uint64_t messages_of_a_life = 2'000;

/// A number from the environment, so that a failure can be repeated and a run made longer.
std::uint64_t number_of(char const* variable, std::uint64_t otherwise)
{
    auto const* text = std::getenv(variable);
    return text != nullptr ? std::strtoull(text, nullptr, 10) : otherwise;
}

/// What must hold of one step, whatever the message was. The first condition that does not hold; null if all do.
char const* find_fault(State const& earlier, Message const& message, State const& later, Outgoing const& outgoing)
{
    if (later.fault or outgoing.failed)
        return "no message makes a server fail-stop";
    if (find_broken_invariant(later))
        return "every invariant of a state holds";
    if (find_broken_invariant(earlier, later))
        return "every invariant of a step holds";
    if (outgoing.decisions.full() or outgoing.writes.full())
        return "what a step does stays within its bounds";
    if (later.followers.size() >= servers_max)
        return "a leader follows the other members, and no more";
    if (outgoing.messages.size() > servers_max * static_cast<std::size_t>(appends_per_step + 1))
        return "what a step sends stays within its bounds";
    for (auto const outcome : outgoing.decisions)
        if (is_violation(outcome) and (later != earlier or not did_nothing(outgoing)))
            return "a violation changes nothing, and is not answered";
    if (auto const broken = laws::find_violated_law(earlier, message.from, message.body, later, outgoing))
        return broken->data();
    return nullptr;
}

/// How often each outcome was named, and each role taken: a test that never gets anywhere finds nothing.
struct Coverage
{
    std::array<std::uint64_t, decision_count>              decisions{};
    std::array<std::uint64_t, std::variant_size_v<Role>>   roles{};
    std::array<std::uint64_t, std::variant_size_v<Answer>> answers{};
    std::uint64_t                                          commits = 0;
    std::uint64_t                                          reads = 0;

    void count(State const& earlier, State const& later, Outgoing const& outgoing)
    {
        for (auto const outcome : outgoing.decisions)
            ++decisions[static_cast<std::size_t>(outcome)];
        ++roles[later.role.index()];
        if (outgoing.answer)
            ++answers[outgoing.answer->index()];
        commits += later.commit_index > earlier.commit_index ? 1U : 0U;
        reads += outgoing.read_allowed ? 1U : 0U;
    }
};

/// One server's life. True if nothing was found.
bool live(std::uint64_t seed, std::uint64_t messages, Coverage& coverage)
{
    auto random = RandomMessages{seed};
    auto server = random.any_server();
    auto earlier = server;
    auto outgoing = Outgoing{};
    for (auto count = std::uint64_t{0}; count < messages; ++count) {
        auto const message = random.any_message(server);
        advance(server, message, outgoing);
        coverage.count(earlier, server, outgoing);
        if (auto const* fault = find_fault(earlier, message, server, outgoing)) {
            BOOST_ERROR(std::string{fault} + ": TOTORA_TOTALITY_SEED=" + std::to_string(seed) + ", message " +
                        std::to_string(count));
            return false;
        }
        earlier = server;
    }
    return true;
}

BOOST_AUTO_TEST_CASE(no_message_of_any_content_breaks_a_server, TOTORA_LABELS("5.1", "case_44", "case_78"))
{
    auto const messages = number_of("TOTORA_TOTALITY_MESSAGES", messages_default);
    auto const first_seed = number_of("TOTORA_TOTALITY_SEED", 1);
    auto       coverage = Coverage{};
    auto       seed = first_seed;
    for (auto done = std::uint64_t{0}; done < messages; done += messages_of_a_life, ++seed)
        if (not live(seed, messages_of_a_life, coverage))
            return;

    BOOST_TEST_MESSAGE("seeds " << first_seed << " to " << seed - 1);
    for (auto outcome = std::size_t{0}; outcome < decision_count; ++outcome) {
        BOOST_TEST_MESSAGE(to_string(static_cast<Decision>(outcome)) << " " << coverage.decisions[outcome]);
        BOOST_CHECK_MESSAGE(coverage.decisions[outcome] > 0,
                            "never named: " << to_string(static_cast<Decision>(outcome)));
    }
    for (auto role = std::size_t{0}; role < coverage.roles.size(); ++role) {
        BOOST_TEST_MESSAGE("role " << role << " " << coverage.roles[role]);
        BOOST_CHECK_MESSAGE(coverage.roles[role] > messages / 1000, "too seldom: role " << role);
    }
    for (auto const answer : coverage.answers)
        BOOST_CHECK_MESSAGE(answer > 0, "an answer was never given");
    BOOST_TEST_MESSAGE("commits " << coverage.commits << ", reads " << coverage.reads);
    BOOST_CHECK_MESSAGE(coverage.commits > 0 and coverage.reads > 0, "nothing was ever committed or read");
}

} // namespace
} // namespace totora::test::totality_tests
