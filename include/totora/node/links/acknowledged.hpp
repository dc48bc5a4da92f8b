// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "totora/core/messages/rpc.hpp"
#include "totora/core/state.hpp"
#include "totora/core/values/configuration.hpp"
#include "totora/core/values/inplace_vector.hpp"
#include "totora/core/values/progress.hpp"
#include "totora/core/values/search.hpp"
#include "totora/core/values/types.hpp"

#include <algorithm>
#include <optional>

namespace totora::inline v0
{

/// A server whose log ends below what it had acknowledged and what is committed: its disk was lost, or set back.
struct SetBack
{
    ServerId    server;
    Incarnation incarnation;
    Index       acknowledged; ///< The highest index that it had acknowledged and that is committed.
    Index       found;        ///< Its last entry that can agree with the leader's log.

    friend bool operator==(SetBack const&, SetBack const&) = default;
};

/// What the followers of this server have acknowledged, of what is committed, for as long as the process runs (case 68).
///
/// A member whose disk was lost or set back would help to elect a leader without what is committed. It is found where it shows:
/// when it refuses an append although it had acknowledged as much. What was not committed may rightly have been truncated by a
/// later leader. Best effort: a process that was started since knows nothing, and the others learn nothing from this one.
class AcknowledgedEntries
{
public:
    /// A leader has taken in a response of a follower, to a heartbeat for instance. `follower` is as the configuration has it.
    void note(Member const& follower, Progress const& progress, State const& leader)
    {
        auto const held = std::min(progress.match, leader.commit_index);
        auto*      known = find(follower.id);
        if (known == nullptr or known->incarnation != follower.incarnation) {
            if (known == nullptr and not all_.push_back({}))
                return;
            known = known != nullptr ? known : &all_.back();
            *known = {follower.id, follower.incarnation, {}, {}, {}, false};
        }
        if (held <= known->held or known->is_set_back)
            return;
        *known = {follower.id, follower.incarnation, held, leader.current_term, progress.sent, false};
    }

    /// Whether a response to a leader shows that the follower's log was set back; the first time it does. Answers to what was sent
    /// before the acknowledgement show the log as it was then. A heartbeat tests what the follower had acknowledged when it was
    /// sent, so that its refusal is proof, and comes also where nothing is written.
    [[nodiscard]] std::optional<SetBack>
    check(Member const& follower, State const& leader, AppendEntriesResponse const& response)
    {
        auto* const known = find(follower.id);
        if (known == nullptr or known->incarnation != follower.incarnation or known->is_set_back)
            return std::nullopt;
        auto const is_later =
            response.number == AppendNumber{} or leader.current_term > known->term or response.number > known->sent;
        if (response.success or response.term != leader.current_term or not is_later or response.match < known->held or
            response.conflict_hint.index >= known->held)
            return std::nullopt;
        known->is_set_back = any_set_back_ = true;
        return SetBack{follower.id, follower.incarnation, known->held, response.conflict_hint.index};
    }

    /// Whether any server was ever found to be set back.
    [[nodiscard]] bool knows_any_set_back() const { return any_set_back_; }

    /// Whether it was found to be set back. Its votes and acknowledgements count no more.
    [[nodiscard]] bool is_set_back(Member const& follower) const
    {
        return core::any_of(all_, [&](Known const& known) {
            return known.server == follower.id and known.incarnation == follower.incarnation and known.is_set_back;
        });
    }

private:
    struct Known
    {
        ServerId     server;
        Incarnation  incarnation;
        Index        held; ///< Acknowledged, and committed.
        Term         term; ///< The leader's when it was.
        AppendNumber sent; ///< The newest append then.
        bool         is_set_back = false;
    };

    [[nodiscard]] Known* find(ServerId server)
    {
        for (auto& known : all_)
            if (known.server == server)
                return &known;
        return nullptr;
    }

    InplaceVector<Known, 4 * servers_max> all_; ///< Of servers that were removed too: ids are not used again.
    bool                                  any_set_back_ = false;
};

} // namespace totora::inline v0
