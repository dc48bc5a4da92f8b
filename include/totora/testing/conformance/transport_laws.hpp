// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "totora/core/messages/rpc.hpp"
#include "totora/core/values/types.hpp"
#include "totora/data/entry.hpp"
#include "totora/data/identity.hpp"
#include "totora/node/settings.hpp"
#include "totora/testing/conformance/sample_messages.hpp"
#include "totora/testing/conformance/transport_record.hpp"
#include "totora/testing/conformance/transport_user.hpp"

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

namespace totora::inline v0::conformance
{

/// The laws of a transport. See `check_transport`.
///
/// What must arrive is waited for for long, and sent again, since it may be lost. What must not arrive is not timed: it
/// is checked whenever something arrives.
template <typename Network>
class TransportLaws
{
public:
    using User = TransportUser<Network>;

    explicit TransportLaws(User& user) : user_(user) {}

    /// No server receives, one has no address, and one has an address that cannot exist.
    void calls_do_not_wait()
    {
        user_.introduce();
        user_.update(one, ServerId{8}, first_incarnation, "");
        user_.update(one, ServerId{9}, first_incarnation, std::string(address_size_max, 'x'));
        auto const payload_size = std::min(user_.payload_max(), std::size_t{64} << 10U);
        for (auto count = 0U; count < 512; ++count) {
            for (auto const to : {two, ServerId{7}, ServerId{8}, ServerId{9}}) // 7 was never announced.
                if (to == two or count % 8 == 0)
                    user_.send(one, to, append_message(user_.next_term(), 1, count % 8 == 0 ? payload_size : 1000));
            if (count % 64 == 0)
                user_.settle();
        }
        user_.travel();
        for (auto waited = 0; waited < 2000 and user_.link(one, two) == Link::full; ++waited)
            user_.travel();
        user_.expect(user_.link(one, two) != Link::full, "a full link opens again",
                     "Server 1 was notified that the link to 2 is full, and never that it is open or broken.");
    }

    /// Every server sends everything to every other, several times.
    void what_arrives_was_sent()
    {
        user_.introduce();
        auto const kinds = user_.kinds();
        auto       last = std::map<std::tuple<ServerId, ServerId, std::string>, std::uint64_t>{};
        auto       lacking = std::string{};
        for (auto round = 0; round < 40 and (round < 8 or not lacking.empty()); ++round) {
            lacking.clear();
            for (auto const from : user_.servers)
                for (auto const to : user_.servers) {
                    if (from == to)
                        continue;
                    for (auto const& kind : kinds) {
                        auto const which = last.find({from, to, kind.name});
                        if (round >= 8 and which != last.end() and user_.has_arrived(which->second))
                            continue;
                        last[{from, to, kind.name}] = user_.send(from, to, kind.make(user_.next_term()));
                    }
                    user_.travel();
                }
            for (auto const& [key, which] : last)
                if (not user_.has_arrived(which))
                    lacking = std::get<2>(key) + " from server " + user_.number(std::get<0>(key)) + " to " +
                              user_.number(std::get<1>(key));
        }
        user_.expect(lacking.empty(), "not everything is lost",
                     "Of " + std::to_string(user_.sent()) + " messages between connected servers " +
                         std::to_string(user_.arrived()) + " arrived, and not once " + lacking + ".");
    }

    /// It carries whatever a node may pass to it, by its own limits.
    void the_largest_append_arrives()
    {
        user_.introduce();
        auto const payload_max = user_.payload_max();
        auto const arrived = user_.arrives(one, two, append_message(user_.next_term(), 1, payload_max));
        user_.expect(arrived, "the largest append arrives",
                     "An entry of " + std::to_string(payload_max) +
                         " bytes never arrived. A transport that cannot carry entries of every length declares it by "
                         "entry_bytes_max().");
        auto const append_max = std::min<std::uint64_t>(payload_max, NodeSettings{}.append_bytes_max);
        auto const count = append_max / (entry_header_size + 10);
        if (count > 1)
            user_.expect(user_.arrives(one, two, append_message(user_.next_term(), count, 10, 16)),
                         "the largest append arrives",
                         "An append of " + std::to_string(count) +
                             " small entries, as many bytes as a node sends in one, never arrived.");
    }

    /// A server receives the responses of the incarnation that it addressed, and of no other; and it sends requests to
    /// no other.
    void another_life_is_another_server()
    {
        user_.introduce();
        auto const named = user_.network().incarnation_of(two);
        for (auto round = 0U; round < 12; ++round) {
            user_.update(one, two, Incarnation{named.value + (std::uint64_t{1} << round % 4 * 16)});
            // That one may send requests. None should learn from it which incarnation is meant.
            user_.send(two, one, {RequestVote{.term = user_.next_term(), .last_log = {}}, {}});
            user_.travel();
            user_.send(two, one, {RequestVoteResponse{user_.next_term(), true}, {}},
                       {{"a response of another incarnation does not count"}});
            auto accepted = AppendEntriesResponse{};
            accepted.term = user_.next_term();
            accepted.success = true;
            user_.send(two, one, {accepted, {}}, {{"a response of another incarnation does not count"}});
            user_.send(two, one, {RequestPreVoteResponse{user_.next_term(), Round{3}, true}, {}},
                       {{"a response of another incarnation does not count"}});
            user_.send(one, two, append_message(user_.next_term(), 1, 10),
                       {{"what is meant for another incarnation does not arrive"}});
            user_.send(one, two, heartbeat_message(user_.next_term()),
                       {{"what is meant for another incarnation does not arrive"}});
            user_.travel();
        }
        user_.forgive();
        user_.update(one, two, named);
        user_.expect(
            user_.arrives(one, two, append_message(user_.next_term(), 1, 10)) and
                user_.arrives(two, one, Message{RequestVoteResponse{user_.next_term(), true}, {}}),
            "an update replaces the one before",
            "Server 1 was given another incarnation of 2 and then the right one, and they do not communicate.");
    }

