// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "totora/core/values/snapshot.hpp"
#include "totora/node/snapshots/has_snapshots.hpp"
#include "totora/policy/log.hpp"
#include "totora/policy/snapshot_log.hpp"
#include "totora/testing/conformance/log/log_user.hpp"
#include "totora/testing/conformance/sample_snapshots.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace totora::inline v0::conformance
{

/// Stores snapshots in a log, for its checks, as a node does it. Records the calls.
template <typename Storage>
class SnapshotLogUser
{
public:
    using Log = typename Storage::Log;
    using Bytes = std::vector<std::byte>;

    static constexpr std::size_t piece_size = 700;

    explicit SnapshotLogUser(LogUser<Storage>& user) : user_(user) {}

    [[nodiscard]] LogUser<Storage>& user() { return user_; }

    /// The log, or the one that it wraps, that keeps snapshots.
    [[nodiscard]] static auto& files(Log& log) { return refined<KeepsSnapshots>(log); }

    void begin(Log& log)
    {
        user_.call("begin_snapshot()");
        files(log).begin_snapshot();
    }

    /// What the log keeps of the bytes is overwritten as soon as a call returns.
    void write(Log& log, std::span<std::byte const> bytes)
    {
        user_.call("write_snapshot(), " + std::to_string(bytes.size()) + " bytes in pieces");
        in_pieces(bytes, [&](std::uint64_t, std::span<std::byte const> piece) { files(log).write_snapshot(piece); });
    }

    void finish(Log& log, SnapshotId const& id)
    {
        user_.call("finish_snapshot(), " + name(id));
        files(log).finish_snapshot(id);
    }

    /// Writes a snapshot of the server's own.
    void write_own(Log& log, SampleSnapshot const& sample)
    {
        begin(log);
        write(log, sample.bytes);
        finish(log, sample.id);
    }

    /// Stores what was received of a snapshot from `from` to before `end`.
    void store(Log& log, SampleSnapshot const& sample, std::uint64_t from, std::uint64_t end)
    {
        user_.call("store_chunk(), the bytes " + std::to_string(from) + " to " + std::to_string(end) + " of " +
                   name(sample.id));
        auto const part = std::span<std::byte const>{sample.bytes}.subspan(static_cast<std::size_t>(from),
                                                                           static_cast<std::size_t>(end - from));
        in_pieces(part, [&](std::uint64_t at, std::span<std::byte const> piece) {
            files(log).store_chunk(sample.id, from + at, piece);
        });
    }

    void finish_chunks(Log& log, SnapshotId const& id)
    {
        user_.call("finish_chunks(), " + name(id));
        files(log).finish_chunks(id);
    }

    /// Stores all chunks of a snapshot.
    void receive(Log& log, SampleSnapshot const& sample)
    {
        store(log, sample, 0, sample.id.bytes);
        finish_chunks(log, sample.id);
    }

    /// The next end that the log reports; nothing if there is none for seconds.
    [[nodiscard]] std::optional<SnapshotEnd> await_end(Log& log)
    {
        user_.call("snapshot_end()");
        for (auto waited = 0; waited < 2500; ++waited) {
            if (auto end = files(log).snapshot_end())
                return end;
            user_.let_work();
        }
        return std::nullopt;
    }

    /// Waits for the end of this snapshot. Whether it is kept.
    bool ends_well(Log& log, SampleSnapshot const& sample, bool is_received)
    {
        auto const end = await_end(log);
        auto const is_right = end and end->id == sample.id and end->is_received == is_received;
        user_.expect(is_right, "every snapshot that is finished has one end",
                     not end ? "Seconds after " + name(sample.id) + " was finished, no end was reported."
                             : "Another end was reported than that of " + name(sample.id) + ".");
        if (not is_right)
            return false;
        user_.expect(not end->failure, "a snapshot that is whole is kept",
                     end->failure ? name(sample.id) + " could not be stored: " + end->failure->what : "");
        if (end->failure)
            return false;
        expect_kept(log, sample, is_received, "a snapshot that is whole is kept");
        return true;
    }

    /// Stores a snapshot, and waits until it is kept.
    [[nodiscard]] bool keep_own(Log& log, SampleSnapshot const& sample)
    {
        write_own(log, sample);
        return ends_well(log, sample, false);
    }
    [[nodiscard]] bool keep_received(Log& log, SampleSnapshot const& sample)
    {
        receive(log, sample);
        return ends_well(log, sample, true);
    }

    /// Null if it is not among those that are kept.
    [[nodiscard]] StoredSnapshot const* find(Log& log, SnapshotId const& id)
    {
        auto const& all = std::as_const(files(log)).snapshots();
        auto const  found = std::find_if(all.begin(), all.end(), [&](auto const& one) { return one.id == id; });
        return found == all.end() ? nullptr : &*found;
    }

    /// A snapshot is among those that are kept, and its bytes are there.
    void expect_kept(Log& log, SampleSnapshot const& sample, bool is_received, std::string const& law)
    {
        auto const* const stored = find(log, sample.id);
        user_.expect(stored != nullptr, law, name(sample.id) + " is not among snapshots().");
        if (stored == nullptr)
            return;
        user_.expect(*stored == StoredSnapshot{sample.id, sample.configurations, sample_peers(sample.configurations),
                                               is_received},
                     "a snapshot is listed as what it is",
                     name(sample.id) +
                         " is listed as received or own, or with the configurations or addresses, of another one.");
        user_.expect(bytes_of(log, sample.id) == sample.bytes, "a snapshot is read as it was written",
                     "The bytes of " + name(sample.id) + " are others.");
    }

    /// After a start: a snapshot that was kept before is still there, and is an own one only if its install was found.
    void expect_listed(Log& log, SampleSnapshot const& sample, bool is_received)
    {
        auto const* const stored = find(log, sample.id);
        user_.expect(stored != nullptr, "a snapshot survives until it is removed",
                     name(sample.id) + " is not among snapshots().");
        if (stored == nullptr)
            return;
        user_.expect(stored->is_received == is_received, "an install makes its snapshot an own one",
                     is_received ? name(sample.id) + " is listed as an own one, and its install was not found."
                                 : name(sample.id) + " is listed as received, and is installed.");
        user_.expect(bytes_of(log, sample.id) == sample.bytes, "a snapshot is read as it was written",
                     "The bytes of " + name(sample.id) + " are others.");
    }

    void expect_not_kept(Log& log, SampleSnapshot const& sample, std::string const& law)
    {
        user_.expect(find(log, sample.id) == nullptr, law, name(sample.id) + " is among snapshots().");
    }

    /// No end is left to report.
    void expect_no_end(Log& log)
    {
        user_.let_work();
        user_.expect(not files(log).snapshot_end(), "every snapshot that is finished has one end",
                     "An end was reported of what was not finished, or once more.");
    }

    /// All bytes of a snapshot, as far as they can be read.
    [[nodiscard]] Bytes bytes_of(Log& log, SnapshotId const& id)
    {
        auto bytes = Bytes{};
        while (bytes.size() < id.bytes) {
            auto const read = files(log).read_snapshot(id, bytes.size(), std::uint64_t{1} << 16U);
            if (not read or read->bytes.empty() or read->bytes.size() > id.bytes)
                break;
            bytes.insert(bytes.end(), read->bytes.begin(), read->bytes.end());
        }
        return bytes;
    }

    /// Ends the process, without a sync, and starts again. Null if that fails.
    [[nodiscard]] Log* restart(Recovered& found)
    {
        user_.call("stop()");
        user_.storage().stop();
        auto started = user_.open();
        if (started)
            found = std::move(started->found);
        return started ? started->log : nullptr;
    }

    [[nodiscard]] static std::string name(SnapshotId const& id)
    {
        return "the snapshot of " + std::to_string(id.bytes) + " bytes up to entry " +
               std::to_string(id.last.index.value);
    }

private:
    template <typename Give>
    void in_pieces(std::span<std::byte const> bytes, Give give)
    {
        for (auto at = std::size_t{0}; at < bytes.size(); at += piece_size) {
            auto const part = bytes.subspan(at, std::min(piece_size, bytes.size() - at));
            lent_.assign(part.begin(), part.end());
            give(at, std::span<std::byte const>{lent_});
            std::fill(lent_.begin(), lent_.end(), std::byte{0xA5});
        }
    }

    LogUser<Storage>& user_;
    Bytes             lent_ = Bytes(piece_size);
};

} // namespace totora::inline v0::conformance
