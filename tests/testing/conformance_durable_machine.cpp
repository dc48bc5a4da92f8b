// SPDX-License-Identifier: BSL-1.0
#include "totora/testing/conformance/durable_machine.hpp"

#include "totora/policy/durable_machine.hpp"
#include "totora/testing/prng.hpp"

#include <boost/test/unit_test.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace totora::test::conformance_durable_machine_tests
{

using namespace totora::conformance;

namespace
{

/// What can be wrong with a machine that keeps itself.
enum class Fault
{
    none,
    saves_seldom, ///< That is no fault.
    is_wrapped,   ///< Nor is this.
    takes_back,
    says_what_is_not_applied,
    says_what_is_not_saved,
    saves_the_index_first,
    saves_the_index_alone,
    clears_before_it_restores,
    restores_the_index_first,
    takes_back_when_restored,
};

/// What a machine has on its disk.
struct Kept
{
    std::uint64_t sum = 0;
    Index         applied;
};

void put_number(SnapshotSink& sink, std::uint64_t number)
{
    auto bytes = std::array<std::byte, 8>{};
    put(bytes.data(), number);
    sink.write(bytes);
}

[[nodiscard]] std::optional<std::uint64_t> get_number(SnapshotSource& source)
{
    auto bytes = std::array<std::byte, 8>{};
    return source.read(bytes) == bytes.size() ? std::optional{get<std::uint64_t>(bytes.data())} : std::nullopt;
}

/// Sums up the sizes of all commands, on a disk.
template <Fault fault>
class Summing
{
public:
    using Response = std::uint64_t;

    struct Capture
    {
        Kept kept;

        void write(SnapshotSink& sink) const
        {
            put_number(sink, kept.sum);
            put_number(sink, kept.applied.value);
        }
    };

    explicit Summing(Kept& disk) : disk_(disk), now_(disk), began_(disk.applied) {}

    void apply(std::span<EntryView const> commands, std::vector<Response>& responses)
    {
        for (auto const& command : commands) {
            now_ = {now_.sum + command.payload.size(), command.index};
            responses.push_back(now_.sum);
        }
        ++calls_;
        save();
    }

    [[nodiscard]] Index applied_index() const { return disk_.applied; }
    [[nodiscard]] Index durable_index() const
    {
        if (fault == Fault::takes_back and calls_ % 4 == 3)
            return began_;
        if (fault == Fault::takes_back_when_restored and is_restored_)
            return began_;
        if (fault == Fault::says_what_is_not_applied)
            return next(now_.applied);
        return fault == Fault::says_what_is_not_saved ? now_.applied : disk_.applied;
    }

    [[nodiscard]] std::uint64_t digest() const { return now_.sum * 31 + now_.applied.value; }
    [[nodiscard]] Capture       capture() const { return {now_}; }
    [[nodiscard]] std::uint32_t snapshot_format() const { return 1; }

    [[nodiscard]] std::optional<std::string> restore(SnapshotSource& source)
    {
        auto const before = disk_;
        if (fault == Fault::clears_before_it_restores)
            disk_ = {};
        auto const sum = get_number(source);
        if (fault == Fault::restores_the_index_first and sum)
            disk_.sum = *sum;
        auto const applied = get_number(source);
        if (source.format() != 1 or not applied) {
            disk_ = before;
            return "It is none.";
        }
        now_ = {*sum, Index{*applied}};
        is_restored_ = true;
        disk_ = now_;
        return std::nullopt;
    }

private:
    void save()
    {
        if ((fault == Fault::saves_seldom or fault == Fault::says_what_is_not_saved) and calls_ % 3 != 0)
            return;
        if (fault != Fault::saves_the_index_first or calls_ % 2 == 0)
            disk_.sum = now_.sum;
        if (fault == Fault::saves_the_index_alone)
            disk_.sum = 0;
        disk_.applied = now_.applied;
    }

    Kept&       disk_;
    Kept        now_;
    Index       began_;
    std::size_t calls_ = 0;
    bool        is_restored_ = false;
};

/// Wraps a machine that it owns, and names nothing of snapshots.
struct Wrapping
{
    using AdaptedPolicy = Summing<Fault::none>;
    using Response = AdaptedPolicy::Response;

    AdaptedPolicy inner;

    [[nodiscard]] AdaptedPolicy&       base() { return inner; }
    [[nodiscard]] AdaptedPolicy const& base() const { return inner; }

    void apply(std::span<EntryView const> commands, std::vector<Response>& responses)
    {
        inner.apply(commands, responses);
    }
    [[nodiscard]] Index applied_index() const { return inner.applied_index(); }
};

std::vector<Command> some_commands()
{
    auto random = testing::SplitMix{7};
    auto commands = std::vector<Command>{{std::byte{1}}};
    for (auto count = 0; count < 20; ++count)
        commands.emplace_back(static_cast<std::size_t>(1 + random.below(20)),
                              static_cast<std::byte>(random.below(256)));
    return commands;
}

std::string laws_of(LawViolations const& broken)
{
    auto laws = std::string{};
    for (auto const& one : broken) {
        BOOST_TEST(one.reproduction.size() > 1U);
        BOOST_TEST(not one.what.empty());
        laws += one.law + ". ";
    }
    return laws;
}

template <Fault fault>
std::string caught_by()
{
    auto disk = Kept{};
    auto copy = Kept{};
    return laws_of(check_durable_machine(
        [&] {
            disk = Kept{};
            return Summing<fault>{disk};
        },
        some_commands(),
        [&] {
            copy = disk;
            return Summing<fault>{copy};
        }));
}

} // namespace

BOOST_AUTO_TEST_SUITE(conformance_durable_machine)

BOOST_AUTO_TEST_CASE(a_machine_that_keeps_itself_as_it_says_keeps_all_laws)
{
    BOOST_TEST(caught_by<Fault::none>() == "");
    BOOST_TEST(caught_by<Fault::saves_seldom>() == "");

    auto disk = Kept{};
    auto copy = Kept{};
    BOOST_TEST(laws_of(check_durable_machine(
                   [&] {
                       disk = Kept{};
                       return Wrapping{Summing<Fault::none>{disk}};
                   },
                   some_commands(),
                   [&] {
                       copy = disk;
                       return Wrapping{Summing<Fault::none>{copy}};
                   })) == "");
}

BOOST_AUTO_TEST_CASE(each_law_of_a_machine_that_keeps_itself_can_be_broken)
{
    BOOST_TEST(caught_by<Fault::takes_back>() == "the durable index never goes back. ");
    BOOST_TEST(caught_by<Fault::takes_back_when_restored>() == "the durable index never goes back. ");
    BOOST_TEST(caught_by<Fault::says_what_is_not_applied>() ==
               "the durable index is never above what was applied. a crash leaves what was durable. ");
    BOOST_TEST(caught_by<Fault::says_what_is_not_saved>() == "a crash leaves what was durable. ");
    BOOST_TEST(caught_by<Fault::saves_the_index_first>() == "a crash leaves what was durable. ");
    BOOST_TEST(caught_by<Fault::saves_the_index_alone>() == "a crash leaves what was durable. ");
    BOOST_TEST(caught_by<Fault::clears_before_it_restores>() == "a restore is all or nothing across a crash. ");
    BOOST_TEST(caught_by<Fault::restores_the_index_first>() == "a restore is all or nothing across a crash. ");
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace totora::test::conformance_durable_machine_tests
