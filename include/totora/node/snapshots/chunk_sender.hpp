// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "totora/core/messages/local.hpp"
#include "totora/core/role.hpp"
#include "totora/core/state.hpp"
#include "totora/core/values/progress.hpp"
#include "totora/core/values/snapshot.hpp"
#include "totora/data/saturating.hpp"
#include "totora/node/parts/stepper.hpp"
#include "totora/node/snapshot_settings.hpp"
#include "totora/node/snapshots/chunk_window.hpp"
#include "totora/node/snapshots/restore_machine.hpp"
#include "totora/node/snapshots/snapshot_check.hpp"
#include "totora/node/snapshots/snapshot_effects.hpp"
#include "totora/node/snapshots/snapshot_file.hpp"
#include "totora/node/snapshots/transfer_pace.hpp"
#include "totora/node/status.hpp"
#include "totora/policy/log.hpp"
#include "totora/policy/snapshot_log.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <utility>
#include <variant>
#include <vector>

namespace totora::inline v0
{

/// Sends followers the chunks that the core wants for them, each follower one in a turn. Chunks are read when they may leave: in memory is no more
/// than one, and what a log that reads aside has read ahead. A follower whose chunk is being read holds up no other.
template <typename Policies>
class ChunkSender
{
public:
    using Log = Refined<KeepsSnapshots, typename Policies::Log>;

    ChunkSender(Log& log, SnapshotSettings const& settings, Stepper<Policies>& stepper)
        : log_(log), settings_(settings), stepper_(stepper), state_(stepper.state()),
          pace_(settings.transfer_bytes_per_second)
    {}

    /// Whether this snapshot is being sent.
    [[nodiscard]] bool is_sending(SnapshotId const& id) const
    {
        return std::any_of(windows_.begin(), windows_.end(),
                           [&](ChunkWindow const& window) { return window.snapshot() == id; });
    }

    /// Whether the next turn can send, or check, more at once.
    [[nodiscard]] bool can_send() const { return is_checking_ or (goes_on_ and pace_.allows()); }

    /// A snapshot that cannot be sent.
    struct Unreadable
    {
        SnapshotId    id;
        std::uint64_t until_ms = 0;       ///< Until then it is not tried again.
        bool          is_damaged = false; ///< It was read, and is not as it was written.
        bool          is_taken = false;
    };

    /// The last one, once.
    [[nodiscard]] std::optional<Unreadable> take_unreadable()
    {
        if (not unreadable_ or std::exchange(unreadable_->is_taken, true))
            return std::nullopt;
        return unreadable_;
    }

    void run(std::uint64_t now_ms)
    {
        goes_on_ = false;
        now_ms_ = now_ms;
        pace_.refill(now_ms);
        for (auto const& wanted : stepper_.snapshots().take_wanted())
            want(wanted);
        check();
        for (auto at = std::size_t{0}; at < windows_.size() and stepper_.running(); ++at)
            if (not is_needed(windows_[at]) or not send(windows_[at]))
                windows_.erase(windows_.begin() + static_cast<std::ptrdiff_t>(at--));
        if (not windows_
                    .empty()) // Another one begins the next turn: what may leave in one may be less than a chunk for each.
            std::rotate(windows_.begin(), windows_.begin() + 1, windows_.end());
    }

private:
    /// Whether the follower is still sent a snapshot by this server, which keeps this one.
    [[nodiscard]] bool is_needed(ChunkWindow& window) const
    {
        auto const* const progress = find_progress(state_, window.server());
        auto const* const sending = progress != nullptr ? std::get_if<SendSnapshot>(&progress->mode) : nullptr;
        if (sending == nullptr or not is_kept(window.snapshot()))
            return false;
        if (sending->snapshot == window.snapshot() and sending->received == window.snapshot().bytes)
            window.complete();
        return true;
    }

    [[nodiscard]] bool is_kept(SnapshotId const& id) const
    {
        auto const& kept = log_.snapshots();
        return std::any_of(kept.begin(), kept.end(), [&](auto const& one) { return one.id == id; });
    }

    void want(ChunkWanted const& wanted)
    {
        auto const window = std::find_if(windows_.begin(), windows_.end(),
                                         [&](ChunkWindow const& one) { return one.server() == wanted.server; });
        if (window != windows_.end() and window->snapshot() == wanted.snapshot) {
            if (window->take_complete() and wanted.offset == 0 and (not suspect_ or suspect_->id() != wanted.snapshot))
                suspect_.emplace(wanted.snapshot);
            return window->need(wanted.offset, now_ms_);
        }
        auto const* const stored = choose(wanted);
        if (stored == nullptr)
            return; // It is wanted again when the follower is asked again.
        auto const offset = stored->id == wanted.snapshot ? wanted.offset : 0;
        auto const begun = ChunkWindow{wanted.server, stored->id, offset, now_ms_};
        if (window != windows_.end())
            *window = begun;
        else if (windows_.size() < settings_.transfers_max or drop_silent())
            windows_.push_back(begun);
    }

