// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "../machine/key_value.hpp"
#include "../start/invocation.hpp"
#include "backup_file.hpp"
#include "progress_bar.hpp"

#include "totora/core/values/configuration.hpp"
#include "totora/core/values/configurations.hpp"
#include "totora/data/identity.hpp"
#include "totora/data/snapshot_format.hpp"
#include "totora/log/log_directory.hpp"
#include "totora/log/posix_files.hpp"
#include "totora/log/segmented_log.hpp"
#include "totora/log/syncer.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace kv
{

/// The store's part of a backup, as its state machine reads it; what stands around it is checked meanwhile.
class BackupSource final : public totora::SnapshotSource
{
public:
    BackupSource(BackupReader& file, ProgressBar& bar)
        : SnapshotSource(file.header().machine_format), file_(file), bar_(bar), offset_(file.begin())
    {}

    [[nodiscard]] std::size_t read(std::span<std::byte> into) override
    {
        auto filled = std::size_t{0};
        while (filled < into.size() and (not unread_.empty() or read_block())) {
            auto const taken = std::min(into.size() - filled, unread_.size());
            std::copy_n(unread_.begin(), taken, into.begin() + static_cast<std::ptrdiff_t>(filled));
            filled += taken;
            unread_ = unread_.subspan(taken);
        }
        return filled;
    }

    [[nodiscard]] std::optional<std::string> const& failure() const { return failure_; }

private:
    [[nodiscard]] bool read_block()
    {
        block_.resize(std::size_t{1} << 20U);
        auto const wanted = std::min<std::uint64_t>(block_.size(), file_.end() - offset_);
        auto const got = file_.read(offset_, std::span{block_}.first(static_cast<std::size_t>(wanted)));
        if (not got)
            failure_ = got.error();
        unread_ = std::span<std::byte const>{block_}.first(got ? *got : 0);
        offset_ += unread_.size();
        bar_.show(offset_, file_.end());
        return not unread_.empty();
    }

    BackupReader&              file_;
    ProgressBar&               bar_;
    std::uint64_t              offset_;
    std::vector<std::byte>     block_;
    std::span<std::byte const> unread_;
    std::optional<std::string> failure_;
};

/// Makes the directory of a server of a new cluster out of a backup: its log begins after the entry that the backup reaches, and the
/// first members are those of the new cluster.
///
/// All or nothing: everything is made beside the directory, and renamed at the end.
class StoreImport
{
public:
    using Imported = totora::Result<std::string, std::string>;

    explicit StoreImport(Import const& wanted) : wanted_(wanted), unfinished_(wanted.server.directory + ".importing") {}

    [[nodiscard]] Imported run()
    {
        auto exists = std::error_code{};
        for (auto const& path : {wanted_.server.directory, unfinished_})
            if (std::filesystem::exists(path, exists))
                return totora::Unexpected{path + (path == unfinished_
                                                      ? ": an import was interrupted: remove it, and import again"
                                                      : ": it exists: a directory is made once, name another one")};
        auto file = BackupReader::open(wanted_.file);
        if (not file)
            return totora::Unexpected{file.error()};
        if (auto const refusal = check(*file))
            return totora::Unexpected{wanted_.file + ": " + *refusal};
        if (auto const refusal = make(*file)) {
            std::filesystem::remove_all(unfinished_, exists);
            return totora::Unexpected{*refusal};
        }
        auto const& last = file->header().last;
        return "imported " + std::to_string(keys_) + " keys: the log begins after entry " +
               std::to_string(last.index.value) + " (term " + std::to_string(last.term.value) + ")\n";
    }

private:
    using Log = totora::SegmentedLog<totora::PosixFiles, totora::InlineSyncer>;

    /// Reads all of it once: every byte, by the checksum, and by the store. And computes the checksum that it has with the header of the
    /// new cluster.
    [[nodiscard]] std::optional<std::string> check(BackupReader& file)
    {
        auto const peers = totora::configuration_of(totora::Index{}, wanted_.server.peers);
        header_ = totora::encode_snapshot_header(
            {file.header().machine_format, file.header().last, totora::Configurations{*peers, *peers}});
        auto old_header = std::vector<std::byte>(static_cast<std::size_t>(file.begin()));
        if (auto const got = file.read(0, old_header); not got)
            return got.error();
        auto bar = ProgressBar{"checks"};
        auto before = totora::crc32c(old_header, 0);
        auto after = totora::crc32c(header_, 0);
        auto block = std::vector<std::byte>(std::size_t{1} << 20U);
        for (auto offset = file.begin(); offset < file.end();) {
            auto const wanted = std::min<std::uint64_t>(block.size(), file.end() - offset);
            auto const got = file.read(offset, std::span{block}.first(static_cast<std::size_t>(wanted)));
            if (not got or *got == 0)
                return got ? std::string{to_string(totora::SnapshotFault::truncated)} : got.error();
            before = totora::crc32c(std::span{block}.first(*got), before);
            after = totora::crc32c(std::span{block}.first(*got), after);
            offset += *got;
            bar.show(offset, file.end());
        }
        auto trailer = std::vector<std::byte>(totora::snapshot_trailer_size);
        if (not file.read(file.end(), trailer) or totora::get<std::uint32_t>(trailer.data()) != before)
            return std::string{to_string(totora::SnapshotFault::damaged)};
        id_ = {file.header().last, header_.size() + (file.end() - file.begin()) + trailer.size(), after};
        return read_by_store(file);
    }

    [[nodiscard]] std::optional<std::string> read_by_store(BackupReader& file)
    {
        auto bar = ProgressBar{"reads"};
        auto source = BackupSource{file, bar};
        auto store = KeyValue{};
        if (auto refusal = store.restore(source))
            return source.failure() ? source.failure() : refusal;
        keys_ = store.size();
        return std::nullopt;
    }

    [[nodiscard]] std::optional<std::string> make(BackupReader& file)
    {
        auto files = totora::PosixFiles::make_directory(unfinished_);
        if (not files)
            return unfinished_ + ": " + files.error().what;
        auto const& server = wanted_.server;
        auto const  identity = totora::Identity{totora::cluster_of(server.cluster, server.peers, server.token),
                                               server.id, totora::first_incarnation, server.peers};
        if (auto const created = totora::create_log(*files, identity); not created)
            return unfinished_ + ": " + created.error().what;
        auto log = Log::open(*std::move(files), {});
        if (not log)
            return unfinished_ + ": " + log.error().what;
        if (auto refusal = fill(*log, file))
            return unfinished_ + ": " + *refusal;
        if (std::rename(unfinished_.c_str(), server.directory.c_str()) != 0)
            return failed_with(server.directory);
        auto const above = std::filesystem::path{server.directory}.parent_path();
        auto const folder = BackupDescriptor{above.empty() ? "." : above.string(), O_RDONLY | O_DIRECTORY};
        if (folder.number() < 0 or ::fsync(folder.number()) != 0)
            return failed_with(above.string());
        return std::nullopt;
    }

    /// As a server that receives a snapshot: the file, the boundary, and a term that is not below it.
    [[nodiscard]] std::optional<std::string> fill(Log& log, BackupReader& file)
    {
        if (auto const recovered = log.recover(); not recovered)
            return recovered.error().what;
        store_chunks(log, file);
        log.finish_chunks(id_);
        auto const end = log.snapshot_end();
        if (not end or end->failure)
            return end and end->failure ? end->failure->what : std::string{"the snapshot could not be stored"};
        auto const& stored = log.snapshots().back();
        log.save_vote(totora::WriteNumber{1}, id_.last.term, std::nullopt);
        log.install(totora::WriteNumber{2}, id_, stored.configurations);
        log.sync();
        log.close();
        if (auto const failed = log.failure())
            return failed->what;
        return std::nullopt;
    }

    void store_chunks(Log& log, BackupReader& file)
    {
        auto bar = ProgressBar{"imports"};
        auto trailer = std::vector<std::byte>(totora::snapshot_trailer_size);
        totora::put(trailer.data(), static_cast<std::uint32_t>(id_.checksum));
        log.store_chunk(id_, 0, header_);
        auto block = std::vector<std::byte>(std::size_t{1} << 20U);
        for (auto offset = file.begin(); offset < file.end();) {
            auto const wanted = std::min<std::uint64_t>(block.size(), file.end() - offset);
            auto const got = file.read(offset, std::span{block}.first(static_cast<std::size_t>(wanted)));
            if (not got or *got == 0)
                return; // It is seen to be incomplete.
            log.store_chunk(id_, header_.size() + (offset - file.begin()), std::span{block}.first(*got));
            offset += *got;
            bar.show(offset, file.end());
        }
        log.store_chunk(id_, id_.bytes - trailer.size(), trailer);
    }

    Import const&          wanted_;
    std::string            unfinished_;
    std::vector<std::byte> header_; ///< Of the snapshot in the new cluster.
    totora::SnapshotId     id_;
    std::size_t            keys_ = 0;
};

} // namespace kv
