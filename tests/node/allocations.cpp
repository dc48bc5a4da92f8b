// Every allocation of a server's run fails once: the node continues, or has failed with a reason, and no promise is
// broken.
#include "support/failing_allocations.hpp"
#include "support/log/forgetful_storage.hpp"
#include "support/seeded_cluster.hpp"
#include "support/stage.hpp"

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <new>
#include <optional>
#include <random>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace totora::test::allocations_tests
{
namespace
{

using boost::unit_test::label;

/// A request and its outcome, recorded without allocating.
struct Request
{
    std::string command; ///< What was proposed; of a batch, its last command.
    bool        was_taken = false;
    int         times = 0;
    bool        applied = false;
    bool        applied_right = true;
    LogPosition position = {};
};

[[nodiscard]] Term later(Term term) { return Term{term.value + 1}; }

/// Server S1 of three over a storage, in a script in which the test is S2 and S3. Everything that the node, its log and
/// its machine do is checked: one of its allocations fails.
template <typename Storage>
class Life
{
public:
    using Node = RaftNode<Recorder, typename Storage::Log, Wire, ManualClock, Events>;

    explicit Life(bool lasts)
        : lasts_(lasts), storage_(Identity{cluster_of("life"), S1, first_incarnation, peers_of(3)})
    {}

    /// The script, from the first start to the last; the allocation of this number fails. Every call is made whatever
    /// the outcome of the calls before.
    void live(std::uint64_t fails_at)
    {
        allocations() = {.count = 0, .fails_at = fails_at, .lasts = lasts_};
        start();
        follow();
        be_elected();
        lead();
        be_deposed();
        lose_power();
        vote_and_lead_again();
        stop();
        allocations().fails_at = Allocations::none;
        lose_power(); // Only what is durable now counts.
        stop();
        check_applied();
    }

    std::vector<std::string> broken;       ///< Laws that were broken.
    int                      failures = 0; ///< Nodes that failed.
    int                      refused_starts = 0;
    std::set<NodeFailure>    reasons;
    std::size_t              applied = 0; ///< Proposals whose clients were notified.
    std::size_t              read = 0;    ///< Reads that were allowed.

private:
    // --- The script ----------------------------------------------------------------------------------------------

    /// Votes for S2, follows it, then S3, which replaces an entry.
    void follow()
    {
        pass_ms(300);
        receive(S2, RequestVote{Term{1}, {}});
        receive(S2, append_of(Term{1}, {}, Term{1}, 1), no_op_entry(Term{1}, Index{1}));
        receive(S2, append_of(Term{1}, {Term{1}, Index{1}}, Term{1}, 3), commands({"a", "b", "c"}, Term{1}, Index{2}));
        receive(S2, heartbeat_of(Term{1}, {Term{1}, Index{4}}, Index{2}));
        pass_ms(300);
        receive(S3, RequestVote{Term{2}, {Term{1}, Index{4}}});
        may_be_replaced_from(Index{4});
        receive(S3, append_of(Term{2}, {Term{1}, Index{3}}, Term{2}, 2), commands({"d", "e"}, Term{2}, Index{4}));
        receive(S3, heartbeat_of(Term{2}, {Term{2}, Index{5}}, Index{5}));
    }

    void be_elected()
    {
        pass_ms(600);
        if (node_) {
            receive(S2, RequestPreVoteResponse{node_->state().current_term, node_->state().pre_vote_round, true});
            receive(S2, RequestVoteResponse{node_->state().current_term, true});
        }
    }

    void lead()
    {
        accept_all();
        propose("f", never_ms);
        ask_to_read(never_ms);
        turn();
        accept_all();
        propose(std::string(4000, 'g'), never_ms);
        propose_batch({"h", "i", "j"});
        propose("k", 20);
        ask_to_read(20);
        propose(std::string(4001, 'x'), never_ms); // Too large.
        turn();
        pass_ms(30);
        accept_all();
        accept_all();
    }

    /// Proposals end because a newer leader replaces an entry that only this server has.
    void be_deposed()
    {
        propose("lost", never_ms);
        ask_to_read(never_ms);
        turn();
        if (not node_)
            return;
        auto const& state = node_->state();
        auto const  term = later(state.current_term);
        auto const  kept = state.log.term_at(state.commit_index).value_or(Term{});
        auto const  from = next(state.commit_index);
        may_be_replaced_from(from);
        receive(S3, append_of(term, {kept, state.commit_index}, term, 1, from), no_op_entry(term, from));
        receive(S3, heartbeat_of(term, {term, from}, from));
        propose("of a follower", never_ms);
        turn();
    }

    void vote_and_lead_again()
    {
        if (not node_)
            return;
        pass_ms(300);
        receive(S2, RequestVote{later(node_->state().current_term), {Term{1000}, Index{1000}}});
        receive(S3, RequestVote{node_->state().current_term, {Term{1000}, Index{1000}}});
        be_elected();
        propose("l", never_ms);
        turn();
        accept_all();
    }

    // --- One call ------------------------------------------------------------------------------------------------

    /// Runs a call of the node. Nothing leaves it; `propose` and `read` may throw when memory runs out.
    template <typename Call>
    bool calls(Call call)
    {
        if (not node_)
            return false;
        try {
            watching_allocations([&] { call(*node_); });
        } catch (std::bad_alloc const&) {
            return false;
        }
        return true;
    }

    template <typename Call>
    void never_throws(Call call)
    {
        expect(not node_ or calls(call), "turn, start and stop throw nothing");
        look();
    }

    void start()
    {
        for (auto tries = 0; tries < 2 and not node_; ++tries) {
            try {
                watching_allocations([&] { storage_.open(); });
            } catch (std::bad_alloc const&) {
                continue; // The program tries again.
            }
            wire_ = Wire{};
            clock_ = ManualClock{1};
            machine_ = Recorder{};
            events_ = Events{};
            node_.emplace(machine_, storage_.log(), wire_, clock_, settings(), events_);
            auto has_started = false;
            auto has_reason = false;
            never_throws([&](Node& node) {
                auto const started = node.start();
                has_started = started.has_value();
                has_reason = has_started or not started.error().what.empty();
            });
            expect(has_reason, "a node that does not start gives a reason");
            if (has_started)
                continue;
            ++refused_starts;
            node_.reset();
            storage_.lose_power(random_);
        }
        if (node_)
            check_recovered();
    }

    [[nodiscard]] static NodeSettings settings()
    {
        auto settings = NodeSettings{};
        settings.entry_bytes_max = 4000;
        return settings;
    }

    void turn()
    {
        for (auto more = true; more;)
            never_throws([&](Node& node) { more = node.turn(); }), more = more and node_;
    }

    void receive(ServerId from, Rpc const& rpc, Entries entries = {})
    {
        if (not node_)
            return;
        wire_.arriving.push_back(Received{from, rpc, std::move(entries)});
        turn();
    }

    void pass_ms(std::uint64_t ms)
    {
        clock_.advance_ms(ms);
        turn();
    }

    void accept_all()
    {
        if (not node_ or not is_leader(node_->state()))
            return;
        auto const& state = node_->state();
        auto const* progress = find_progress(state, S2);
        receive(S2, accepted(state.current_term, last_index(state), progress->sent.value,
                             std::get_if<Leader>(&state.role)->reads.newest));
    }

    void propose(std::string const& command, std::uint64_t timeout_ms)
    {
        auto const payload = bytes_of(command);
        proposed_.insert(command);
        requests_.push_back(std::make_unique<Request>(Request{.command = command}));
        auto& request = *requests_.back();
        request.was_taken = calls([&](Node& node) {
            node.propose(
                payload,
                [&request](ProposalOutcome<std::string> const& outcome) {
                    ++request.times;
                    if (auto const* end = std::get_if<AppliedWith<std::string>>(&outcome)) {
                        request.applied = true;
                        request.position = end->position;
                        request.applied_right = end->response == request.command;
                    }
                },
                timeout_ms);
        });
    }

    void propose_batch(std::vector<std::string> const& texts)
    {
        auto payloads = std::vector<std::vector<std::byte>>{};
        for (auto const& text : texts) {
            payloads.push_back(bytes_of(text));
            proposed_.insert(text);
        }
        auto const spans = std::vector<std::span<std::byte const>>{payloads.begin(), payloads.end()};
        requests_.push_back(std::make_unique<Request>(Request{.command = texts.back()}));
        auto& request = *requests_.back();
        request.was_taken = calls([&](Node& node) {
            node.propose(spans, [&request](ProposalOutcome<std::vector<std::string>> const& outcome) {
                ++request.times;
                if (auto const* end = std::get_if<AppliedWith<std::vector<std::string>>>(&outcome)) {
                    request.applied = true;
                    request.position = end->position;
                    request.applied_right = end->response.size() == 3 and end->response.back() == request.command;
                }
            });
        });
    }

    void ask_to_read(std::uint64_t timeout_ms)
    {
        requests_.push_back(std::make_unique<Request>());
        auto& request = *requests_.back();
        request.was_taken = calls([&](Node& node) {
            node.read(
                [this, &request](ReadOutcome const& outcome) {
                    ++request.times;
                    read += std::holds_alternative<ReadableNow>(outcome) ? 1U : 0U;
                },
                timeout_ms);
        });
    }

    void stop()
    {
        never_throws([](Node& node) { node.stop(); });
        end_process();
    }

    /// The process ends, with its requests; the power fails, and another one begins.
    void lose_power()
    {
        stop();
        storage_.lose_power(random_);
        start();
    }

    void end_process()
    {
        node_.reset();
        for (auto const& request : requests_) {
            applied += request->applied ? 1U : 0U;
            expect(request->times == (request->was_taken ? 1 : 0),
                   "what was taken ends once: '" + request->command + "'");
            expect(request->applied_right, "no client gets another's answer: '" + request->command + "'");
            if (request->applied)
                promised_[request->position.index] = request->position.term;
        }
        requests_.clear();
        check_applied();
    }

    // --- The laws ------------------------------------------------------------------------------------------------

    void expect(bool holds, std::string const& law)
    {
        if (not holds)
            broken.push_back(law);
    }

    /// What has left the node is a promise, whatever happened to the node.
    void look()
    {
        for (auto const& sent : std::exchange(wire_.sent, {})) {
            if (auto const* vote = std::get_if<RequestVoteResponse>(&sent.rpc); vote != nullptr and vote->vote_granted)
                voted(vote->term, sent.to);
            if (auto const* request = std::get_if<RequestVote>(&sent.rpc))
                voted(request->term, S1);
            if (auto const* answer = std::get_if<AppendEntriesResponse>(&sent.rpc);
                answer != nullptr and answer->success and node_)
                for (auto index = Index{1}; index <= answer->match; index = next(index))
                    promised_[index] = node_->state().log.term_at(index).value_or(Term{});
            expect(not has_failed_, "a failed node sends nothing");
        }
        if (not node_ or has_failed_)
            return;
        auto const status = node_->status();
        if (not status.failed)
            return;
        has_failed_ = true;
        ++failures;
        reasons.insert(status.failed->why);
        expect(not status.failed->what.empty(), "a failure has a reason");
        expect(not status.running and status.role != RoleName::leader, "a failed node does not lead");
    }

    void voted(Term term, ServerId candidate)
    {
        auto const [known, is_new] = votes_.try_emplace(term, candidate);
        expect(known->second == candidate, "no vote twice in term " + std::to_string(term.value));
    }

    /// A later leader may replace what is not committed: then this server's acknowledgement of it is no promise any
    /// more.
    void may_be_replaced_from(Index first) { promised_.erase(promised_.lower_bound(first), promised_.end()); }

    void check_recovered()
    {
        has_failed_ = false;
        auto const& state = node_->state();
        for (auto const& [index, term] : promised_)
            expect(state.log.term_at(index) == term,
                   "what was acknowledged is not lost: " + std::to_string(index.value));
        for (auto const& [term, candidate] : votes_)
            expect(term < state.current_term or (term == state.current_term and state.voted_for == candidate),
                   "a vote is not forgotten, of term " + std::to_string(term.value));
    }

    /// The machine was given what was proposed, unchanged, and nothing else.
    void check_applied()
    {
        for (auto const& one : machine_.applied)
            expect(proposed_.contains(one.command), "nobody proposed what was applied: '" + one.command + "'");
    }

    [[nodiscard]] Entries commands(std::vector<std::string> const& texts, Term term, Index first)
    {
        auto staging = Staging{};
        for (auto const& text : texts) {
            staging.add(bytes_of(text));
            proposed_.insert(text);
        }
        return staging.seal({term, first, texts.size()}, EntryKind::command);
    }

    bool                                  lasts_;
    Storage                               storage_;
    Recorder                              machine_;
    Wire                                  wire_;
    ManualClock                           clock_{1};
    Events                                events_;
    std::optional<Node>                   node_;
    std::mt19937_64                       random_{7};
    bool                                  has_failed_ = false;
    std::vector<std::unique_ptr<Request>> requests_;
    std::set<std::string>                 proposed_;
    std::map<Term, ServerId>              votes_;
    std::map<Index, Term>                 promised_;
};

template <typename Storage>
void sweep(bool lasts)
{
    auto whole = Life<Storage>{lasts};
    whole.live(Allocations::none);
    auto const count = allocations().count;
    BOOST_TEST(whole.broken.empty());
    BOOST_TEST(whole.failures == 0);
    BOOST_TEST(whole.applied == 4U); // "f", "g", the batch and "l".
    BOOST_TEST(whole.read == 1U);
    BOOST_TEST(count > 100U);

    auto failed = std::uint64_t{0};
    auto went_on = std::uint64_t{0};
    auto reasons = std::set<NodeFailure>{};
    for (auto fails_at = std::uint64_t{0}; fails_at < count; ++fails_at) {
        auto life = Life<Storage>{lasts};
        life.live(fails_at);
        for (auto const& law : life.broken)
            BOOST_ERROR("allocation " << fails_at << " of " << count << " fails: " << law);
        (life.failures + life.refused_starts > 0 ? failed : went_on) += 1;
        reasons.merge(life.reasons);
    }
    BOOST_TEST_MESSAGE(count << " allocations: " << failed << " nodes failed, " << went_on << " lives went on");
    BOOST_TEST(failed > count / 4);
    if (not lasts)
        BOOST_TEST(went_on > 0U);
    BOOST_TEST(reasons.contains(NodeFailure::unfinished_step));
    BOOST_TEST(reasons.contains(NodeFailure::callback));
}

BOOST_AUTO_TEST_CASE(no_allocation_that_fails_breaks_a_promise, *label("case_92")) { sweep<MemoryStorage>(false); }

BOOST_AUTO_TEST_CASE(no_allocation_that_fails_breaks_a_promise_of_a_log_on_disk, *label("case_92"))
{
    sweep<ForgetfulStorage>(false);
}

BOOST_AUTO_TEST_CASE(memory_that_runs_out_permanently_breaks_no_promise, *label("case_92"))
{
    sweep<MemoryStorage>(true);
}

} // namespace
} // namespace totora::test::allocations_tests
