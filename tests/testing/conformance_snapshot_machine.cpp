// SPDX-License-Identifier: BSL-1.0
#include "totora/testing/conformance/state_machine.hpp"

#include "totora/data/entry.hpp"
#include "totora/data/numbers.hpp"
#include "totora/policy/snapshot_machine.hpp"
#include "totora/testing/prng.hpp"

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <numeric>
#include <optional>
#include <span>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace totora::test::conformance_snapshot_machine_tests
{

using namespace totora::conformance;

namespace
{

/// What can be wrong with the snapshots of a machine.
enum class Fault
{
    none,
    is_volatile,
    leaves_the_last_out,
    adds_to_what_is_there,
    keeps_what_is_beyond,
    captures_what_was_added,
    shares_what_changes,
    is_written_once,
    counts_captures,
    leaves_a_part_out,
    has_parts_without_end,
    writes_by_one_thread,
    takes_what_is_short,
    restores_while_it_reads,
    takes_any_format,
    forgets_at_an_unknown_format,
    refuses_without_words,
    takes_damage_for_data,
    finds_damage_too_late,
    throws_when_it_is_short,
    throws_when_captured,
    keeps_its_index,
    restores_an_index_beyond,
    copies_all,
};

/// Counts the bytes that it allocates.
template <typename T>
struct CountingAllocator
{
    using value_type = T;

    static inline std::uint64_t allocated = 0;

    CountingAllocator() = default;
    template <typename Other>
    explicit CountingAllocator(CountingAllocator<Other> const&)
    {}

    T* allocate(std::size_t count)
    {
        allocated += count * sizeof(T);
        return std::allocator<T>{}.allocate(count);
    }
    void deallocate(T* at, std::size_t count) { std::allocator<T>{}.deallocate(at, count); }

    friend bool operator==(CountingAllocator const&, CountingAllocator const&) = default;
};

using Sizes = std::vector<std::uint64_t, CountingAllocator<std::uint64_t>>;
using SharedSizes = std::shared_ptr<Sizes>;

/// A state: the size of each command, and the index of the last.
struct Tally
{
    SharedSizes   sizes = std::make_shared<Sizes>();
    std::uint64_t applied = 0;
};

void put_number(SnapshotSink& sink, std::uint64_t number)
{
    auto bytes = std::array<std::byte, 8>{};
    put(bytes.data(), number);
    sink.write(bytes);
}

std::optional<std::uint64_t> get_number(SnapshotSource& source)
{
    auto bytes = std::array<std::byte, 8>{};
    return source.read(bytes) == bytes.size() ? std::optional{get<std::uint64_t>(bytes.data())} : std::nullopt;
}

/// Of all that stands before it.
std::uint64_t checksum_of(Tally const& tally)
{
    return std::accumulate(tally.sizes->begin(), tally.sizes->end(), tally.applied * 31 + tally.sizes->size(),
                           [](std::uint64_t sum, std::uint64_t size) { return sum * 31 + size + 7; });
}

/// Adds up the sizes of all commands and answers with the sum, with one fault in its snapshots.
template <Fault fault>
class Ledger
{
public:
    using Response = std::uint64_t;

    class Capture
    {
    public:
        explicit Capture(Tally tally) : tally_(std::move(tally)) {}

        void write(SnapshotSink& sink) const
        {
            if (fault == Fault::writes_by_one_thread and std::this_thread::get_id() != made_by_)
                throw std::logic_error("It belongs to another thread.");
            auto part = std::uint64_t{0};
            while (write_one(sink, part))
                ++part;
            written_ = true;
        }

        bool write_part(SnapshotSink& sink, std::uint64_t part) const
        {
            if (fault == Fault::leaves_a_part_out and part == 2)
                return write_one(sink, part + 1);
            return write_one(sink, fault == Fault::has_parts_without_end ? 0 : part) or
                   fault == Fault::has_parts_without_end;
        }

    private:
        /// Applied index and count, then four sizes in each, then a checksum.
        [[nodiscard]] std::uint64_t parts() const { return 2 + (tally_.sizes->size() + 3) / 4; }

        bool write_one(SnapshotSink& sink, std::uint64_t part) const
        {
            auto const& sizes = *tally_.sizes;
            auto const  lacks = fault == Fault::leaves_the_last_out and not sizes.empty() ? 1U : 0U;
            auto const  is_empty = fault == Fault::is_written_once and written_;
            if (part == 0) {
                put_number(sink, tally_.applied);
                put_number(sink, is_empty ? 0 : sizes.size() - lacks);
            } else if (part + 1 == parts()) {
                put_number(sink, checksum_of(tally_));
            } else if (not is_empty) {
                auto const first = static_cast<std::size_t>(part - 1) * 4;
                for (auto at = first; at < std::min(first + 4, sizes.size() - lacks); ++at)
                    put_number(sink, sizes[at]);
            }
            return part + 1 < parts();
        }

        Tally           tally_;
        std::thread::id made_by_ = std::this_thread::get_id();
        mutable bool    written_ = false;
    };

    void apply(std::span<EntryView const> commands, std::vector<Response>& responses)
    {
        if (fault != Fault::shares_what_changes and tally_.sizes.use_count() > 1)
            tally_.sizes = std::make_shared<Sizes>(*tally_.sizes);
        for (auto const& command : commands) {
            tally_.applied = command.index.value;
            tally_.sizes->push_back(command.payload.size());
            sum_ += command.payload.size();
            added_ += 1;
            responses.push_back(sum_);
        }
    }

    [[nodiscard]] Index applied_index() const { return Index{fault == Fault::is_volatile ? 0 : tally_.applied}; }
    [[nodiscard]] std::uint64_t digest() const { return checksum_of(tally_) * 31 + sum_; }

    [[nodiscard]] Capture capture() const
    {
        if (fault == Fault::throws_when_captured and tally_.sizes->size() > 3)
            throw std::runtime_error("It moved.");
        sum_ += fault == Fault::counts_captures ? 1U : 0U;
        auto captured = tally_;
        if (fault == Fault::copies_all)
            captured.sizes = std::make_shared<Sizes>(*tally_.sizes);
        if (fault == Fault::captures_what_was_added)
            captured.sizes = std::make_shared<Sizes>(tally_.sizes->end() - added_, tally_.sizes->end());
        return Capture{std::move(captured)};
    }

    [[nodiscard]] std::uint32_t snapshot_format() const { return 3; }

    [[nodiscard]] std::optional<std::string> restore(SnapshotSource& source)
    {
        if (source.format() != 3 and fault != Fault::takes_any_format) {
            if (fault == Fault::forgets_at_an_unknown_format)
                *this = Ledger{};
            return fault == Fault::refuses_without_words ? "" : "It is of another format.";
        }
        auto read = Tally{};
        if (fault == Fault::adds_to_what_is_there)
            read.sizes = std::make_shared<Sizes>(*tally_.sizes);
        auto refusal = read_into(fault == Fault::restores_while_it_reads ? tally_ : read, source);
        if (refusal and not(fault == Fault::takes_what_is_short and *refusal == too_short))
            return refusal;
        if (fault == Fault::keeps_what_is_beyond and tally_.sizes->size() > read.sizes->size())
            return std::nullopt;
        accept(std::move(read));
        return std::nullopt;
    }

private:
    static constexpr auto too_short = "It is too short.";

    std::optional<std::string> read_into(Tally& into, SnapshotSource& source)
    {
        auto const applied = get_number(source);
        auto const count = get_number(source);
        if (fault == Fault::restores_while_it_reads)
            into = Tally{};
        for (auto at = std::uint64_t{0}; count and at < *count; ++at) {
            auto const size = get_number(source);
            if (not size)
                break;
            into.sizes->push_back(*size);
        }
        into.applied = applied.value_or(0);
        auto const checksum = get_number(source);
        if (fault == Fault::throws_when_it_is_short and not checksum)
            throw std::out_of_range("It is too short.");
        if (not checksum)
            return too_short;
        if (fault == Fault::finds_damage_too_late and checksum != checksum_of(into))
            tally_ = into;
        auto const is_checked = fault == Fault::none or fault == Fault::is_volatile or
                                fault == Fault::restores_while_it_reads or fault == Fault::finds_damage_too_late;
        return is_checked and checksum != checksum_of(into) ? std::optional<std::string>{"It is damaged."}
                                                            : std::nullopt;
    }

    void accept(Tally read)
    {
        if (fault != Fault::restores_while_it_reads) {
            auto const before = tally_.applied;
            tally_ = std::move(read);
            if (fault == Fault::keeps_its_index)
                tally_.applied = before;
            if (fault == Fault::restores_an_index_beyond)
                ++tally_.applied;
        }
        sum_ = std::accumulate(tally_.sizes->begin(), tally_.sizes->end(), std::uint64_t{0});
        added_ = 0;
    }

    Tally                 tally_;
    mutable std::uint64_t sum_ = 0;
    std::ptrdiff_t        added_ = 0; ///< Commands since it was restored.
};

/// What can be wrong with a machine that keeps what it was restored from.
enum class RestartFault
{
    none,
    keeps_the_index_alone,
    keeps_the_state_alone,
};

/// What a `Keeping` machine has on its disk.
struct Kept
{
    std::uint64_t sum = 0;
    Index         applied;
};

/// Keeps the sum of the sizes of all commands on a disk, and saves at every second one.
template <RestartFault fault>
class Keeping
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

    explicit Keeping(Kept& disk) : disk_(disk), now_(disk) {}

    void apply(std::span<EntryView const> commands, std::vector<Response>& responses)
    {
        for (auto const& command : commands) {
            now_ = {now_.sum + command.payload.size(), command.index};
            responses.push_back(now_.sum);
            if (++applied_ % 2 == 0)
                disk_ = now_;
        }
    }

    [[nodiscard]] Index         applied_index() const { return disk_.applied; }
    [[nodiscard]] std::uint64_t digest() const { return now_.sum * 31 + now_.applied.value; }
    [[nodiscard]] Capture       capture() const { return {now_}; }
    [[nodiscard]] std::uint32_t snapshot_format() const { return 1; }

    [[nodiscard]] std::optional<std::string> restore(SnapshotSource& source)
    {
        auto const sum = get_number(source);
        auto const applied = get_number(source);
        if (source.format() != 1 or not applied)
            return "It is none.";
        now_ = {*sum, Index{*applied}};
        if (fault == RestartFault::none or fault == RestartFault::keeps_the_index_alone)
            disk_.applied = now_.applied;
        if (fault == RestartFault::none or fault == RestartFault::keeps_the_state_alone)
            disk_.sum = now_.sum;
        return std::nullopt;
    }

private:
    Kept&         disk_;
    Kept          now_;
    std::uint64_t applied_ = 0; ///< Commands since the start.
};

/// Wraps a machine that it owns, and names nothing of snapshots.
template <Fault fault>
struct Wrapping
{
    using AdaptedPolicy = Ledger<fault>;
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

std::vector<Command> some_commands()
{
    auto random = testing::SplitMix{7};
    auto commands = std::vector<Command>{{std::byte{1}}};
    for (auto count = 0; count < 30; ++count)
        commands.emplace_back(static_cast<std::size_t>(random.below(20)), static_cast<std::byte>(random.below(256)));
    commands.emplace_back();
    return commands;
}

CaptureDemands demands()
{
    return {.allocated_bytes = [] { return CountingAllocator<std::uint64_t>::allocated; },
            .growing = [](std::size_t at) { return Command(at % 5); }};
}

CaptureDemands demands_with_checksums()
{
    auto demanded = demands();
    demanded.refuses_damage = true;
    return demanded;
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
std::string caught_by(CaptureDemands const& demanded = demands())
{
    return laws_of(check_state_machine([] { return Ledger<fault>{}; }, some_commands(), nullptr, demanded));
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

BOOST_AUTO_TEST_SUITE(conformance_snapshot_machine)

BOOST_AUTO_TEST_CASE(a_sound_machine_with_snapshots_keeps_all_laws)
{
    BOOST_TEST(to_string(check_state_machine([] { return Ledger<Fault::none>{}; }, some_commands(), nullptr,
                                             demands_with_checksums())) == "");
    BOOST_TEST(caught_by<Fault::is_volatile>() == "");
    BOOST_TEST(laws_of(check_state_machine([] { return Ledger<Fault::none>{}; }, {{std::byte{1}}})) == "");
}

BOOST_AUTO_TEST_CASE(a_machine_whose_captures_lack_something_is_caught)
{
    BOOST_TEST(caught_by<Fault::leaves_the_last_out>() == "a restored machine is the captured one. ");
    BOOST_TEST(caught_by<Fault::captures_what_was_added>(CaptureDemands{}) == "by snapshot is as by log. ");
    BOOST_TEST(caught_by<Fault::throws_when_captured>() == "capture, write and restore do not throw. ");
}

BOOST_AUTO_TEST_CASE(a_machine_that_keeps_what_a_snapshot_should_replace_is_caught)
{
    BOOST_TEST(caught_by<Fault::adds_to_what_is_there>() == "a snapshot replaces all. ");
    BOOST_TEST(caught_by<Fault::keeps_what_is_beyond>() ==
               "a restored machine has the applied index of the captured one. ");
    BOOST_TEST(caught_by<Fault::keeps_its_index>() == "a restored machine has the applied index of the captured one. ");
    BOOST_TEST(caught_by<Fault::restores_an_index_beyond>() ==
               "a restored machine has the applied index of the captured one. ");
}

BOOST_AUTO_TEST_CASE(a_capture_that_changes_or_changes_its_machine_is_caught)
{
    BOOST_TEST(caught_by<Fault::shares_what_changes>() == "a capture stays as it is. ");
    BOOST_TEST(caught_by<Fault::is_written_once>() == "a capture stays as it is. ");
    BOOST_TEST(caught_by<Fault::writes_by_one_thread>() == "any thread may write. ");
    BOOST_TEST(caught_by<Fault::counts_captures>() == "a capture changes nothing of its machine. ");
}

BOOST_AUTO_TEST_CASE(parts_that_are_not_the_whole_are_caught)
{
    BOOST_TEST(caught_by<Fault::leaves_a_part_out>() == "parts are the whole. ");
    BOOST_TEST(caught_by<Fault::has_parts_without_end>() == "parts come to an end. ");
}

BOOST_AUTO_TEST_CASE(a_machine_that_restores_half_of_something_is_caught)
{
    BOOST_TEST(caught_by<Fault::takes_what_is_short>() == "a short source restores nothing. ");
    BOOST_TEST(caught_by<Fault::throws_when_it_is_short>() == "capture, write and restore do not throw. ");
    BOOST_TEST(caught_by<Fault::restores_while_it_reads>() ==
               "a short source restores nothing. what is refused changes nothing. ");
    BOOST_TEST(caught_by<Fault::finds_damage_too_late>() == "what is refused changes nothing. ");
    BOOST_TEST(caught_by<Fault::takes_damage_for_data>() == "");
    BOOST_TEST(caught_by<Fault::takes_damage_for_data>(demands_with_checksums()) ==
               "a damaged source restores nothing. ");
}

BOOST_AUTO_TEST_CASE(a_machine_that_takes_a_format_that_it_does_not_know_is_caught)
{
    BOOST_TEST(caught_by<Fault::takes_any_format>() == "an unknown format restores nothing. ");
    BOOST_TEST(caught_by<Fault::forgets_at_an_unknown_format>() == "an unknown format restores nothing. ");
    BOOST_TEST(caught_by<Fault::refuses_without_words>() == "a refusal is in words. ");
}

BOOST_AUTO_TEST_CASE(a_capture_that_copies_the_machine_is_caught)
{
    BOOST_TEST(caught_by<Fault::copies_all>() == "a capture copies little. ");
    auto small = demands();
    small.growing = [](std::size_t) { return Command{}; };
    small.written_bytes = std::uint64_t{1} << 40U;
    BOOST_TEST(caught_by<Fault::none>(small) == "a machine grows by the commands that are to do so. ");
    BOOST_TEST(caught_by<Fault::copies_all>(CaptureDemands{}) == "");
}

BOOST_AUTO_TEST_CASE(a_machine_that_keeps_half_of_what_it_was_restored_from_is_caught)
{
    BOOST_TEST(caught_by<RestartFault::none>() == "");
    BOOST_TEST(caught_by<RestartFault::keeps_the_index_alone>() == "a restart continues after what was restored. ");
    BOOST_TEST(caught_by<RestartFault::keeps_the_state_alone>() ==
               "a restored machine has the applied index of the captured one. ");
}

BOOST_AUTO_TEST_CASE(a_machine_that_is_wrapped_is_checked_with_its_snapshots)
{
    BOOST_TEST(laws_of(check_state_machine([] { return Wrapping<Fault::none>{}; }, some_commands())) == "");
    BOOST_TEST(laws_of(check_state_machine([] { return Wrapping<Fault::shares_what_changes>{}; }, some_commands())) ==
               "a capture stays as it is. ");
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace totora::test::conformance_snapshot_machine_tests
