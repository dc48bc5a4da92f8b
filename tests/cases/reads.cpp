// SPDX-License-Identifier: BSL-1.0
#include "support/cluster.hpp"
#include "support/prove.hpp"

// docs/cases.md, chapter G: linearizable reads. A is S1, B is S2, C is S3.

namespace totora::test::reads_tests
{
namespace
{

/// Case 46: A led term 2 and committed 5/2 by B, who does not know. A has failed; B campaigns.
constexpr auto a_read_waits_for_a_commit_of_the_leaders_own_term = [] {
    auto servers = std::vector<State>{};
    servers.push_back(follower(S1, Term{2}, {{Term{1}, Index{1}, 4}, {Term{2}, Index{5}, 1}}));
    servers.push_back(follower(S2, Term{2}, {{Term{1}, Index{1}, 4}, {Term{2}, Index{5}, 1}}));
    servers.push_back(follower(S3, Term{2}, {{Term{1}, Index{1}, 4}}));
    for (auto& server : servers)
        server.commit_index = server.apply_index = Index{4};
    servers[0].commit_index = servers[0].apply_index = Index{5};
    auto cluster = Cluster{std::move(servers)};
    cluster.rings(S2, Alarm::election);
    cluster.deliver(S2, S3);
    cluster.deliver(S3, S2);
    cluster.persists(S2);
    cluster.deliver(S2, S3);
    cluster.persists(S3);
    cluster.deliver(S3, S2);
    require(is_leader(cluster[S2]) and cluster[S2].commit_index == Index{4}, "2: B leads and knows of 4");
    cluster.drop_all();

    require(cluster.happens(S2, ReadRequested{}).answer == Answer{ReadStarted{Round{1}}}, "3: a read begins a round");
    cluster.deliver(S2, S3); // C lacks 5/2, and answers the round all the same.
    cluster.deliver(S3, S2);
    require(not cluster.outgoing().read_allowed, "the round is answered, but B does not know what is committed");
    cluster.drop(S2, S1);
    cluster.rings(S2, Alarm::heartbeat); // The no-op was lost.
    for (auto exchange = 0; exchange < 4 and cluster[S2].commit_index < Index{6}; ++exchange) {
        cluster.persists(S2);
        cluster.deliver_all(S2, S3);
        cluster.persists(S3);
        cluster.deliver_all(S3, S2);
    }
    require(cluster[S2].commit_index == Index{6}, "its no-op 6 is committed");
    require(cluster.outgoing().read_allowed == ReadAllowed{Round{1}, Index{6}}, "and the read sees all up to it");
};
TOTORA_PROVE(a_read_waits_for_a_commit_of_the_leaders_own_term, "8", "case_46");

constexpr auto a_single_server_reads_after_its_first_commit_too = [] {
    auto a = follower(S1, Term{1}, {{Term{1}, Index{1}, 3}}, 1);
    a = step(a, ring(a, Alarm::election)).state;
    a = step(a, persisted(a)).state;
    require(is_leader(a) and a.commit_index == Index{}, "it restarted, and does not know what is committed");

    auto const asked = checked_step(a, local(ReadRequested{}));
    require(asked.outgoing.answer == Answer{ReadStarted{Round{1}}} and not asked.outgoing.read_allowed,
            "the read waits");
    auto const durable = checked_step(asked.state, persisted(asked.state));
    require(durable.outgoing.read_allowed == ReadAllowed{Round{1}, Index{4}}, "for its no-op");
    auto const second = checked_step(durable.state, local(ReadRequested{}));
    require(second.outgoing.read_allowed == ReadAllowed{Round{2}, Index{4}}, "the next one does not wait");
};
TOTORA_PROVE(a_single_server_reads_after_its_first_commit_too, "8", "case_46");

/// A leader of term 2 whose no-op, 4/2, is committed by B.
constexpr auto established_leader = [](std::uint64_t voters) {
    auto a = leader(follower(S1, Term{1}, {{Term{1}, Index{1}, 3}}, voters));
    for (auto const voter : {S2, S3})
        a = step(a, from(voter, accepted(Term{2}, Index{4}))).state;
    return a;
};

constexpr auto answers_to_an_earlier_round_do_not_confirm_a_later_read = [] {
    auto a = established_leader(3);
    a = checked_step(a, local(ReadRequested{})).state;
    auto const first = checked_step(a, from(S2, accepted(Term{2}, Index{4}, 0, Round{1})));
    require(first.outgoing.read_allowed == ReadAllowed{Round{1}, Index{4}}, "1: the first read is confirmed");

    a = checked_step(first.state, local(ReadRequested{})).state; // 3: the client asks again. B leads by now.
    for (auto const sender : {S2, S3}) {
        auto const [after, outgoing] = checked_step(a, from(sender, accepted(Term{2}, Index{4}, 0, Round{1})));
        require(not outgoing.read_allowed, "4: the old answers are not counted");
        a = after;
    }
    for (auto ringing = 0; ringing < 2; ++ringing)
        a = checked_step(a, ring(a, Alarm::quorum_check)).state;
    require(is_follower(a) and known_leader(a) == nobody, "and A steps down");
    require(not checked_step(a, from(S2, accepted(Term{2}, Index{4}, 0, Round{2}))).outgoing.read_allowed, "for good");
};
TOTORA_PROVE(answers_to_an_earlier_round_do_not_confirm_a_later_read, "8", "case_47");

/// Two rounds are out; the third read waits for the next one, and never joins one that was sent before it came.
constexpr auto a_round_confirms_itself_and_the_earlier_ones_once_a_majority_answered = [] {
    auto a = established_leader(5);
    for (auto const round : {Round{1}, Round{2}}) {
        auto const asked = checked_step(a, local(ReadRequested{}));
        require(asked.outgoing.answer == Answer{ReadStarted{round}}, "each begins a round");
        a = asked.state;
    }
    for (auto read = 0; read < 3; ++read) {
        auto const waits = checked_step(a, local(ReadRequested{}));
        require(waits.outgoing.answer == Answer{ReadStarted{Round{3}}} and waits.outgoing.messages.empty(),
                "further reads wait for the third");
        a = waits.state;
    }

    auto const one = checked_step(a, from(S2, accepted(Term{2}, Index{4}, 0, Round{2})));
    require(not one.outgoing.read_allowed, "two of five are too few");
    auto const two = checked_step(one.state, from(S3, accepted(Term{2}, Index{4}, 0, Round{1})));
    require(two.outgoing.read_allowed == ReadAllowed{Round{1}, Index{4}}, "three have answered the first round");
    require(sent<AppendEntries>(two.outgoing, S4).at(0).round == Round{3}, "which lets the third begin");
    auto const again = checked_step(two.state, from(S4, accepted(Term{2}, Index{1}, 0, Round{1})));
    require(not again.outgoing.read_allowed, "a round is confirmed once");
    auto const three = checked_step(again.state, from(S5, accepted(Term{2}, Index{1}, 0, Round{3})));
    require(three.outgoing.read_allowed == ReadAllowed{Round{2}, Index{4}}, "then the second");
    auto const last = checked_step(three.state, from(S2, accepted(Term{2}, Index{4}, 0, Round{3})));
    require(last.outgoing.read_allowed == ReadAllowed{Round{3}, Index{4}}, "and the third, by a later answer");
};
TOTORA_PROVE(a_round_confirms_itself_and_the_earlier_ones_once_a_majority_answered, "8", "case_47", "case_91");

constexpr auto a_lost_round_is_repeated_by_the_heartbeat = [] {
    auto a = established_leader(3);
    a = checked_step(a, local(ReadRequested{})).state; // Lost on every way.
    auto const beat = checked_step(a, ring(a, Alarm::heartbeat));
    require(sent<AppendEntries>(beat.outgoing, S2).at(0).round == Round{1}, "the newest round goes again");
    auto const answered = checked_step(beat.state, from(S2, accepted(Term{2}, Index{4}, 0, Round{1})));
    require(answered.outgoing.read_allowed == ReadAllowed{Round{1}, Index{4}}, "and its answer allows the read");
};
TOTORA_PROVE(a_lost_round_is_repeated_by_the_heartbeat, "8", "case_47", "case_91");

constexpr auto a_round_rides_on_the_appends_that_follow_it = [] {
    auto const a = checked_step(established_leader(3), local(ReadRequested{})).state; // Lost on every way.
    auto const proposed = checked_step(a, local(Proposed{1}));
    require(sent<AppendEntries>(proposed.outgoing, S2).at(0).round == Round{1}, "an append carries the newest round");
    auto const b = follower(S2, Term{2}, {{Term{1}, Index{1}, 3}, {Term{2}, Index{4}, 1}});
    auto const stored = checked_step(b, from(S1, sent<AppendEntries>(proposed.outgoing, S2).at(0)));
    require(sent<AppendEntriesResponse>(stored.outgoing, S1).at(0).round == Round{1}, "which its answer echoes");
    auto const answered = checked_step(proposed.state, from(S2, accepted(Term{2}, Index{5}, 2, Round{1})));
    require(answered.outgoing.read_allowed == ReadAllowed{Round{1}, Index{4}}, "and so allows the read");
};
TOTORA_PROVE(a_round_rides_on_the_appends_that_follow_it, "8", "case_47", "case_91");

constexpr auto a_read_asks_everybody_at_once = [] {
    auto const a = established_leader(3);

    auto const [after, outgoing] = checked_step(a, local(ReadRequested{}));

    auto const question = heartbeat_of(Term{2}, {Term{2}, Index{4}}, Index{4}, 0, Round{1});
    require(outgoing.messages ==
                exactly({{S2, Rpc{question}, Release::at_once()}, {S3, Rpc{question}, Release::at_once()}}),
            "with the number of the round");
    require(outgoing.writes.empty() and outgoing.alarms.empty(), "and writes nothing");
    auto const b = follower(S2, Term{2}, {{Term{1}, Index{1}, 3}, {Term{2}, Index{4}, 1}});
    require(checked_step(b, from(S1, question)).outgoing.messages == just(S1, accepted(Term{2}, Index{4}, 0, Round{1})),
            "which the answer echoes, at once");
};
TOTORA_PROVE(a_read_asks_everybody_at_once, "8", "case_47");

/// Case 48, the core's part: it names the index that must be applied first, also if that lies above what is applied.
constexpr auto a_confirmed_read_names_the_index_to_wait_for = [] {
    auto a = established_leader(3);
    a = step(a, local(Proposed{5})).state; // 5/2 to 9/2: at B and C, and not yet on A's own disk.
    for (auto const voter : {S2, S3})
        a = step(a, from(voter, accepted(Term{2}, Index{9}, 2))).state;
    require(a.commit_index == Index{9} and a.apply_index == Index{4}, "1: commit(A) = 9, applied at most 4");
    a = checked_step(a, local(ReadRequested{})).state;

    auto const [after, outgoing] = checked_step(a, from(S2, accepted(Term{2}, Index{9}, 0, Round{1})));

    require(outgoing.read_allowed == ReadAllowed{Round{1}, Index{9}}, "2: the read is to wait for 9");
    require(not outgoing.apply_through and after.apply_index == Index{4}, "which is not applied yet");
};
TOTORA_PROVE(a_confirmed_read_names_the_index_to_wait_for, "dissertation 6.4", "case_48");

/// Rounds that were asked for before anything was committed are all confirmed by the first commit, also the one that waited.
constexpr auto a_single_server_serves_all_reads_that_waited_for_its_first_commit = [] {
    auto a = follower(S1, Term{1}, {{Term{1}, Index{1}, 3}}, 1);
    a = step(a, ring(a, Alarm::election)).state;
    a = step(a, persisted(a)).state;
    for (auto read = std::uint64_t{0}; read <= rounds_max; ++read)
        a = checked_step(a, local(ReadRequested{})).state;
    require(std::get_if<Leader>(&a.role)->reads.waiting, "the last one waits for the next round");

    auto const durable = checked_step(a, persisted(a));

    require(durable.outgoing.read_allowed == ReadAllowed{Round{rounds_max + 1}, Index{4}},
            "nobody else would answer it");
};
TOTORA_PROVE(a_single_server_serves_all_reads_that_waited_for_its_first_commit, "8", "case_46");

} // namespace
} // namespace totora::test::reads_tests
