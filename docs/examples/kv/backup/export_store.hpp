// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "../machine/key_value.hpp"
#include "../start/invocation.hpp"
#include "backup_file.hpp"
#include "progress_bar.hpp"

#include "totora/core/values/configurations.hpp"
#include "totora/data/snapshot_format.hpp"
#include "totora/log/log_reader.hpp"
#include "totora/log/posix_files.hpp"
#include "totora/log/snapshots/snapshot_file_header.hpp"
#include "totora/node/snapshots/restore_machine.hpp"

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace kv
{

/// Why nothing was exported.
struct NotExported
{
    std::string what;
    bool        is_damaged = false; ///< What was to be exported is. Otherwise the operator can set it right.
};

/// What was exported, for the operator; or why nothing was.
using Exported = totora::Result<std::string, NotExported>;

[[nodiscard]] inline std::string described(totora::LogPosition const& last, std::uint64_t bytes)
{
    return "the state up to entry " + std::to_string(last.index.value) + " (term " + std::to_string(last.term.value) +
           "), " + std::to_string(bytes) + " bytes\n";
}

/// Exports what a server that does not run had committed: its newest snapshot, and the entries after that.
class OfflineExport
{
public:
    explicit OfflineExport(Export const& wanted) : wanted_(wanted) {}

    [[nodiscard]] Exported run()
    {
        auto files = totora::PosixFiles::open_directory(wanted_.directory);
        if (not files)
            return fail(files.error().failure == totora::LogFailure::in_use
                            ? "its server runs: stop it, or export its newest snapshot with --online"
                            : files.error().what);
        auto log = totora::LogReader<totora::PosixFiles>::open(*std::move(files));
        if (not log)
            return fail(log.error().what, log.error().failure == totora::LogFailure::damaged);
        if (auto refusal = restore(*log))
            return fail(*refusal, true);
        if (auto refusal = apply(*log))
            return fail(*refusal, true);
        return write(log->recovered());
    }

private:
    using Log = totora::LogReader<totora::PosixFiles>;

    [[nodiscard]] Exported fail(std::string const& why, bool is_damaged = false) const
    {
        return totora::Unexpected{NotExported{wanted_.directory + ": " + why, is_damaged}};
    }

    /// From the newest snapshot of the server's own that is whole and reaches what the log begins with.
    [[nodiscard]] std::optional<std::string> restore(Log& log)
    {
        auto const  base = log.recovered().entries.base();
        auto const& all = log.snapshots();
        auto        why = std::string{};
        for (auto one = all.rbegin(); one != all.rend() and applied_ == totora::LogPosition{}; ++one) {
            if (one->is_received or one->id.last.index < base.index)
                continue;
            if (auto const failed = totora::restore_machine(store_, log, one->id, totora::check_snapshot(log, one->id)))
                why = failed->what;
            else
                applied_ = one->id.last;
        }
        if (applied_.index >= base.index)
            return std::nullopt;
        return "its log begins after entry " + std::to_string(base.index.value) +
               ", and there is no snapshot that reaches it" + (why.empty() ? std::string{} : ": " + why);
    }

    [[nodiscard]] std::optional<std::string> apply(Log& log)
    {
        auto const& recovered = log.recovered();
        auto        bar = ProgressBar{"reads the log"};
        auto        answers = std::vector<Answer>{};
        while (applied_.index < recovered.commit_index) {
            auto const entries = log.read(next(applied_.index), recovered.commit_index, std::uint64_t{1} << 20U);
            if (not entries)
                return entries.error().what;
            for (auto const& entry : *entries) {
                applied_ = {entry.term, entry.index};
                if (entry.kind == totora::EntryKind::command)
                    store_.apply({&entry, 1}, answers);
            }
            answers.clear();
            bytes_read_ += entries->bytes();
            bar.show(bytes_read_, 0);
        }
        return std::nullopt;
    }

    [[nodiscard]] Exported write(totora::Recovered const& recovered)
    {
        auto const configurations = totora::Configurations{recovered.configuration, recovered.previous_configuration};
        auto       file = BackupWriter{wanted_.file};
        auto       bar = ProgressBar{"exports"};
        file.write(
            totora::encode_snapshot_header({store_.snapshot_format(), applied_, configurations, recovered.peers}));
        auto const capture = store_.capture();
        for (auto part = std::uint64_t{0}; capture.write_part(file, part) and not file.failure(); ++part)
            bar.show(file.bytes(), 0);
        file.put_checksum();
        if (auto const failure = file.finish())
            return totora::Unexpected{NotExported{*failure}};
        auto text = "exported " + std::to_string(store_.size()) + " keys: " + described(applied_, file.bytes());
        if (not recovered.cleanly_stopped)
            text +=
                "the server did not stop cleanly: what it acknowledged last may be missing. Its log goes on to entry " +
                std::to_string(recovered.entries.last().index.value) + "\n";
        return text;
    }

    Export const&       wanted_;
    KeyValue            store_;
    totora::LogPosition applied_;
    std::uint64_t       bytes_read_ = 0;
};

/// Exports the newest snapshot of a server that runs, or does not: a copy of its file, checked as it is made.
class OnlineExport
{
public:
    explicit OnlineExport(Export const& wanted) : wanted_(wanted) {}

    [[nodiscard]] Exported run()
    {
        for (auto tries = 0; tries < 10; ++tries) {
            auto stream = std::ifstream{};
            auto refusal = std::string{};
            if (auto const id = find_newest(stream, refusal))
                return copy(stream, *id);
            if (not refusal.empty())
                return totora::Unexpected{NotExported{wanted_.directory + ": " + refusal}};
        } // A file that was listed is gone: a newer one has taken its place.
        return totora::Unexpected{NotExported{wanted_.directory + ": its snapshots change too fast: try again"}};
    }

private:
    /// The newest snapshot, of this server or received from another one, opened. Nothing if one was removed meanwhile, or `refusal` says why.
    [[nodiscard]] std::optional<totora::SnapshotId> find_newest(std::ifstream& newest, std::string& refusal) const
    {
        auto found = std::optional<totora::SnapshotId>{};
        auto failure = std::error_code{};
        for (auto const& file : std::filesystem::directory_iterator{wanted_.directory, failure}) {
            auto const number = totora::snapshot_number_of(file.path().filename().native());
            if (not number or file.path().extension() == ".new")
                continue;
            auto candidate = std::ifstream{file.path(), std::ios::binary};
            if (not candidate) {
                refusal = errno == ENOENT ? std::string{} : failed_with(file.path().string());
                return std::nullopt;
            }
            auto head = std::vector<std::byte>(totora::snapshot_file_header_size);
            candidate.read(reinterpret_cast<char*>(head.data()), static_cast<std::streamsize>(head.size()));
            auto const header = totora::decode_snapshot_file_header(head);
            if (header and (not found or found->last.index < header->id.last.index)) {
                found = header->id;
                newest = std::move(candidate);
            }
        }
        if (failure)
            refusal = failure.message();
        else if (not found)
            refusal = "there is no snapshot: ask for one with RAFT.SNAPSHOT";
        return found;
    }

    [[nodiscard]] Exported copy(std::ifstream& from, totora::SnapshotId const& id) const
    {
        auto file = BackupWriter{wanted_.file};
        auto check = totora::SnapshotCheck{id};
        auto bar = ProgressBar{"exports"};
        auto block = std::vector<std::byte>(std::size_t{1} << 20U);
        while (check.seen() < id.bytes and not file.failure()) {
            auto const wanted = std::min<std::uint64_t>(block.size(), id.bytes - check.seen());
            from.read(reinterpret_cast<char*>(block.data()), static_cast<std::streamsize>(wanted));
            auto const got = std::span{block}.first(static_cast<std::size_t>(from.gcount()));
            if (got.empty())
                break;
            check.add(got);
            file.put(got);
            bar.show(check.seen(), id.bytes);
        }
        if (not file.failure() and not check.is_whole())
            return totora::Unexpected{
                NotExported{wanted_.directory + ": its newest snapshot is damaged: nothing was exported", true}};
        if (auto const failure = file.finish())
            return totora::Unexpected{NotExported{*failure}};
        return "exported " + described(id.last, id.bytes);
    }

    Export const& wanted_;
};

/// `kv export`.
[[nodiscard]] inline Exported export_store(Export const& wanted)
{
    return wanted.is_online ? OnlineExport{wanted}.run() : OfflineExport{wanted}.run();
}

} // namespace kv
