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
#include <array>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <sys/stat.h>

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

    explicit StoreImport(Import const& wanted) : wanted_(wanted), directory_(wanted.server.directory)
    {
        while (directory_.size() > 1 and directory_.back() == '/')
            directory_.pop_back();
        unfinished_ = directory_ + ".importing";
    }

    [[nodiscard]] Imported run()
    {
        auto failure = std::error_code{};
        if (std::filesystem::exists(directory_, failure) and not std::filesystem::is_empty(directory_, failure))
            return totora::Unexpected{directory_ + ": it exists: a directory is made once, name another one"};
        if (std::filesystem::exists(unfinished_, failure))
            return totora::Unexpected{unfinished_ +
                                      ": another import makes it, or one was interrupted: if none runs, remove it"};
        auto file = BackupReader::open(wanted_.file);
        if (not file)
            return totora::Unexpected{file.error()};
        if (auto const refusal = check(*file))
            return totora::Unexpected{wanted_.file + ": " + *refusal};
        if (auto const refusal = make(*file)) {
            if (is_made_)
                std::filesystem::remove_all(unfinished_, failure);
            return totora::Unexpected{*refusal};
        }
        auto const& last = file->header().last;
        return "imported " + std::to_string(keys_) + " keys: the log begins after entry " +
               std::to_string(last.index.value) + " (term " + std::to_string(last.term.value) + ")\n";
    }

private:
    using Log = totora::SegmentedLog<totora::PosixFiles, totora::InlineSyncer>;

    /// Reads all of it: every byte, by the checksum, and by the store. Then computes the checksum that it has in the new cluster: with its first
    /// members, and without the addresses of the old one, where clients would be sent to.
    [[nodiscard]] std::optional<std::string> check(BackupReader& file)
    {
        auto const whole = checksum_of(file, 0, 0, "checks");
        if (not whole)
            return whole.error();
        auto trailer = std::vector<std::byte>(totora::snapshot_trailer_size);
        if (auto const got = file.read(file.end(), trailer);
            not got or *got < trailer.size() or totora::get<std::uint32_t>(trailer.data()) != *whole)
            return std::string{to_string(totora::SnapshotFault::damaged)};
        checksum_ = *whole;
        if (auto refusal = read_by_store(file))
            return refusal;
        auto const addresses = skip_addresses(file);
        if (not addresses)
            return addresses.error();
        keys_begin_ = *addresses;
        auto const peers = totora::configuration_of(totora::Index{}, wanted_.server.peers);
        head_ = totora::encode_snapshot_header({file.header().machine_format, file.header().last,
                                                totora::Configurations{*peers, *peers},
                                                totora::KnownPeers{wanted_.server.peers, wanted_.server.peers}});
        head_.resize(head_.size() + sizeof(std::uint32_t)); // No addresses.
        auto const changed = checksum_of(file, keys_begin_, totora::crc32c(head_, 0), "prepares");
        if (not changed)
            return changed.error();
        id_ = {file.header().last, head_.size() + (file.end() - keys_begin_) + trailer.size(), *changed};
        return std::nullopt;
    }

    /// Of what a file holds from `offset` on, up to its own checksum.
    [[nodiscard]] static totora::Result<std::uint32_t, std::string>
    checksum_of(BackupReader& file, std::uint64_t offset, std::uint32_t checksum, std::string_view what)
    {
        auto bar = ProgressBar{what};
        auto block = std::vector<std::byte>(std::size_t{1} << 20U);
        while (offset < file.end()) {
            auto const wanted = std::min<std::uint64_t>(block.size(), file.end() - offset);
            auto const got = file.read(offset, std::span{block}.first(static_cast<std::size_t>(wanted)));
            if (not got or *got == 0)
                return totora::Unexpected{got ? std::string{to_string(totora::SnapshotFault::truncated)} : got.error()};
            checksum = totora::crc32c(std::span{block}.first(*got), checksum);
            offset += *got;
            bar.show(offset, file.end());
        }
        return checksum;
    }

    /// Where the keys begin in a file that was checked: after the addresses (`store_format`).
    [[nodiscard]] static totora::Result<std::uint64_t, std::string> skip_addresses(BackupReader& file)
    {
        auto       offset = file.begin();
        auto       number = std::array<std::byte, 12>{};
        auto const four = std::span{number}.first<4>();
        if (auto const got = file.read(offset, four); not got)
            return totora::Unexpected{got.error()};
        offset += four.size();
        for (auto left = totora::get<std::uint32_t>(number.data()); left > 0; --left) {
            if (auto const got = file.read(offset, number); not got)
                return totora::Unexpected{got.error()};
            offset += number.size() + totora::get<std::uint32_t>(number.data() + 8);
        }
        return offset;
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
        auto const  identity = totora::Identity{totora::cluster_of(server.cluster, server.peers, token()), server.id,
                                               totora::first_incarnation, server.peers};
        if (auto const created = totora::create_log(*files, identity); not created)
            return unfinished_ + ": " + created.error().what;
        auto log = Log::open(*std::move(files), {});
        if (not log)
            return unfinished_ + ": " + log.error().what;
        if (auto refusal = fill(*log, file))
            return unfinished_ + ": " + *refusal;
        if (std::rename(unfinished_.c_str(), directory_.c_str()) != 0)
            return failed_with(directory_);
        auto const above = std::filesystem::path{directory_}.parent_path();
        auto const folder = BackupDescriptor{above.empty() ? "." : above.string(), O_RDONLY | O_DIRECTORY};
        if (folder.number() < 0 or ::fsync(folder.number()) != 0)
            return failed_with(above.string());
        return std::nullopt;
    }

    /// The backup is a part of what the cluster is: servers that were made of another one, or of none, would take each other's entries for
    /// those that they hold.
    [[nodiscard]] std::string token() const
    {
        return wanted_.server.token + " imported " + std::to_string(id_.last.index.value) + " " +
               std::to_string(id_.last.term.value) + " " + std::to_string(id_.bytes) + " " + std::to_string(checksum_);
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
        log.install(totora::WriteNumber{2}, id_, stored.configurations, stored.peers);
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
        log.store_chunk(id_, 0, head_);
        auto block = std::vector<std::byte>(std::size_t{1} << 20U);
        for (auto offset = keys_begin_; offset < file.end();) {
            auto const wanted = std::min<std::uint64_t>(block.size(), file.end() - offset);
            auto const got = file.read(offset, std::span{block}.first(static_cast<std::size_t>(wanted)));
            if (not got or *got == 0)
                return; // It is seen to be incomplete.
            log.store_chunk(id_, head_.size() + (offset - keys_begin_), std::span{block}.first(*got));
            offset += *got;
            bar.show(offset, file.end());
        }
        log.store_chunk(id_, id_.bytes - trailer.size(), trailer);
    }

    Import const&          wanted_;
    std::string            directory_;
    std::string            unfinished_;
    std::vector<std::byte> head_;           ///< What stands before the keys in the new cluster.
    std::uint64_t          keys_begin_ = 0; ///< In the file.
    std::uint32_t          checksum_ = 0;   ///< Of the file.
    totora::SnapshotId     id_;
    std::size_t            keys_ = 0;
    bool                   is_made_ = false; ///< There is a directory to be removed if that goes wrong.
};

} // namespace kv
