// SPDX-License-Identifier: BSL-1.0
#include "totora/data/known_peers.hpp"
#include "totora/testing/conformance/log.hpp"

#include "totora/log/memory_log.hpp"
#include "totora/policy/adapter.hpp"
#include "totora/policy/snapshot_log.hpp"
#include "totora/testing/conformance/sample_entries.hpp"

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace totora::test::conformance_snapshot_log_tests
{

using namespace totora::conformance;
using boost::unit_test::label;

namespace
{

/// What can be wrong with the snapshots of a log.
enum class Fault
{
    none,
    never_ends,
    ends_twice,
    names_another_end,
    mistakes_received_for_own,
    lists_what_is_not_finished,
    lists_other_configurations,
    lists_out_of_order,
    reads_from_the_beginning,
    reads_too_much,
    does_not_read_the_last,
    reads_what_it_has_not,
    keeps_bytes_without_a_copy,
    does_not_begin_again,
    loses_the_newest,
    reuses_memory,
    does_not_remove,
    drops_what_is_being_finished,
    does_not_wake,
    fails_when_full,
    stays_full,
    lists_what_failed,
    throws,
    takes_damage,
    leaves_what_failed,
    adds_to_the_first_chunks,
    does_not_drop_chunks,
    reports_more_than_is_there,
    reports_what_was_lost,
    does_not_compact,
    compacts_too_much,
    forgets_the_configurations,
    forgets_the_configuration_before,
    forgets_the_addresses,
    keeps_what_an_install_replaces,
    leaves_an_install_received,
    installs_without_a_write,
    compacts_without_a_write,
    forgets_the_vote_when_it_compacts,
    forgets_entries_that_are_durable,
    does_not_finish_an_install,
    finishes_any_install,
    narrows_boundaries,
};

/// The log in memory, with one fault in its snapshots.
class Faulty : public MemoryLog
{
public:
    explicit Faulty(Fault fault) : MemoryLog(sample_identity()), fault_(fault) {}

    [[nodiscard]] Result<Recovered, LogError> recover()
    {
        if (fault_ == Fault::compacts_without_a_write and compacted_ and compacted_->index <= last().index)
            MemoryLog::compact(WriteNumber{}, *compacted_, configurations_, sample_peers(configurations_));
        if (fault_ == Fault::forgets_entries_that_are_durable and compacted_ and compacted_->index < last().index)
            MemoryLog::truncate(WriteNumber{}, last().index);
        compacted_.reset();
        auto       recovered = MemoryLog::recover();
        auto const base = recovered->entries.base();
        if (fault_ == Fault::narrows_boundaries and base.index.value > std::uint64_t{1} << 32U)
            recovered->entries = TermRuns{{base.term, Index{base.index.value % (std::uint64_t{1} << 32U)}}};
        if (fault_ == Fault::reports_more_than_is_there or fault_ == Fault::reports_what_was_lost or
            fault_ == Fault::does_not_drop_chunks or fault_ == Fault::leaves_what_failed)
            reports_ = true;
        return recovered;
    }

    void save_vote(WriteNumber write, Term term, std::optional<ServerId> vote)
    {
        term_ = term;
        MemoryLog::save_vote(write, term, vote);
    }

    void compact(WriteNumber write, LogPosition base, Configurations configurations, KnownPeers peers)
    {
        compacted_ = base;
        configurations_ = configurations;
        if (fault_ == Fault::does_not_compact)
            return MemoryLog::truncate(write, next(last().index));
        if (fault_ == Fault::forgets_the_configurations)
            configurations = {};
        if (fault_ == Fault::forgets_the_configuration_before)
            configurations.previous = configurations.in_force;
        if (fault_ == Fault::forgets_the_addresses)
            peers = {};
        if (fault_ == Fault::forgets_the_vote_when_it_compacts)
            MemoryLog::save_vote(write, term_, std::nullopt);
        MemoryLog::compact(write, base, configurations, peers);
        if (fault_ == Fault::compacts_too_much)
            MemoryLog::truncate(write, next(base.index));
    }

    void install(WriteNumber write, SnapshotId const& id, Configurations const& configurations, KnownPeers const& peers)
    {
        auto const kept = last().index > id.last.index ? read(next(id.last.index), last().index, 1U << 20U)
                                                       : Result<Entries, LogError>{Entries{}};
        MemoryLog::install(write, id, configurations, peers);
        if (fault_ == Fault::keeps_what_an_install_replaces)
            MemoryLog::append(write, *kept);
        if (fault_ == Fault::leaves_an_install_received)
            kept_snapshots().mark(id, true);
        installed_ = id;
    }

    void begin_snapshot()
    {
        if (fault_ == Fault::throws)
            throw std::runtime_error("It is full.");
        if (fault_ == Fault::drops_what_is_being_finished)
            kept_snapshots().begin_run();
        if (fault_ != Fault::does_not_begin_again)
            MemoryLog::begin_snapshot();
        spans_.clear();
    }

    void drop_snapshot()
    {
        if (fault_ != Fault::does_not_begin_again)
            MemoryLog::drop_snapshot();
    }

    void write_snapshot(std::span<std::byte const> bytes)
    {
        if (fault_ == Fault::keeps_bytes_without_a_copy)
            spans_.push_back(bytes);
        else
            MemoryLog::write_snapshot(bytes);
    }

    void finish_snapshot(SnapshotId const& id)
    {
        for (auto const bytes : spans_)
            MemoryLog::write_snapshot(bytes);
        fail_if_full();
        MemoryLog::finish_snapshot(id);
    }

    void store_chunk(SnapshotId const& id, std::uint64_t offset, std::span<std::byte const> bytes)
    {
        if (offset == 0 and fault_ != Fault::adds_to_the_first_chunks)
            chunks_.clear();
        received_ = {id, offset + bytes.size(), Term{}};
        chunks_.insert(chunks_.end(), bytes.begin(), bytes.end());
        MemoryLog::store_chunk(id, offset, bytes);
        if (fault_ == Fault::lists_what_is_not_finished and received_.received == id.bytes)
            MemoryLog::finish_chunks(id);
    }

    void finish_chunks(SnapshotId const& id)
    {
        fail_if_full();
        if (fault_ == Fault::adds_to_the_first_chunks)
            MemoryLog::store_chunk(id, 0, std::exchange(chunks_, {}));
        if (fault_ != Fault::leaves_what_failed)
            received_ = {};
        MemoryLog::finish_chunks(id);
    }

    void drop_chunks()
    {
        if (fault_ != Fault::does_not_drop_chunks)
            received_ = {};
        MemoryLog::drop_chunks();
    }

    [[nodiscard]] std::optional<SnapshotEnd> snapshot_end()
    {
        if (fault_ == Fault::ends_twice and ended_)
            return std::exchange(ended_, std::nullopt);
        auto end = MemoryLog::snapshot_end();
        if (fault_ == Fault::never_ends)
            return std::nullopt;
        ended_ = end;
        if (end and fault_ == Fault::names_another_end)
            ++end->id.bytes;
        if (end and fault_ == Fault::takes_damage)
            end->failure.reset();
        if (end and fault_ == Fault::mistakes_received_for_own)
            end->is_received = false;
        if (end and end->failure)
            failed_ = end->id;
        return end;
    }

    [[nodiscard]] std::vector<StoredSnapshot> const& snapshots() const
    {
        listed_ = MemoryLog::snapshots();
        for (auto& one : listed_)
            if (fault_ == Fault::lists_other_configurations)
                one.configurations.previous = one.configurations.in_force;
        if (fault_ == Fault::lists_out_of_order)
            std::reverse(listed_.begin(), listed_.end());
        if (fault_ == Fault::lists_what_failed and failed_)
            listed_.push_back({*failed_, {}, {}, false});
        return listed_;
    }

    [[nodiscard]] SnapshotReception reception() const
    {
        if (not reports_ or received_.received == 0)
            return MemoryLog::reception();
        auto more = received_;
        more.received += fault_ == Fault::reports_more_than_is_there ? 1 : 0;
        return more;
    }

    [[nodiscard]] Result<PinnedBytes, LogError>
    read_snapshot(SnapshotId id, std::uint64_t offset, std::uint64_t bytes_max)
    {
        if (fault_ == Fault::reads_what_it_has_not)
            for (auto const& one : MemoryLog::snapshots())
                if (one.id.last == id.last)
                    id = one.id;
        if (fault_ == Fault::reads_from_the_beginning)
            offset = 0;
        if (fault_ == Fault::reads_too_much)
            bytes_max += 1;
        if (fault_ == Fault::does_not_read_the_last)
            bytes_max = std::min(bytes_max, id.bytes - 1 - std::min(offset, id.bytes - 1));
        auto read = MemoryLog::read_snapshot(id, offset, bytes_max);
        if (not read or fault_ != Fault::reuses_memory)
            return read;
        own_->assign(read->bytes.begin(), read->bytes.end());
        return PinnedBytes{own_, *own_};
    }

    void remove_snapshot(SnapshotId const& id)
    {
        if (fault_ != Fault::does_not_remove)
            MemoryLog::remove_snapshot(id);
    }

    [[nodiscard]] std::optional<LogError> finish_install(SnapshotId const& id)
    {
        if (fault_ == Fault::does_not_finish_an_install and kept_snapshots().find(id) != nullptr)
            return std::nullopt;
        auto failed = MemoryLog::finish_install(id);
        return fault_ == Fault::finishes_any_install ? std::nullopt : failed;
    }

    [[nodiscard]] std::optional<LogError> failure() const
    {
        if (fault_ == Fault::fails_when_full and was_full_)
            return LogError{LogFailure::no_space, "It is full."};
        return MemoryLog::failure();
    }

    void fill()
    {
        is_full_ = true;
        limit_capacity(5000);
    }

    void free()
    {
        is_full_ = false;
        limit_capacity(std::uint64_t{1} << 30U);
    }

    void lose_power()
    {
        if (fault_ == Fault::loses_the_newest and not MemoryLog::snapshots().empty())
            MemoryLog::remove_snapshot(MemoryLog::snapshots().back().id);
        MemoryLog::crash();
        if (fault_ == Fault::installs_without_a_write)
            kept_snapshots().mark(installed_, false);
        reports_ = false;
        if (fault_ == Fault::none)
            received_ = {};
    }

private:
    void fail_if_full()
    {
        was_full_ = was_full_ or is_full_;
        if (is_full_ or (fault_ == Fault::stays_full and was_full_))
            kept_snapshots().fail_next();
    }

    Fault                                   fault_;
    Term                                    term_;
    std::optional<LogPosition>              compacted_; ///< In this run.
    Configurations                          configurations_;
    SnapshotId                              installed_;
    std::vector<std::span<std::byte const>> spans_;
    std::vector<std::byte>                  chunks_;
    SnapshotReception                       received_;
    bool                                    reports_ = false; ///< What it received, although it is lost.
    std::optional<SnapshotEnd>              ended_;
    std::optional<SnapshotId>               failed_;
    mutable std::vector<StoredSnapshot>     listed_;
    std::shared_ptr<std::vector<std::byte>> own_ = std::make_shared<std::vector<std::byte>>();
    bool                                    is_full_ = false;
    bool                                    was_full_ = false;
};

static_assert(snapshot_log<Faulty>);

/// A log whose snapshots are durable at once.
class InMemory
{
public:
    using Log = Faulty;

    explicit InMemory(Fault fault) : log_(fault) {}

    Result<Log*, LogError> open() { return &log_; }
    void                   stop() { log_.lose_power(); }
    void                   settle() {}
    void                   fill() { log_.fill(); }
    void                   free() { log_.free(); }

private:
    Log log_;
};

/// A log that has a wake-up, and goes on in the background: whenever the kit lets it work.
class Slow
{
public:
    class Log : public Faulty
    {
    public:
        explicit Log(Fault fault) : Faulty(fault), wakes_(fault != Fault::does_not_wake) { kept_snapshots().hold(); }

        void set_wake(std::function<void()> wake) { wake_ = std::move(wake); }

        void sync()
        {
            MemoryLog::sync();
            wake_();
        }

        void work()
        {
            kept_snapshots().complete();
            kept_snapshots().hold();
            if (wakes_)
                wake_();
        }

    private:
        std::function<void()> wake_ = [] {};
        bool                  wakes_;
    };

    explicit Slow(Fault fault) : log_(fault) {}

    Result<Log*, LogError> open() { return &log_; }
    void                   stop() { log_.lose_power(); }
    void                   settle() { log_.work(); }

private:
    Log log_;
};

/// A log whose process is sometimes only killed: then nothing of what it wrote is lost.
class SometimesKilled
{
public:
    using Log = Faulty;

    explicit SometimesKilled(Fault fault) : log_(fault) {}

    Result<Log*, LogError> open() { return &log_; }
    void                   settle() {}

    void stop()
    {
        if (++stops_ % 2 == 0)
            log_.lose_power();
    }

private:
    Log log_;
    int stops_ = 0;
};

/// A log behind an adapter that names nothing of snapshots.
class Wrapped
{
public:
    using Log = LogAdapter<Faulty>;

    explicit Wrapped(Fault fault) : inner_(std::make_unique<Faulty>(fault)), log_(*inner_) {}

    Result<Log*, LogError> open() { return &log_; }
    void                   stop() { inner_->lose_power(); }
    void                   settle() {}

private:
    std::unique_ptr<Faulty> inner_;
    Log                     log_;
};

/// Whether a law is among those that this log is found to break, with a description.
template <typename Storage = InMemory>
bool catches(Fault fault, std::string const& law)
{
    auto const broken = check_log([=] { return Storage{fault}; }, 8);
    auto const found = std::find_if(broken.begin(), broken.end(), [&](auto const& one) { return one.law == law; });
    BOOST_TEST((found != broken.end()), law << " is not among:\n" << to_string(broken));
    return found != broken.end() and not found->what.empty() and found->reproduction.size() > 1;
}

} // namespace

BOOST_AUTO_TEST_SUITE(conformance_snapshot_log)

BOOST_AUTO_TEST_CASE(a_sound_log_with_snapshots_keeps_all_laws, *label("7") * label("case_33"))
{
    BOOST_TEST(to_string(check_log([] { return InMemory{Fault::none}; }, 60)) == "");
    BOOST_TEST(to_string(check_log([] { return Slow{Fault::none}; })) == "");
    BOOST_TEST(to_string(check_log([] { return SometimesKilled{Fault::none}; })) == "");
    BOOST_TEST(to_string(check_log([] { return Wrapped{Fault::none}; })) == "");
}

BOOST_AUTO_TEST_CASE(a_log_that_ends_attempts_otherwise_is_caught)
{
    auto const law = std::string{"every snapshot that is finished has one end"};
    BOOST_TEST(catches(Fault::never_ends, law));
    BOOST_TEST(catches(Fault::ends_twice, law));
    BOOST_TEST(catches(Fault::names_another_end, law));
    BOOST_TEST(catches(Fault::mistakes_received_for_own, law));
    BOOST_TEST(catches<Slow>(Fault::does_not_wake, "the end of a snapshot wakes"));
    BOOST_TEST(catches(Fault::does_not_begin_again, "what was dropped leaves nothing"));
    BOOST_TEST(catches<Slow>(Fault::drops_what_is_being_finished, "snapshots do not hinder each other"));
    BOOST_TEST(catches(Fault::throws, "no call throws"));
}

BOOST_AUTO_TEST_CASE(a_log_that_keeps_other_snapshots_is_caught)
{
    BOOST_TEST(catches(Fault::keeps_bytes_without_a_copy, "a snapshot that is whole is kept"));
    BOOST_TEST(catches(Fault::lists_what_is_not_finished, "what is not finished is not kept"));
    BOOST_TEST(catches(Fault::lists_other_configurations, "a snapshot is listed as what it is"));
    BOOST_TEST(catches(Fault::lists_out_of_order, "snapshots are in order"));
    BOOST_TEST(catches(Fault::loses_the_newest, "a snapshot survives until it is removed"));
    BOOST_TEST(catches(Fault::does_not_remove, "a removed snapshot is not kept"));
    BOOST_TEST(catches(Fault::reads_from_the_beginning, "a snapshot is read as it was written"));
    BOOST_TEST(catches(Fault::reads_too_much, "a snapshot is read as it was written"));
    BOOST_TEST(catches(Fault::does_not_read_the_last, "a snapshot is read as it was written"));
    BOOST_TEST(catches(Fault::reads_what_it_has_not, "a snapshot is read as it was written"));
    BOOST_TEST(catches(Fault::reuses_memory, "what was read of a snapshot does not change"));
    BOOST_TEST(catches<Wrapped>(Fault::loses_the_newest, "a snapshot survives until it is removed"));
}

BOOST_AUTO_TEST_CASE(a_log_that_takes_no_room_for_a_failure_is_caught, *label("case_90"))
{
    BOOST_TEST(catches(Fault::fails_when_full, "no room for a snapshot is no failure of the log"));
    BOOST_TEST(catches(Fault::stays_full, "no room for a snapshot can end"));
    BOOST_TEST(catches(Fault::lists_what_failed, "a snapshot that failed is not kept"));
}

BOOST_AUTO_TEST_CASE(a_log_that_mixes_up_what_it_receives_is_caught, *label("case_29") * label("case_106"))
{
    BOOST_TEST(catches(Fault::takes_damage, "what was received is verified"));
    BOOST_TEST(catches(Fault::leaves_what_failed, "a failed reception leaves nothing"));
    BOOST_TEST(catches(Fault::adds_to_the_first_chunks, "another snapshot drops what was received"));
    BOOST_TEST(catches(Fault::does_not_drop_chunks, "dropped chunks are gone"));
    BOOST_TEST(catches(Fault::reports_more_than_is_there, "a reception continues where it says"));
    BOOST_TEST(catches(Fault::reports_what_was_lost, "a reception continues where it says"));
}

BOOST_AUTO_TEST_CASE(a_log_that_begins_elsewhere_than_after_its_base_is_caught, *label("case_31"))
{
    BOOST_TEST(catches(Fault::does_not_compact, "a compacted log begins after its base"));
    BOOST_TEST(catches(Fault::compacts_too_much, "a compacted log begins after its base"));
    BOOST_TEST(catches(Fault::forgets_the_configurations, "a boundary keeps its configurations"));
    BOOST_TEST(catches(Fault::forgets_the_configuration_before, "a boundary keeps its configurations"));
    BOOST_TEST(catches(Fault::forgets_the_addresses, "the addresses of members are recovered"));
    BOOST_TEST(catches(Fault::keeps_what_an_install_replaces, "an install takes the place of the log"));
    BOOST_TEST(catches(Fault::narrows_boundaries, "boundaries of any size are kept"));
}

BOOST_AUTO_TEST_CASE(a_log_whose_boundaries_are_no_writes_is_caught, *label("case_33") * label("case_68"))
{
    BOOST_TEST(catches(Fault::leaves_an_install_received, "an install makes its snapshot an own one"));
    BOOST_TEST(catches(Fault::installs_without_a_write, "an install makes its snapshot an own one"));
    BOOST_TEST(catches(Fault::compacts_without_a_write, "boundaries are writes of the sequence"));
    BOOST_TEST(catches(Fault::forgets_the_vote_when_it_compacts, "recovery gives a prefix"));
    BOOST_TEST(catches(Fault::forgets_entries_that_are_durable, "durable writes survive"));
    BOOST_TEST(catches(Fault::does_not_finish_an_install, "an install that had begun is finished"));
    BOOST_TEST(catches(Fault::finishes_any_install, "an install that had begun is finished"));
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace totora::test::conformance_snapshot_log_tests
