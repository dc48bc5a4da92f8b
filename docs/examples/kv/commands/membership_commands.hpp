// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "../start/options.hpp"
#include "command_table.hpp"

#include "totora/data/identity.hpp"
#include "totora/node/administration_outcomes.hpp"
#include "totora/transport/tcp_address.hpp"

#include <algorithm>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace kv
{

/// A change of the members that an operator asks for, by one of the commands RAFT.ADD, RAFT.MOVE and so on.
struct ChangeWish
{
    Command          command{};
    totora::ServerId server;   ///< Who it is about. Nobody if a change is to be taken back.
    totora::ServerId newcomer; ///< Who is let in; nobody if no one is.
    std::string      address;  ///< Of the newcomer, or of a member that has moved; empty otherwise.
    bool             as_learner = false;
    bool             forced = false;
};

/// Reads the words of a command of operators, or returns the error that answers it.
[[nodiscard]] inline std::variant<ChangeWish, std::string>
read_change_wish(Command asked, std::span<std::string_view const> words)
{
    using enum Command;
    auto       wish = ChangeWish{asked, {}, {}, {}, false, false};
    auto const name = words.front();
    auto       rest = words.subspan(1);
    auto const take_server = [&](totora::ServerId& server) {
        auto const id = parse_number(rest.front(), 1, totora::number_max);
        server = totora::ServerId{id.value_or(0)};
        return id ? std::string{} : "ERR " + quoted(rest.front()) + " is no id of a server";
    };
    if (asked == raft_cancel or (asked == raft_transfer and rest.empty()))
        return wish;
    if (auto what = take_server(wish.server); not what.empty())
        return what;
    rest = rest.subspan(1);
    if (asked == raft_add)
        wish.newcomer = wish.server;
    if (asked == raft_replace) {
        if (auto what = take_server(wish.newcomer); not what.empty())
            return what;
        rest = rest.subspan(1);
    }
    if (asked == raft_add or asked == raft_move or asked == raft_replace) {
        auto const address = parse_peer_address(rest.front());
        if (not address or not is_one_word(address->host) or is_any_address(address->host))
            return "ERR " + quoted(rest.front()) + " is no HOST:PORT at which others find a server";
        wish.address = rest.front();
        rest = rest.subspan(1);
    }
    for (auto const word : rest)
        if (is_word(word, "force") and asked != raft_demote and asked != raft_move and asked != raft_transfer)
            wish.forced = true;
        else if (is_word(word, "learner") and asked == raft_add)
            wish.as_learner = true;
        else
            return "ERR " + std::string{name} + " knows no " + quoted(word);
    return wish;
}

/// Whether a server must be found at the address of a wish before it is asked for.
[[nodiscard]] constexpr bool needs_probe(ChangeWish const& wish, totora::ServerId self)
{
    auto const is_moved = wish.command == Command::raft_move and wish.server != self;
    return is_moved or wish.newcomer != totora::nobody;
}

/// Who is to be found there.
[[nodiscard]] constexpr totora::ServerId to_be_found(ChangeWish const& wish)
{
    return wish.newcomer != totora::nobody ? wish.newcomer : wish.server;
}

/// The members that a wish makes of those that there are, or the error that answers it. The incarnation of a newcomer is to be filled in.
[[nodiscard]] inline std::variant<std::vector<totora::Peer>, std::string>
members_wanted(ChangeWish const& wish, std::vector<totora::Peer> peers)
{
    using enum Command;
    using totora::MemberKind;
    auto const find = [&](totora::ServerId id) {
        return std::find_if(peers.begin(), peers.end(), [&](auto const& peer) { return peer.member.id == id; });
    };
    auto const text = "ERR server " + std::to_string(wish.server.value);
    auto const found = find(wish.server);
    if (wish.command == raft_add and found != peers.end())
        return text + " is a member already: remove it first if it has lost its directory";
    if (wish.command != raft_add and found == peers.end())
        return text + " is no member";
    if (wish.command == raft_replace and find(wish.newcomer) != peers.end())
        return "ERR server " + std::to_string(wish.newcomer.value) +
               " is a member already: what takes the place of another one needs an id that no member has";
    auto const kind =
        wish.command == raft_add ? (wish.as_learner ? MemberKind::learner : MemberKind::voter) : found->member.kind;
    if (wish.command == raft_promote or wish.command == raft_demote) {
        auto const wanted = wish.command == raft_promote ? MemberKind::voter : MemberKind::learner;
        if (kind == wanted)
            return text + " is a " + std::string{to_string(wanted)} + " already";
        found->member.kind = wanted;
    }
    if (wish.command == raft_move)
        found->address = wish.address;
    if (wish.command == raft_remove or wish.command == raft_replace)
        peers.erase(found);
    if (wish.newcomer != totora::nobody)
        peers.push_back({{wish.newcomer, totora::Incarnation{}, kind}, wish.address});
    return peers;
}

/// What became of a change that was given up, for people.
[[nodiscard]] constexpr std::string_view describe(totora::ChangeEnd end)
{
    switch (end) {
    case totora::ChangeEnd::done:
        return "the members are those that were asked for";
    case totora::ChangeEnd::cancelled:
        return "the change was taken back: the members are those that there were";
    case totora::ChangeEnd::newcomer_stalled:
        return "the new server received nothing for many election timeouts, and was taken out again: see that it runs "
               "and "
               "is reached";
    case totora::ChangeEnd::newcomer_slow:
        return "the new server receives the log more slowly than it grows, and was taken out again: try again when "
               "less "
               "is written";
    case totora::ChangeEnd::quorum_silent:
        return "no majority of those who would vote has answered lately: see that they run, or add FORCE";
    }
    return "the change was given up";
}

/// The error that answers a command of operators; empty if what it asked for is done.
[[nodiscard]] inline std::string error_of(ChangeWish const& wish, totora::ChangeOutcome const& outcome)
{
    auto const cancels = wish.command == Command::raft_cancel;
    if (std::holds_alternative<totora::MembersChanged>(outcome))
        return cancels ? "ERR the change was done before it could be taken back" : "";
    if (auto const* const given_up = std::get_if<totora::ChangeGivenUp>(&outcome))
        return cancels and given_up->why == totora::ChangeEnd::cancelled
                   ? ""
                   : "ERR " + std::string{describe(given_up->why)};
    if (auto const* const refused = std::get_if<totora::ChangeRefused>(&outcome))
        return "ERR " + std::string{totora::describe(refused->why)};
    return "ERR outcome unknown: leadership was lost while the members changed; RAFT.STATUS at the next leader shows "
           "them";
}

/// The error that answers a wish to hand over; empty if this server leads no more.
[[nodiscard]] inline std::string error_of(totora::TransferOutcome const& outcome)
{
    if (auto const* const refused = std::get_if<totora::TransferRefused>(&outcome)) {
        if (refused->why == totora::TransferError::leads_already)
            return "ERR this server leads already";
        if (refused->why == totora::TransferError::no_successor)
            return "ERR no such voter, or none that answers";
        return "ERR this server has stopped: nothing was done";
    }
    auto const* const failed = std::get_if<totora::TransferFailed>(&outcome);
    if (failed == nullptr)
        return {};
    if (failed->why == totora::TransferEnd::target_removed)
        return "ERR that server is no voter any more: this one leads on";
    if (failed->why == totora::TransferEnd::replaced)
        return "ERR another server is asked to lead now";
    return "ERR that server did not take over within an election timeout: this one leads on";
}

} // namespace kv
