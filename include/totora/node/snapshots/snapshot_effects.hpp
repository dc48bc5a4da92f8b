// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "totora/core/messages/release.hpp"
#include "totora/core/messages/rpc.hpp"
#include "totora/core/outgoing.hpp"
#include "totora/core/state.hpp"
#include "totora/core/values/configurations.hpp"
#include "totora/core/values/inplace_vector.hpp"
#include "totora/core/values/snapshot.hpp"
#include "totora/core/write.hpp"
#include "totora/data/payload.hpp"
#include "totora/node/parts/address_book.hpp"
#include "totora/node/snapshots/has_snapshots.hpp"

#include <cstdint>
#include <optional>
#include <utility>
#include <variant>

namespace totora::inline v0
{

/// What the steps of a node want done with snapshots. Of a node without snapshots nothing: they never want any.
template <typename Policies, bool = has_snapshots<Policies>>
class SnapshotEffects
{
public:
    explicit SnapshotEffects(Policies&) {}

    /// False: the write cannot be made.
    template <typename Boundary>
    [[nodiscard]] bool make(Boundary const&, State const&, AddressBook const&)
    {
        return false;
    }

    void               perform(State const&, Outgoing const&) {}
    [[nodiscard]] bool send(Envelope const&) { return false; }
};

/// Performs them, in the order of decision 0010: what takes time is only noted here, and done between two steps.
template <typename Policies>
class SnapshotEffects<Policies, true>
{
public:
    using Wanted = InplaceVector<ChunkWanted, servers_max>;

    explicit SnapshotEffects(Policies& policies)
        : log_(refined<KeepsSnapshots>(policies.log)), transport_(refined<CarriesChunks>(policies.transport))
    {}

    [[nodiscard]] bool make(Compact const& one, State const& state, AddressBook const& book)
    {
        auto const configurations = configurations_at(state.configurations, one.base.index);
        if (configurations)
            log_.compact(one.write, one.base, *configurations, book.at(one.base.index));
        return configurations.has_value();
    }

    /// The book continues with the members that the snapshot names.
    [[nodiscard]] bool make(Install const& one, State const& state, AddressBook& book)
    {
        for (auto const& stored : log_.snapshots())
            if (stored.id == one.snapshot) {
                book.install(stored.peers, state.configurations);
                log_.install(one.write, one.snapshot, state.configurations, book.at(one.snapshot.last.index));
                return true;
            }
        return false;
    }

    void perform(State const& state, Outgoing const& outgoing)
    {
        if (outgoing.store_chunk)
            store(state, *outgoing.store_chunk);
        if (outgoing.restore)
            restore_ = outgoing.restore;
        for (auto const& wanted : outgoing.chunks_wanted)
            want(wanted);
    }

    /// Sends a message that carries a chunk, the one at hand; false if it carries none.
    [[nodiscard]] bool send(Envelope const& envelope)
    {
        auto const* const message = std::get_if<InstallSnapshot>(&envelope.rpc());
        auto const        released = envelope.open();
        if (message == nullptr or message->bytes == 0 or not released)
            return false;
        transport_.send_chunk(*released, chunk_);
        bytes_sent_ += chunk_.bytes.size();
        return true;
    }

    /// A chunk is at hand: the step that is taken now may store or send it.
    void take_chunk(PinnedBytes chunk) { chunk_ = std::move(chunk); }
    void drop_chunk() { chunk_ = {}; }

    /// From where the machine is to be restored before it is given anything else.
    [[nodiscard]] std::optional<LogPosition> const& restore() const { return restore_; }
    void                                            restored() { restore_.reset(); }

    /// The chunks that were wanted since this was last asked.
    [[nodiscard]] Wanted take_wanted() { return wanted_.empty() ? Wanted{} : std::exchange(wanted_, {}); }
    [[nodiscard]] bool   wants_any() const { return not wanted_.empty(); }

    /// The log has a part of a snapshot that an earlier process received. It is dropped if this server has no use for it.
    void resume() { storing_ = log_.reception().snapshot; }

    /// Drops what was stored of a snapshot that this server is not receiving any more.
    void drop_unwanted_chunks(State const& state)
    {
        if (storing_ == SnapshotId{} or storing_ == state.reception.snapshot)
            return;
        log_.drop_chunks();
        storing_ = SnapshotId{};
    }

    /// A snapshot could not be stored: until then no chunk of it is taken.
    void               pause(SnapshotId const& id, std::uint64_t until_ms) { not_stored_ = NotStored{id, until_ms}; }
    [[nodiscard]] bool is_paused(SnapshotId const& id) const { return not_stored_ and not_stored_->id == id; }

    /// What is received again from now on, once.
    [[nodiscard]] std::optional<SnapshotId> end_pause(std::uint64_t now_ms)
    {
        if (not not_stored_ or now_ms < not_stored_->until_ms)
            return std::nullopt;
        return std::exchange(not_stored_, std::nullopt)->id;
    }

    [[nodiscard]] std::uint64_t bytes_sent() const { return bytes_sent_; }

private:
    struct NotStored
    {
        SnapshotId    id;
        std::uint64_t until_ms = 0;
    };

    void store(State const& state, StoreChunk const& chunk)
    {
        log_.store_chunk(chunk.snapshot, chunk.offset, chunk_.bytes);
        storing_ = chunk.snapshot;
        if (state.reception.is_complete()) {
            log_.finish_chunks(chunk.snapshot);
            storing_ = SnapshotId{};
        }
    }

    void want(ChunkWanted const& wanted)
    {
        for (auto& earlier : wanted_)
            if (earlier.server == wanted.server) {
                earlier = wanted;
                return;
            }
        static_cast<void>(wanted_.push_back(wanted));
    }

    Refined<KeepsSnapshots, typename Policies::Log>&      log_;
    Refined<CarriesChunks, typename Policies::Transport>& transport_;
    PinnedBytes                                           chunk_;      ///< At hand in this step.
    SnapshotId                                            storing_;    ///< Of which chunks were stored, and not all.
    std::optional<NotStored>                              not_stored_; ///< The last one.
    std::optional<LogPosition>                            restore_;
    Wanted                                                wanted_; ///< At most one a follower.
    std::uint64_t                                         bytes_sent_ = 0;
};

} // namespace totora::inline v0