    void an_address_may_change()
    {
        user_.introduce(one, two);
        auto const named = user_.network().incarnation_of(two);
        user_.update(one, two, named, std::string(address_size_max, 'x'));
        for (auto round = 0; round < 5; ++round) {
            user_.send(one, two, append_message(user_.next_term(), 1, 10));
            user_.travel();
        }
        user_.update(one, two, named);
        user_.expect(user_.arrives(one, two, append_message(user_.next_term(), 1, 10)),
                     "an update replaces the one before",
                     "Server 1 was given a wrong address of 2 and then the right one, and does not reach it.");
    }

    /// Bytes that do not match their checksum came from a broken machine or over a broken wire.
    void damaged_entries_do_not_arrive()
    {
        user_.introduce();
        for (auto const place :
             {std::size_t{0}, std::size_t{8}, std::size_t{28}, std::size_t{37}, entry_header_size + 5}) {
            auto message = append_message(user_.next_term(), 1, 10);
            auto bytes = std::make_shared<std::vector<std::byte>>(bytes_of(message.entries));
            (*bytes)[place] ^= std::byte{4};
            message.entries = {};
            message.entries.add({bytes, *bytes}, 1);
            user_.send_damaged(one, two, std::move(message));
            user_.travel();
            user_.travel();
        }
    }

    void what_arrives_wakes()
    {
        user_.introduce();
        if constexpr (requires { user_.at(one).set_wake(std::function<void()>{}); }) {
            auto const woken = std::make_shared<std::atomic<std::uint64_t>>();
            auto const replaced = std::make_shared<std::atomic<std::uint64_t>>();
            user_.call("set_wake", [&] { user_.at(one).set_wake([replaced] { ++*replaced; }); });
            user_.receive_all(one);
            expect_wake(*replaced);
            user_.call("set_wake, another one", [&] { user_.at(one).set_wake([woken] { ++*woken; }); });
            auto const before = replaced->load();
            for (auto times = 0; times < 3; ++times) {
                user_.receive_all(one);
                expect_wake(*woken);
            }
            user_.expect(replaced->load() == before, "a replaced wake-up is called no more",
                         "A wake-up was called after another one had taken its place.");
            user_.call("set_wake, with nothing to do", [&] { user_.at(one).set_wake([] {}); });
        }
    }

    void bytes_that_leave_are_counted()
    {
        user_.introduce();
        if constexpr (requires { user_.at(one).bytes_taken(two); }) {
            for (auto times = 0; times < 3; ++times) {
                auto const before = std::uint64_t{user_.at(one).bytes_taken(two)};
                if (not user_.arrives(one, two, append_message(user_.next_term(), 3, 1000)))
                    return; // Another law is broken.
                auto grown = false;
                for (auto waited = 0; waited < 200 and not grown; ++waited) {
                    user_.expect(user_.at(one).bytes_taken(two) >= before, "bytes that leave are counted",
                                 "bytes_taken went back.");
                    grown = user_.at(one).bytes_taken(two) > before;
                    user_.travel();
                }
                user_.expect(grown, "bytes that leave are counted",
                             "An append arrived, and bytes_taken has not grown.");
            }
        }
    }

    void a_renewed_connection_carries_again()
    {
        user_.introduce();
        if constexpr (requires { user_.at(one).renew(two); }) {
            user_.call("renew(2)", [&] { user_.at(one).renew(two); });
            user_.expect(user_.arrives(one, two, append_message(user_.next_term(), 1, 10)),
                         "a renewed connection carries again", "After renew nothing arrives any more.");
        }
    }

    void a_removed_server_can_be_named_again()
    {
        user_.introduce();
        if constexpr (requires { user_.at(one).remove(two); }) {
            user_.call("remove(2), twice", [&] {
                user_.at(one).remove(two);
                user_.at(one).remove(two);
            });
            user_.introduce();
            user_.expect(user_.arrives(one, two, append_message(user_.next_term(), 1, 10)),
                         "a removed server can be named again", "After remove and update nothing arrives any more.");
        }
    }

    void nothing_of_another_cluster_arrives()
    {
        user_.introduce();
        if constexpr (requires { user_.network().of_another_cluster(); }) {
            auto& other = user_.network().of_another_cluster();
            user_.call("of another cluster: update(1)", [&] {
                other.update(one, user_.network().incarnation_of(one), user_.network().address_of(one));
            });
            for (auto round = 0; round < 10; ++round) {
                for (auto const& kind : user_.kinds()) {
                    auto const message = kind.make(user_.next_term());
                    user_.remember(two, one, message, "nothing of another cluster arrives");
                    user_.hand_over(other, one, message);
                }
                user_.travel();
            }
        }
    }

private:
    static constexpr auto one = ServerId{1};
    static constexpr auto two = ServerId{2};

    /// Server 1 has nothing to receive; then something arrives, and must have woken it.
    void expect_wake(std::atomic<std::uint64_t> const& woken)
    {
        auto const before = woken.load();
        for (auto attempt = 0; attempt < 20; ++attempt) {
            user_.send(two, one, {RequestVote{.term = user_.next_term(), .last_log = {}}, {}});
            for (auto waited = 0; waited < 100; ++waited) {
                user_.settle();
                if (user_.receive(one))
                    return user_.expect(woken.load() > before, "what arrives wakes",
                                        "receive had nothing and then had something, and the wake-up was not called.");
            }
        }
    }

    User& user_;
};

} // namespace totora::inline v0::conformance
