// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "support/archetypes.hpp"
#include "totora/data/known_peers.hpp"
#include "totora/policy/durable_machine.hpp"
#include "totora/policy/snapshot_log.hpp"
#include "totora/policy/snapshot_machine.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

/// The archetypes of policies with snapshots: exactly what the refinements ask for, and nothing more.
namespace totora::test
{

/// A capture that can only be moved, and can write itself.
class ArchetypeCapture : Archetype
{
public:
    explicit ArchetypeCapture(std::uint64_t applied) : Archetype(0), applied_(applied) {}
    ArchetypeCapture(ArchetypeCapture&& other) noexcept : Archetype(0), applied_(other.applied_) {}
    ArchetypeCapture& operator=(ArchetypeCapture&& other) noexcept
    {
        applied_ = other.applied_;
        return *this;
    }

    void write(SnapshotSink& sink) const
    {
        auto bytes = std::array<std::byte, 8>{};
        put(bytes.data(), applied_);
        sink.write(bytes);
    }

private:
    std::uint64_t applied_;
};

/// A machine that counts what it applied, and can be brought back to that.
class ArchetypeSnapshotMachine : Archetype
{
public:
    using Archetype::Archetype;
    using Response = ArchetypeResponse;
    using Capture = ArchetypeCapture;

    void apply(std::span<EntryView const> commands, std::vector<Response>& responses)
    {
        for ([[maybe_unused]] auto const& command : commands)
            responses.emplace_back(++applied_);
    }

    [[nodiscard]] Index         applied_index() const { return {}; }
    [[nodiscard]] Capture       capture() const { return Capture{applied_}; }
    [[nodiscard]] std::uint32_t snapshot_format() const { return 1; }

    [[nodiscard]] std::optional<std::string> restore(SnapshotSource& source)
    {
        auto bytes = std::array<std::byte, 8>{};
        if (source.read(bytes) != bytes.size())
            return "it is too short";
        applied_ = get<std::uint64_t>(bytes.data());
        return std::nullopt;
    }

private:
    std::uint64_t applied_ = 0;
};

/// The same, which keeps itself.
class ArchetypeDurableMachine : public ArchetypeSnapshotMachine
{
public:
    using ArchetypeSnapshotMachine::ArchetypeSnapshotMachine;

    void apply(std::span<EntryView const> commands, std::vector<Response>& responses)
    {
        ArchetypeSnapshotMachine::apply(commands, responses);
        durable_ = commands.back().index;
    }

    [[nodiscard]] Index durable_index() const { return durable_; }

private:
    Index durable_;
};

/// The same with snapshots.
class ArchetypeSnapshotLog : public ArchetypeLog
{
public:
    using ArchetypeLog::ArchetypeLog;

    void compact(WriteNumber write, LogPosition base, Configurations const& configurations, KnownPeers const& peers)
    {
        memory().compact(write, base, configurations, peers);
    }
    void install(WriteNumber write, SnapshotId const& id, Configurations const& configurations, KnownPeers const& peers)
    {
        memory().install(write, id, configurations, peers);
    }
    void begin_snapshot() { memory().begin_snapshot(); }
    void write_snapshot(std::span<std::byte const> bytes) { memory().write_snapshot(bytes); }
    void finish_snapshot(SnapshotId const& id) { memory().finish_snapshot(id); }
    void drop_snapshot() { memory().drop_snapshot(); }
    void store_chunk(SnapshotId const& id, std::uint64_t offset, std::span<std::byte const> bytes)
    {
        memory().store_chunk(id, offset, bytes);
    }
    void                                     finish_chunks(SnapshotId const& id) { memory().finish_chunks(id); }
    void                                     drop_chunks() { memory().drop_chunks(); }
    void                                     remove_snapshot(SnapshotId const& id) { memory().remove_snapshot(id); }
    [[nodiscard]] std::optional<SnapshotEnd> snapshot_end() { return memory().snapshot_end(); }
    [[nodiscard]] std::vector<StoredSnapshot> const& snapshots() const { return memory().snapshots(); }
    [[nodiscard]] SnapshotReception                  reception() const { return memory().reception(); }
    [[nodiscard]] std::optional<LogError> finish_install(SnapshotId const& id) { return memory().finish_install(id); }
    [[nodiscard]] Result<PinnedBytes, LogError>
    read_snapshot(SnapshotId const& id, std::uint64_t offset, std::uint64_t bytes_max)
    {
        return memory().read_snapshot(id, offset, bytes_max);
    }
};

class ArchetypeChunkTransport : public ArchetypeTransport
{
public:
    using ArchetypeTransport::ArchetypeTransport;

    void send_chunk(Released const&, PinnedBytes const&) {}
};

static_assert(snapshot_machine<ArchetypeSnapshotMachine> and not snapshot_machine<ArchetypeMachine>);
static_assert(durable_machine<ArchetypeDurableMachine> and not durable_machine<ArchetypeSnapshotMachine>);
static_assert(snapshot_log<ArchetypeSnapshotLog> and not snapshot_log<ArchetypeLog>);
static_assert(chunk_transport<ArchetypeChunkTransport> and not chunk_transport<ArchetypeTransport>);

} // namespace totora::test
