// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "totora/core/values/snapshot.hpp"
#include "totora/core/values/types.hpp"
#include "totora/policy/log.hpp"
#include "totora/testing/conformance/log/log_user.hpp"
#include "totora/testing/conformance/sample_snapshots.hpp"
#include "totora/testing/conformance/snapshot/snapshot_log_user.hpp"

#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>

namespace totora::inline v0::conformance
{

/// The laws of snapshots that are received, in chunks. See `check_log`.
template <typename Storage>
class SnapshotChunkLaws
{
public:
    using Log = typename Storage::Log;

    explicit SnapshotChunkLaws(LogUser<Storage>& user) : user_(user), snapshots_(user) {}

    void a_received_snapshot_is_kept()
    {
        auto* log = user_.start();
        if (log == nullptr)
            return;
        auto const small = sample_snapshot({Term{2}, Index{9}}, 1);
        auto const large = sample_snapshot({Term{2}, Index{12}}, 200'000);
        for (auto const* sample : {&small, &large}) {
            snapshots_.store(*log, *sample, 0, sample->id.bytes);
            user_.let_work();
            snapshots_.expect_not_kept(*log, *sample, "what is not finished is not kept");
            snapshots_.finish_chunks(*log, sample->id);
            if (not snapshots_.ends_well(*log, *sample, true))
                return;
            snapshots_.expect_no_end(*log);
        }
        log = snapshots_.restart(found_);
        if (log == nullptr)
            return;
        snapshots_.expect_kept(*log, small, true, "a snapshot survives until it is removed");
        snapshots_.expect_kept(*log, large, true, "a snapshot survives until it is removed");
    }

    /// By the checksum of the whole, and by its length.
    void what_was_received_is_verified()
    {
        auto* log = user_.start();
        if (log == nullptr)
            return;
        auto const sample = sample_snapshot({Term{2}, Index{9}}, 5000);
        for (auto const at : {std::uint64_t{0}, std::uint64_t{2500}, sample.id.bytes - 6, sample.id.bytes - 1}) {
            auto damaged = sample;
            damaged.bytes[static_cast<std::size_t>(at)] ^= std::byte{4};
            snapshots_.receive(*log, damaged);
            if (not fails(*log, sample, "Byte " + std::to_string(at) + " was another one"))
                return;
        }
        snapshots_.store(*log, sample, 0, sample.id.bytes - 1000);
        snapshots_.finish_chunks(*log, sample.id);
        if (not fails(*log, sample, "Its end was missing"))
            return;
        (void)snapshots_.keep_received(*log, sample);
        log = snapshots_.restart(found_);
        if (log != nullptr)
            snapshots_.expect_kept(*log, sample, true, "a snapshot survives until it is removed");
    }

    void a_failed_reception_leaves_nothing()
    {
        constexpr auto law = "a failed reception leaves nothing";
        auto*          log = user_.start();
        if (log == nullptr)
            return;
        auto const sample = sample_snapshot({Term{2}, Index{9}}, 5000);
        auto       damaged = sample;
        damaged.bytes[3000] ^= std::byte{4};
        snapshots_.receive(*log, damaged);
        if (not snapshots_.await_end(*log))
            return; // Another law is broken.
        log = snapshots_.restart(found_);
        if (log == nullptr)
            return;
        snapshots_.expect_not_kept(*log, sample, law);
        expect_nothing_received(*log, law);
        (void)snapshots_.keep_received(*log, sample);
    }

    void another_snapshot_drops_what_was_received()
    {
        constexpr auto law = "another snapshot drops what was received";
        auto* const    log = user_.start();
        if (log == nullptr)
            return;
        auto const first = sample_snapshot({Term{2}, Index{9}}, 5000);
        auto const second = sample_snapshot({Term{2}, Index{9}}, 5000, 1); // Of the same position (case 106).
        auto const third = sample_snapshot({Term{2}, Index{12}}, 3000);
        snapshots_.store(*log, first, 0, 4000);
        for (auto const* sample : {&second, &third}) {
            snapshots_.receive(*log, *sample);
            auto const end = snapshots_.await_end(*log);
            user_.expect(end and end->id == sample->id and not end->failure, law,
                         "A snapshot whose first chunk came after one of another is not whole.");
            if (not end or end->failure)
                return;
            snapshots_.expect_kept(*log, *sample, true, law);
            snapshots_.store(*log, first, 0, 2000);
        }
        snapshots_.expect_not_kept(*log, first, law);
    }

    void dropped_chunks_are_gone()
    {
        constexpr auto law = "dropped chunks are gone";
        auto*          log = user_.start();
        if (log == nullptr)
            return;
        auto const sample = sample_snapshot({Term{2}, Index{9}}, 5000);
        snapshots_.store(*log, sample, 0, 3000);
        user_.call("drop_chunks()");
        SnapshotLogUser<Storage>::files(*log).drop_chunks();
        if (not snapshots_.keep_received(*log, sample))
            return;
        auto const other = sample_snapshot({Term{2}, Index{12}}, 5000);
        snapshots_.store(*log, other, 0, 3000);
        user_.call("drop_chunks()");
        SnapshotLogUser<Storage>::files(*log).drop_chunks();
        log = snapshots_.restart(found_);
        if (log != nullptr)
            expect_nothing_received(*log, law);
    }

    /// What of it is there after a start is a beginning of it, and the rest makes it whole (case 29).
    void a_reception_continues_where_it_says()
    {
        constexpr auto law = "a reception continues where it says";
        auto*          log = user_.start();
        auto           index = Index{9};
        for (auto const part : {0U, 1U, 20U, 100U}) {
            if (log == nullptr)
                return;
            auto const sample = sample_snapshot({Term{2}, index = next(index)}, 20'000);
            auto const stored = sample.id.bytes * part / 100;
            snapshots_.store(*log, sample, 0, stored);
            user_.let_work();
            log = snapshots_.restart(found_);
            if (log == nullptr)
                return;
            auto const reception = std::as_const(SnapshotLogUser<Storage>::files(*log)).reception();
            auto const is_right =
                reception == SnapshotReception{} or (reception.snapshot == sample.id and reception.received <= stored);
            user_.expect(is_right, law,
                         "reception() reports " + std::to_string(reception.received) + " bytes, and " +
                             std::to_string(stored) + " were stored.");
            if (not is_right)
                return;
            snapshots_.store(*log, sample, reception.received, sample.id.bytes);
            snapshots_.finish_chunks(*log, sample.id);
            auto const end = snapshots_.await_end(*log);
            user_.expect(end and not end->failure, law,
                         "What was stored from " + std::to_string(reception.received) +
                             " on, as reception() asked for, is not a whole snapshot with what was there.");
            if (not end or end->failure)
                return;
            snapshots_.expect_kept(*log, sample, true, law);
        }
    }

private:
    /// A reception ends, with a failure.
    [[nodiscard]] bool fails(Log& log, SampleSnapshot const& sample, std::string const& what)
    {
        auto const end = snapshots_.await_end(log);
        user_.expect(end and end->id == sample.id and end->is_received, "every snapshot that is finished has one end",
                     what + ", and no end of a received snapshot was reported.");
        if (not end)
            return false;
        user_.expect(end->failure.has_value(), "what was received is verified",
                     what + ", and the end of it was reported as that of a snapshot.");
        snapshots_.expect_not_kept(log, sample, "a snapshot that failed is not kept");
        user_.expect(not log.failure(), "a log does not fail by itself", "It failed when a snapshot was not right.");
        return end->failure.has_value();
    }

    void expect_nothing_received(Log& log, std::string const& law)
    {
        auto const reception = std::as_const(SnapshotLogUser<Storage>::files(log)).reception();
        user_.expect(reception.received == 0, law,
                     "After a start reception() still reports " + std::to_string(reception.received) + " bytes.");
    }

    LogUser<Storage>&        user_;
    SnapshotLogUser<Storage> snapshots_;
    Recovered                found_; ///< At the last start.
};

} // namespace totora::inline v0::conformance
