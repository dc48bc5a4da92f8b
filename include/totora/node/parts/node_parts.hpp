// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "totora/core/messages/local.hpp"
#include "totora/core/values/result.hpp"
#include "totora/data/identity.hpp"
#include "totora/node/clients/administration.hpp"
#include "totora/node/clients/admission.hpp"
#include "totora/node/clients/clients.hpp"
#include "totora/node/links/cold_reads.hpp"
#include "totora/node/links/sender.hpp"
#include "totora/node/parts/apply_turn.hpp"
#include "totora/node/parts/guard.hpp"
#include "totora/node/parts/intake.hpp"
#include "totora/node/parts/notifier.hpp"
#include "totora/node/parts/policies.hpp"
#include "totora/node/parts/recover_server.hpp"
#include "totora/node/parts/room.hpp"
#include "totora/node/parts/shutdown.hpp"
#include "totora/node/parts/stepper.hpp"
#include "totora/node/parts/wake.hpp"
#include "totora/node/settings.hpp"
#include "totora/node/snapshots/snapshot_turn.hpp"
#include "totora/node/start_error.hpp"
#include "totora/node/status.hpp"

#include <utility>

namespace totora::inline v0
{

/// The parts that a node is made of, and the order in which they take their turns. Each knows those that it is given.
template <typename PoliciesOfNode>
struct NodeParts
{
    using Policies = PoliciesOfNode;
    using Log = typename Policies::Log;
    using Transport = typename Policies::Transport;

    NodeParts(typename Policies::Machine& machine, Log& log, Transport& transport, typename Policies::Clock& clock,
              NodeSettings const& settings, typename Policies::Observer observer)
        : policies{machine, log, transport, clock, settings}, notifier(std::move(observer), guard), wake(policies),
          cold_reads(settings.cold_bytes_max), sender(log, transport, policies.settings, cold_reads), clients(guard),
          stepper(policies, guard, notifier, sender, clients), intake(policies, stepper, sender, room),
          admission(policies, stepper, clients.proposals, room), administration(stepper, clients),
          applying(policies, stepper, cold_reads, clients.proposals, clients.reads),
          snapshots(policies, stepper, applying), shutdown(policies, guard, stepper, sender, clients, wake)
    {}

    NodeParts(NodeParts const&) = delete;
    NodeParts& operator=(NodeParts const&) = delete;

    /// Recovers the log and begins as a follower.
    [[nodiscard]] Result<Identity, StartError> begin()
    {
        auto recovered = recover_server(policies);
        if (not recovered)
            return Unexpected{recovered.error()};
        stepper.begin(std::move(recovered->state), std::move(recovered->peers));
        applying.begin();
        was_started = true;
        guard.begin();
        if (recovered->torn_tail)
            notifier.notify(TornTailCut{*recovered->torn_tail});
        if_offered(
            policies.transport,
            [&](auto& one) -> decltype(one.announce(Abilities{})) {
                return one.announce(stepper.state().settings.can);
            },
            [] {});
        stepper.address_book().introduce(policies.transport);
        stepper.feed(nobody, Started{});
        snapshots.begin(recovered->snapshots);
        return std::move(recovered->identity);
    }

    /// Leaves the node as it was before it began, and gives the reason.
    [[nodiscard]] StartError forget_start()
    {
        was_started = false;
        guard.end();
        shutdown.end_everything();
        stepper.reset();
        return StartError{guard.forget().what};
    }

    /// Does all that can be done now. Whether there is more to do at once.
    [[nodiscard]] bool take_turn()
    {
        clients.proposals.deliver_refusals();
        if (not guard.runs()) {
            shutdown.end_everything();
            return false;
        }
        cold_reads.begin_turn();
        intake.watch_clock();
        intake.watch_log();
        intake.watch_room();
        auto const more_messages = intake.take_messages();
        intake.ring_alarms();
        intake.resume_appends();
        if (clients.reads.any_asked())
            stepper.feed(nobody, ReadRequested{});
        administration.run();
        admission.propose_staged(applying.applied());
        snapshots.run();
        intake.write_out();
        snapshots.restore();
        auto const now_ms = applying.run();
        applying.notice_readiness();
        if (auto why = cold_reads.take_held_up())
            notifier.notify(ReadsHeldUp{*std::move(why)});
        admission.notice_relief(applying.applied());
        clients.proposals.pending().expire(now_ms);
        clients.reads.expire(now_ms);
        auto const can_read =
            applying.can_go_on() or (not cold_reads.is_stopped() and sender.can_resume(stepper.state()));
        return guard.runs() and (more_messages or snapshots.has_more() or can_read);
    }

    Policies                                     policies;
    Guard                                        guard;
    Notifier<typename Policies::Observer>        notifier;
    Wake<Policies>                               wake;
    ColdReads                                    cold_reads;
    Sender<Log, Transport>                       sender;
    RoomWatch                                    room;
    Clients<typename Policies::Response>         clients;
    Stepper<Policies>                            stepper;
    Intake<Policies>                             intake;
    Admission<Policies>                          admission;
    Administration<Policies>                     administration;
    ApplyTurn<Policies>                          applying;
    [[no_unique_address]] SnapshotTurn<Policies> snapshots;
    Shutdown<Policies>                           shutdown;
    bool                                         was_started = false; ///< And not forgotten.
};

} // namespace totora::inline v0
