// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "totora/core/values/result.hpp"
#include "totora/core/values/snapshot.hpp"
#include "totora/core/values/types.hpp"
#include "totora/data/identity.hpp"
#include "totora/data/payload.hpp"
#include "totora/log/segmented/sealed_file.hpp"
#include "totora/log/snapshots/list_snapshots.hpp"
#include "totora/log/snapshots/reception_record.hpp"
#include "totora/log/snapshots/snapshot_file_header.hpp"
#include "totora/log/snapshots/snapshot_jobs.hpp"
#include "totora/policy/files.hpp"
#include "totora/policy/log.hpp"
#include "totora/policy/snapshot_log.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace totora::inline v0
{

/// The snapshots of a log, in files beside its segments.
///
/// The node's thread reads files that are whole; everything else is a job (`SnapshotJobs`).
template <log_files Files>
class SnapshotStore
{
public:
    SnapshotStore(Files& files, Identity const& identity, std::uint64_t sync_bytes)
        : files_(files), identity_(identity), jobs_(files, identity, sync_bytes)
    {}

    /// Sets what has `work` called soon, and what is called when an attempt has ended.
    void connect(std::function<void()> request, std::function<void()> wake)
    {
        jobs_.connect(std::move(request), std::move(wake));
    }

    /// Lists what these files hold, and removes those that are not finished, but for the newest reception that can be gone on with.
    /// Of what cannot be read nothing is known: that is an error, and nothing is removed.
    [[nodiscard]] Result<Done, LogError> open(std::vector<std::string> const& names, Index base)
    {
        auto found = list_snapshots(files_, names, identity_, base);
        if (not found)
            return Unexpected{found.error()};
        newest_number_ = found->newest_number;
        auto const is_received = [](SnapshotFile const& one) { return one.snapshot.is_received; };
        auto       may_resume = std::none_of(found->files.begin(), found->files.end(), is_received);
        std::sort(found->unfinished.begin(), found->unfinished.end(), std::greater<>{});
        auto unused = std::vector<std::string>{}; // Nothing is removed before all that is looked at was read.
        for (auto const& name : found->unfinished) {
            auto const resumed = may_resume ? resume(name, base) : Result<bool, LogError>{false};
            if (not resumed)
                return Unexpected{resumed.error()};
            may_resume = may_resume and not *resumed;
            if (not *resumed)
                unused.push_back(name);
        }
        for (auto const& name : unused)
            (void)files_.remove(name); // One that stays takes space, and nothing else.
        for (auto const& [snapshot, number] : found->files)
            keep(snapshot, number);
        for (auto const& name : found->damaged)
            damaged_.push_back("The file " + name + " is damaged: its header cannot be read, or it ends too early.");
        return Done{};
    }

    /// What is wrong with files that are not listed for it.
    [[nodiscard]] std::vector<std::string> const& damaged() const { return damaged_; }

    /// Whether there is, or may soon be, a snapshot to compact the log by.
    [[nodiscard]] bool is_used() const { return newest_number_ > 0; }

    /// How many bytes wait to be written.
    [[nodiscard]] std::uint64_t backlog() const { return jobs_.backlog(); }

    void begin() { jobs_.add({.what = SnapshotJob::What::begin, .number = ++newest_number_}); }
    void write(std::span<std::byte const> bytes)
    {
        jobs_.add({.what = SnapshotJob::What::write, .bytes = std::vector(bytes.begin(), bytes.end())});
    }
    void finish(SnapshotId const& id) { jobs_.add({.what = SnapshotJob::What::finish, .id = id}); }
    void drop() { jobs_.add({.what = SnapshotJob::What::drop}); }

    void store_chunk(SnapshotId const& id, std::uint64_t offset, std::span<std::byte const> bytes)
    {
        if (offset == 0 or reception_.snapshot != id) {
            reception_ = {id, 0, Term{}};
            jobs_.add({.what = SnapshotJob::What::begin, .is_received = true, .id = id, .number = ++newest_number_});
        }
        reception_.received += bytes.size();
        jobs_.add(
            {.what = SnapshotJob::What::write, .is_received = true, .bytes = std::vector(bytes.begin(), bytes.end())});
    }

    void finish_chunks(SnapshotId const& id)
    {
        reception_ = SnapshotReception{};
        jobs_.add({.what = SnapshotJob::What::finish, .is_received = true, .id = id});
    }

    void drop_chunks()
    {
        reception_ = SnapshotReception{};
        jobs_.add({.what = SnapshotJob::What::drop, .is_received = true});
    }

    /// The next attempt that has ended. If it went well, its snapshot is listed from now on.
    [[nodiscard]] std::optional<SnapshotEnd> next_end()
    {
        auto ended = jobs_.next_ended();
        if (not ended)
            return std::nullopt;
        if (ended->snapshot)
            keep(*ended->snapshot, ended->number);
        if (ended->is_lost)
            forget(ended->number);
        return std::move(ended->end);
    }

    [[nodiscard]] std::vector<StoredSnapshot> const& all() const { return all_; }
    [[nodiscard]] SnapshotReception const&           reception() const { return reception_; }

    /// A finished snapshot was found damaged. From any thread.
    void note_damage(SnapshotFile const& one, LogError error) { jobs_.note_damage(one, std::move(error)); }

    /// All of them, with their files.
    [[nodiscard]] std::vector<SnapshotFile> files() const
    {
        auto files = std::vector<SnapshotFile>{};
        for (auto at = std::size_t{0}; at < all_.size(); ++at)
            files.push_back({all_[at], numbers_[at]});
        return files;
    }

    /// The last entry that any of the server's own stands for.
    [[nodiscard]] Index newest() const
    {
        auto newest = Index{};
        for (auto const& one : all_)
            if (not one.is_received)
                newest = one.id.last.index;
        return newest;
    }

    /// Null if it is not kept.
    [[nodiscard]] StoredSnapshot const* find(SnapshotId const& id) const
    {
        auto const at = place_of(id);
        return at < all_.size() ? &all_[at] : nullptr;
    }

    /// Its install was written.
    void note_install(SnapshotId const& id)
    {
        if (auto const at = place_of(id); at < all_.size())
            all_[at].is_received = false;
    }

    [[nodiscard]] Result<PinnedBytes, LogError>
    read(SnapshotId const& id, std::uint64_t offset, std::uint64_t bytes_max)
    {
        auto const at = place_of(id);
        if (at == all_.size() or offset > id.bytes)
            return log_failure(LogFailure::read_failed, "The log does not keep that snapshot.");
        auto const size = std::min(bytes_max, id.bytes - offset);
        auto       block = std::make_shared<std::vector<std::byte>>(static_cast<std::size_t>(size));
        if (not file_ or file_number_ != numbers_[at]) {
            file_.reset();
            auto opened = files_.open(snapshot_file_name(numbers_[at]));
            if (not opened)
                return failure(opened.error());
            file_.emplace(std::move(*opened));
            file_number_ = numbers_[at];
        }
        auto const got = file_->read(snapshot_file_header_size + offset, *block);
        if (not got)
            return failure(got.error());
        if (*got < size)
            return too_short(file_number_);
        auto const bytes = std::span<std::byte const>{*block};
        return PinnedBytes{std::move(block), bytes};
    }

    void remove(SnapshotId const& id)
    {
        auto const at = place_of(id);
        if (at == all_.size())
            return;
        auto const number = numbers_[at];
        forget(number);
        jobs_.add({.what = SnapshotJob::What::remove, .number = number});
    }

    /// See `SnapshotJobs`.
    [[nodiscard]] bool work() noexcept { return jobs_.work(); }

protected:
    /// Of its file; nothing if it is not kept.
    [[nodiscard]] std::optional<std::uint64_t> number_of(SnapshotId const& id) const
    {
        auto const at = place_of(id);
        return at < all_.size() ? std::optional{numbers_[at]} : std::nullopt;
    }

    /// Whether the file of this number is listed.
    [[nodiscard]] bool has(std::uint64_t number) const
    {
        return std::find(numbers_.begin(), numbers_.end(), number) != numbers_.end();
    }

    [[nodiscard]] static Unexpected<LogError> too_short(std::uint64_t number)
    {
        return log_failure(LogFailure::damaged,
                           "The file " + snapshot_file_name(number) + " ends before its snapshot.");
    }

    [[nodiscard]] static Unexpected<LogError> failure(FileError const& error)
    {
        return Unexpected{
            LogError{is_shortage(error.number) ? LogFailure::not_now : LogFailure::read_failed, error.what}};
    }

private:
    /// Whether what an earlier process received is gone on with.
    [[nodiscard]] Result<bool, LogError> resume(std::string const& name, Index base)
    {
        auto found = find_reception(files_, name, identity_.cluster);
        if (not found)
            return Unexpected{found.error()};
        if (not *found or (*found)->id.last.index <= base)
            return false;
        reception_ = {(*found)->id, (*found)->record.bytes, Term{}};
        jobs_.resume(**std::move(found));
        return true;
    }

    [[nodiscard]] std::size_t place_of(SnapshotId const& id) const
    {
        auto at = std::size_t{0};
        while (at < all_.size() and all_[at].id != id)
            ++at;
        return at;
    }

    /// It is listed no more. A damaged file stays until a start lists it again, so that the damage can be examined.
    void forget(std::uint64_t number)
    {
        auto const found = std::find(numbers_.begin(), numbers_.end(), number);
        if (found == numbers_.end())
            return;
        all_.erase(all_.begin() + (found - numbers_.begin()));
        numbers_.erase(found);
        if (file_number_ == number)
            file_.reset(); // Its space is free once nobody has it open.
    }

    /// Lists a snapshot, in place of one with the same identity.
    void keep(StoredSnapshot const& stored, std::uint64_t number)
    {
        remove(stored.id);
        auto const place =
            std::upper_bound(all_.begin(), all_.end(), stored.id.last.index,
                             [](Index index, StoredSnapshot const& one) { return index < one.id.last.index; });
        numbers_.insert(numbers_.begin() + (place - all_.begin()), number);
        all_.insert(place, stored);
    }

    Files&                      files_;
    Identity                    identity_;
    SnapshotJobs<Files>         jobs_;
    std::vector<StoredSnapshot> all_;               ///< In the order of their indexes.
    std::vector<std::uint64_t>  numbers_;           ///< Of their files.
    std::uint64_t               newest_number_ = 0; ///< Of any file.
    SnapshotReception           reception_;
    std::vector<std::string>    damaged_;

    std::optional<typename Files::File> file_; ///< The last one that was read.
    std::uint64_t                       file_number_ = 0;
};

} // namespace totora::inline v0
