// SPDX-License-Identifier: BSL-1.0
// What the commands of operators make of the members, and what they are answered.
#include "../../docs/examples/kv/membership.hpp"
#include "../../docs/examples/kv/report/membership_text.hpp"

#include <boost/test/unit_test.hpp>

#include <functional>
#include <initializer_list>
#include <new>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace kv::membership_commands_tests
{
namespace
{

using totora::Incarnation;
using totora::MemberKind;
using totora::ServerId;

/// A leader, server 1, whose every answer the test gives, when it wants.
struct ScriptedNode
{
    struct Clock
    {
        [[nodiscard]] static std::uint64_t now_ms() { return 0; }
    };

    void set_wake(std::function<void()> const&) {}
    template <typename Task>
    void run(Task&& task)
    {
        task(*this);
    }
    [[nodiscard]] static bool                         turn() { return false; }
    [[nodiscard]] static std::optional<std::uint64_t> next_turn_ms() { return std::nullopt; }
    [[nodiscard]] Clock&                              clock() { return clock_; }
    [[nodiscard]] totora::Status                      status() const { return now; }
    [[nodiscard]] std::optional<std::string>          address_of(ServerId id) const
    {
        return "h:" + std::to_string(7000 + id.value);
    }
    void change_members(totora::WantedMembers wanted, totora::Completion<totora::ChangeOutcome> completion)
    {
        if (not has_memory)
            throw std::bad_alloc{};
        asked = std::move(wanted);
        end_change = std::move(completion);
    }
    void cancel_change(totora::Completion<totora::ChangeOutcome> completion) { end_cancel = std::move(completion); }
    void transfer_leadership(ServerId to, totora::Completion<totora::TransferOutcome> completion)
    {
        successor = to;
        end_transfer = std::move(completion);
    }

    bool                                        has_memory = true;
    totora::Status                              now;
    std::optional<totora::WantedMembers>        asked;
    totora::Completion<totora::ChangeOutcome>   end_change;
    totora::Completion<totora::ChangeOutcome>   end_cancel;
    std::optional<ServerId>                     successor;
    totora::Completion<totora::TransferOutcome> end_transfer;
    Clock                                       clock_;
};

/// Servers 1, 2 and 3, the last one a learner.
struct Fixture
{
    Fixture()
    {
        node.now.id = ServerId{1};
        node.now.role = totora::RoleName::leader;
        node.now.leader = ServerId{1};
        node.now.admitted = true;
        node.now.configuration.index = totora::Index{17};
        for (auto const kind : {MemberKind::voter, MemberKind::voter, MemberKind::learner})
            static_cast<void>(node.now.configuration.members.push_back(
                {ServerId{node.now.configuration.members.size() + 1}, totora::first_incarnation, kind}));
        membership.set_probe([this](ServerId server, std::string_view address, totora::TcpProbe::Done done) {
            probed = {server, std::string{address}};
            end_probe = std::move(done);
        });
    }

    /// The error if the words make no wish, otherwise nothing: it was handed over.
    std::string ask(std::initializer_list<std::string_view> list)
    {
        auto const words = std::vector<std::string_view>{list};
        auto const understood = understand(words);
        if (auto const* const complaint = std::get_if<std::string>(&understood))
            return *complaint;
        auto const command = std::get<CommandRule>(understood).command;
        auto       wish = read_change_wish(command, words);
        if (auto const* const complaint = std::get_if<std::string>(&wish))
            return *complaint;
        answer.reset();
        membership.change(std::get<ChangeWish>(wish), [this](std::string const& error) { answer = error; });
        return {};
    }

    void find(std::uint64_t server, std::uint64_t incarnation)
    {
        end_probe(totora::ProbedPeer{{}, {ServerId{server}, Incarnation{incarnation}}, {}});
    }

    /// The members that were asked for: "1 voter h:7001, ...".
    [[nodiscard]] std::string asked_for() const
    {
        auto text = std::string{};
        for (auto const& [member, address] : node.asked.value().peers)
            text += (text.empty() ? "" : ", ") + std::to_string(member.id.value) + "." +
                    std::to_string(member.incarnation.value) + " " + std::string{to_string(member.kind)} + " " +
                    address;
        return text;
    }

    boost::asio::io_context          context{1};
    ScriptedNode                     node;
    KeyValue                         machine;
    EventLoop<ScriptedNode>          loop{context, node, [] {}};
    Membership<ScriptedNode>         membership{node, machine, loop};
    std::pair<ServerId, std::string> probed;
    totora::TcpProbe::Done           end_probe;
    std::optional<std::string>       answer;
};

} // namespace

BOOST_FIXTURE_TEST_SUITE(membership_commands, Fixture)

BOOST_AUTO_TEST_CASE(words_that_make_no_change_are_answered_by_what_is_wrong)
{
    BOOST_TEST(ask({"RAFT.ADD", "x", "h:1"}) == "ERR 'x' is no id of a server");
    BOOST_TEST(ask({"RAFT.ADD", "0", "h:1"}) == "ERR '0' is no id of a server");
    BOOST_TEST(ask({"RAFT.REPLACE", "1", "x", "h:1"}) == "ERR 'x' is no id of a server");
    for (auto const address : {"h", "h:0", ":1", "0.0.0.0:1", "[::]:1", "h h:1"})
        BOOST_TEST(ask({"RAFT.MOVE", "2", address}).ends_with("is no HOST:PORT at which others find a server"));
    BOOST_TEST(ask({"RAFT.ADD", "4", "h:1", "voter"}) == "ERR RAFT.ADD knows no 'voter'");
    BOOST_TEST(ask({"RAFT.PROMOTE", "3", "learner"}) == "ERR RAFT.PROMOTE knows no 'learner'");
    BOOST_TEST(ask({"RAFT.ADD", "4"}).starts_with("ERR wrong number of arguments"));
    BOOST_TEST(ask({"RAFT.DEMOTE", "2", "force"}).starts_with("ERR wrong number of arguments"));
    BOOST_TEST(ask({"RAFT.MOVE", "2", "h:1", "force"}).starts_with("ERR wrong number of arguments"));
    BOOST_TEST(not node.asked.has_value());
}

BOOST_AUTO_TEST_CASE(a_leader_hands_over_to_who_is_named_or_to_anybody)
{
    BOOST_TEST(ask({"RAFT.TRANSFER", "x"}) == "ERR 'x' is no id of a server");
    BOOST_TEST(ask({"RAFT.TRANSFER", "2", "force"}) == "ERR RAFT.TRANSFER knows no 'force'");
    BOOST_TEST(ask({"RAFT.TRANSFER"}) == "");
    BOOST_TEST((node.successor == totora::nobody));
    node.end_transfer(totora::HandedOver{});
    BOOST_TEST(answer.value() == "");
    BOOST_TEST(ask({"RAFT.TRANSFER", "2"}) == "");
    BOOST_TEST((node.successor == ServerId{2}));
    node.end_transfer(totora::TransferFailed{totora::TransferEnd::timed_out});
    BOOST_TEST(answer.value().starts_with("ERR that server did not take over"));
    BOOST_TEST(ask({"RAFT.TRANSFER", "9"}) == "");
    node.end_transfer(totora::TransferRefused{totora::TransferError::no_successor, ServerId{1}});
    BOOST_TEST(answer.value() == "ERR no such voter, or none that answers");
}

BOOST_AUTO_TEST_CASE(a_new_server_is_named_by_the_incarnation_that_runs_at_its_address)
{
    BOOST_TEST(ask({"raft.add", "4", "h:7004", "LEARNER"}) == "");
    BOOST_TEST((probed == std::pair{ServerId{4}, std::string{"h:7004"}}));
    BOOST_TEST(not node.asked.has_value());
    BOOST_TEST(ask({"RAFT.ADD", "5", "h:7005"}) == "");
    BOOST_TEST(answer.value() == "ERR another change is under way: wait for its end, or cancel it");
    answer.reset();

    find(4, 987);

    BOOST_TEST(asked_for() == "1.1 voter h:7001, 2.1 voter h:7002, 3.1 learner h:7003, 4.987 learner h:7004");
    BOOST_TEST(node.asked->expected.value == 17U);
    BOOST_TEST(not node.asked->forced);
    node.end_change(totora::MembersChanged{totora::Index{18}});
    BOOST_TEST(answer.value() == "");
}

BOOST_AUTO_TEST_CASE(a_server_that_is_not_found_is_not_let_in)
{
    BOOST_TEST(ask({"RAFT.REPLACE", "2", "4", "h:7004", "FORCE"}) == "");
    end_probe(totora::Unexpected{std::string{"Connection refused"}});
    BOOST_TEST(answer.value() == "ERR server 4 at h:7004: Connection refused");
    BOOST_TEST(not node.asked.has_value());

    BOOST_TEST(ask({"RAFT.REPLACE", "2", "4", "h:7004", "FORCE"}) == "");
    find(4, 5);
    BOOST_TEST(asked_for() == "1.1 voter h:7001, 3.1 learner h:7003, 4.5 voter h:7004");
    BOOST_TEST(node.asked->forced);
}

BOOST_AUTO_TEST_CASE(a_change_that_no_memory_is_left_for_is_answered_and_ends_nothing)
{
    node.has_memory = false;
    BOOST_TEST(ask({"RAFT.ADD", "4", "h:7004"}) == "");
    find(4, 5);
    BOOST_TEST(answer.value() == "ERR no memory");

    node.has_memory = true;
    BOOST_TEST(ask({"RAFT.ADD", "4", "h:7004"}) == "");
    find(4, 5);
    BOOST_TEST(node.asked.has_value());
}

BOOST_AUTO_TEST_CASE(a_member_keeps_its_incarnation_where_it_moves)
{
    BOOST_TEST(ask({"RAFT.MOVE", "3", "h:8003"}) == "");
    BOOST_TEST((probed == std::pair{ServerId{3}, std::string{"h:8003"}}));
    find(3, 5);
    BOOST_TEST(answer.value().starts_with("ERR server 3 at h:8003 has another incarnation than the member"));
    BOOST_TEST(not node.asked.has_value());

    BOOST_TEST(ask({"RAFT.MOVE", "3", "h:8003"}) == "");
    find(3, 1);
    BOOST_TEST(asked_for() == "1.1 voter h:7001, 2.1 voter h:7002, 3.1 learner h:8003");
    probed = {};
    BOOST_TEST(ask({"RAFT.MOVE", "1", "h:8001"}) == ""); // It asks itself nothing.
    BOOST_TEST((probed.first == totora::nobody));
    BOOST_TEST(asked_for() == "1.1 voter h:8001, 2.1 voter h:7002, 3.1 learner h:7003");
}

BOOST_AUTO_TEST_CASE(members_are_promoted_demoted_and_removed)
{
    BOOST_TEST(ask({"RAFT.PROMOTE", "3"}) == "");
    BOOST_TEST(asked_for() == "1.1 voter h:7001, 2.1 voter h:7002, 3.1 voter h:7003");
    BOOST_TEST(ask({"RAFT.DEMOTE", "2"}) == "");
    BOOST_TEST(asked_for() == "1.1 voter h:7001, 2.1 learner h:7002, 3.1 learner h:7003");
    BOOST_TEST(ask({"RAFT.REMOVE", "1", "force"}) == "");
    BOOST_TEST(asked_for() == "2.1 voter h:7002, 3.1 learner h:7003");
    BOOST_TEST(node.asked->forced);
    node.asked.reset();

    auto const refusal = [&](std::initializer_list<std::string_view> words) {
        BOOST_TEST(ask(words) == "");
        return answer.value();
    };
    BOOST_TEST(refusal({"RAFT.PROMOTE", "2"}) == "ERR server 2 is a voter already");
    BOOST_TEST(refusal({"RAFT.DEMOTE", "3"}) == "ERR server 3 is a learner already");
    BOOST_TEST(refusal({"RAFT.REMOVE", "4"}) == "ERR server 4 is no member");
    BOOST_TEST(refusal({"RAFT.ADD", "2", "h:1"}).starts_with("ERR server 2 is a member already: remove it first"));
    BOOST_TEST(refusal({"RAFT.REPLACE", "2", "2", "h:1"}).starts_with("ERR server 2 is a member already"));
    node.now.change = totora::ChangePhase::changing;
    BOOST_TEST(refusal({"RAFT.REMOVE", "2"}).starts_with("ERR another change is under way"));
    node.now.role = totora::RoleName::follower;
    BOOST_TEST(refusal({"RAFT.REMOVE", "2"}) == "CLUSTERDOWN no leader");
    BOOST_TEST(refusal({"RAFT.CANCEL"}) == "CLUSTERDOWN no leader");
    BOOST_TEST(not node.asked.has_value());
}

BOOST_AUTO_TEST_CASE(every_end_of_a_change_is_a_sentence)
{
    using totora::ChangeEnd;
    using totora::ChangeError;
    auto const after = [&](totora::ChangeOutcome const& outcome) {
        BOOST_TEST(ask({"RAFT.REMOVE", "2"}) == "");
        node.end_change(outcome);
        return answer.value();
    };
    for (auto const why :
         {ChangeEnd::newcomer_stalled, ChangeEnd::newcomer_slow, ChangeEnd::quorum_silent, ChangeEnd::cancelled}) {
        BOOST_TEST(after(totora::ChangeGivenUp{why}) == "ERR " + std::string{describe(why)});
        BOOST_TEST(describe(why) != describe(ChangeEnd::done));
    }
    BOOST_TEST(after(totora::ChangeRefused{ChangeError::not_settled, {}}) ==
               "ERR " + std::string{totora::describe(ChangeError::not_settled)});
    BOOST_TEST(after(totora::ChangeRefused{ChangeError::not_leader, {}}) == "CLUSTERDOWN no leader");
    BOOST_TEST(after(totora::ChangeUnknown{}).starts_with("ERR outcome unknown: leadership was lost"));
    BOOST_TEST(after(totora::MembersChanged{}) == "");

    BOOST_TEST(ask({"RAFT.CANCEL"}) == "");
    node.end_cancel(totora::ChangeGivenUp{ChangeEnd::cancelled});
    BOOST_TEST(answer.value() == "");
    BOOST_TEST(ask({"RAFT.CANCEL"}) == "");
    node.end_cancel(totora::MembersChanged{});
    BOOST_TEST(answer.value() == "ERR the change was done before it could be taken back");
}

BOOST_AUTO_TEST_CASE(members_are_shown_one_a_line_and_their_lag_by_a_leader)
{
    node.now.last = totora::Index{20};
    node.now.durable = totora::Index{19};
    node.now.change = totora::ChangePhase::changing;
    node.now.followers.resize(1);
    node.now.followers[0].server = ServerId{2};
    node.now.followers[0].match = totora::Index{5};
    node.now.followers[0].lag = 15;
    node.now.followers[0].lag_bytes = 915;
    node.now.followers[0].lag_ms = 70;
    node.now.change_awaits = {ServerId{2}};

    BOOST_TEST(
        membership_text(node.now, known_members(node, node.now)) ==
        "configuration:17\r\nchange:changing\r\nleader:1\r\n"
        "id=1,kind=voter,address=h:7001,incarnation=1,match=19,lag=1,lag_bytes=-,lag_ms=-,silent_ms=-,awaited=0\r\n"
        "id=2,kind=voter,address=h:7002,incarnation=1,match=5,lag=15,lag_bytes=915,lag_ms=70,silent_ms=-,awaited=1\r\n"
        "id=3,kind=learner,address=h:7003,incarnation=1,match=-,lag=-,lag_bytes=-,lag_ms=-,silent_ms=-,awaited=0\r\n");
    node.now.followers[0].silent_ms = 40;
    auto const later = membership_text(node.now, known_members(node, node.now));
    BOOST_TEST(later.find(",lag_ms=70,silent_ms=40,awaited=1") != std::string::npos, later);
}

BOOST_AUTO_TEST_CASE(a_server_shows_what_it_is_to_the_cluster)
{
    BOOST_TEST(membership_of(node.now) == "voter");
    BOOST_TEST(ids_of_members(node.now, true) == "1,2");
    BOOST_TEST(ids_of_members(node.now, false) == "3");
    node.now.removed = true;
    BOOST_TEST(membership_of(node.now) == "removed");
    node.now.removed = false;
    node.now.id = ServerId{3};
    BOOST_TEST(membership_of(node.now) == "learner");
    node.now.id = ServerId{4};
    BOOST_TEST(membership_of(node.now) == "removed", "the configuration before named it");
    node.now.admitted = false;
    BOOST_TEST(membership_of(node.now) == "waits_to_be_let_in");
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace kv::membership_commands_tests