    /// Ends the transfer to a follower that has answered nothing for two election timeouts: it goes on when the follower does.
    [[nodiscard]] bool drop_silent()
    {
        auto const patience_ms = 2 * state_.settings.election.at_most_ms;
        auto const silent = std::find_if(windows_.begin(), windows_.end(), [&](ChunkWindow const& window) {
            return now_ms_ - std::min(now_ms_, window.answered_ms()) > patience_ms;
        });
        if (silent == windows_.end())
            return false;
        windows_.erase(silent);
        return true;
    }

    /// Whether this one could not be read a short while ago.
    [[nodiscard]] bool is_unreadable(SnapshotId const& id) const
    {
        return unreadable_ and unreadable_->id == id and now_ms_ < unreadable_->until_ms;
    }

    /// The snapshot that is wanted, or else the newest one; none that cannot be read.
    [[nodiscard]] StoredSnapshot const* choose(ChunkWanted const& wanted) const
    {
        StoredSnapshot const* chosen = nullptr;
        for (auto const& one : log_.snapshots()) {
            if (one.is_received or one.id.last.index < wanted.at_least or is_unreadable(one.id))
                continue;
            chosen = &one;
            if (one.id == wanted.snapshot)
                break;
        }
        return chosen;
    }

    /// Reads a file again, a part in a turn, that a follower needs from its beginning although it had all of it: it may have been damaged on
    /// this server's disk, and would be refused again and again. Nothing is sent of it meanwhile.
    void check()
    {
        is_checking_ = false;
        if (not suspect_)
            return;
        auto const id = suspect_->id();
        if (not is_kept(id))
            return suspect_.reset();
        auto const block = read_if_at_hand(log_, id, suspect_->seen(), checked_bytes);
        if (not block and block.error().failure == LogFailure::not_now)
            return;
        if (block)
            suspect_->add(block->bytes);
        is_checking_ = block and not suspect_->ends();
        if (is_checking_)
            return;
        auto const header = suspect_->header();
        suspect_.reset();
        if (not block)
            set_aside(id, block.error());
        else if (not header)
            set_aside(id, {LogFailure::damaged, to_string(id) + " cannot be sent: " + header.error().what});
    }

    /// This one is not sent for a while, and another is to be taken.
    void set_aside(SnapshotId const& id, LogError const& error)
    {
        unreadable_ = Unreadable{id, add_sat(now_ms_, settings_.pause_ms), error.failure == LogFailure::damaged};
        stepper_.notify(SnapshotFailed{SnapshotStep::read, error.what});
    }

    /// Sends the next chunk, if it may leave; false if there is nothing to go on with.
    [[nodiscard]] bool send(ChunkWindow& window)
    {
        if (is_unreadable(window.snapshot()))
            return false;
        auto const bytes = window.chunk_bytes(settings_);
        if (bytes == 0 or not pace_.allows() or (suspect_ and suspect_->id() == window.snapshot()))
            return true;
        auto chunk = read_if_at_hand(log_, window.snapshot(), window.next(), bytes);
        if (not chunk and chunk.error().failure == LogFailure::not_now)
            return true;
        if (not chunk) {
            set_aside(window.snapshot(), chunk.error());
            return false;
        }
        auto const read = std::uint64_t{chunk->bytes.size()};
        auto const sent_before = stepper_.snapshots().bytes_sent();
        stepper_.snapshots().take_chunk(*std::move(chunk));
        stepper_.feed(nobody, ChunkReady{window.server(), window.snapshot(), window.next(), read});
        stepper_.snapshots().drop_chunk();
        window.sent(read);
        pace_.spend(read);
        if (stepper_.snapshots().bytes_sent() == sent_before)
            return false;
        goes_on_ = goes_on_ or window.chunk_bytes(settings_) > 0;
        return true;
    }

    static constexpr std::uint64_t checked_bytes = std::uint64_t{1} << 20U; ///< In one turn.

    Log&                     log_;
    SnapshotSettings const&  settings_;
    Stepper<Policies>&       stepper_;
    State const&             state_;
    TransferPace             pace_;
    std::uint64_t            now_ms_ = 0;
    std::vector<ChunkWindow> windows_; ///< One a follower that is sent a snapshot.

    std::optional<Unreadable>     unreadable_;          ///< The last one.
    std::optional<CheckedContent> suspect_;             ///< What is read again...
    bool                          is_checking_ = false; ///< ... and can be read on at once.

    bool goes_on_ =
        false; ///< More may be sent at once. What the log cannot read now waits for something else to happen.
};

} // namespace totora::inline v0
