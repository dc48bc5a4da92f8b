// SPDX-License-Identifier: BSL-1.0
#include "support/stage.hpp"

template class totora::RaftNode<totora::test::Recorder, totora::test::CheckingLog, totora::test::Wire,
                                totora::ManualClock, totora::test::Events>;
template class totora::RaftNode<totora::test::DurableRecorder, totora::test::CheckingLog, totora::test::Wire,
                                totora::ManualClock, totora::test::Events>;

namespace totora::test
{

template <typename Machine>
StageOf<Machine>::StageOf(std::uint64_t voters, NodeSettings settings)
    : StageOf(Identity{cluster_of("stage"), S1, first_incarnation, peers_of(voters)}, settings)
{}

template <typename Machine>
StageOf<Machine>::StageOf(Identity const& identity, NodeSettings settings) : log(identity), settings_(settings)
{
    restart();
}

template <typename Machine>
StageOf<Machine>::~StageOf() = default;

template <typename Machine>
void StageOf<Machine>::restart()
{
    node.reset();
    machine.begin_run();
    wire.arriving.clear();
    wire.sent.clear();
    clock = ManualClock{1};
    node = std::make_unique<Node>(machine, log, wire, clock, settings_, events);
    started = node->start();
}

template <typename Machine>
void StageOf<Machine>::crash()
{
    node.reset();
    log.memory.crash();
    restart();
}

template <typename Machine>
void StageOf<Machine>::run()
{
    for (auto turns = 0; node->turn(); ++turns)
        if (turns == 10'000)
            throw std::runtime_error("the node never comes to rest");
}

template <typename Machine>
void StageOf<Machine>::receive(ServerId from, Rpc const& rpc, Entries entries)
{
    wire.arriving.push_back(Received{from, rpc, std::move(entries)});
    run();
}

template <typename Machine>
void StageOf<Machine>::receive_chunk(ServerId from, InstallSnapshot const& rpc, std::span<std::byte const> bytes)
{
    auto const pin = std::make_shared<std::vector<std::byte>>(bytes.begin(), bytes.end());
    wire.arriving.push_back(Received{from, rpc, {}, {pin, *pin}});
    run();
}

template <typename Machine>
void StageOf<Machine>::pass_ms(std::uint64_t ms)
{
    clock.advance_ms(ms);
    run();
}

template <typename Machine>
void StageOf<Machine>::lead()
{
    run(); // Applies what it can: before that it waits longer.
    pass_ms(600);
    auto const needed = node->state().configurations.in_force.members.size() / 2 + 1;
    for (auto id = std::uint64_t{2}; id <= needed; ++id)
        receive(ServerId{id}, RequestPreVoteResponse{term(), node->state().pre_vote_round, true});
    for (auto id = std::uint64_t{2}; id <= needed; ++id)
        receive(ServerId{id}, RequestVoteResponse{term(), true});
    if (not is_leader(node->state()))
        throw std::runtime_error("the stage's server was not elected");
}

template <typename Machine>
void StageOf<Machine>::lead_with_follower()
{
    lead();
    accept_all(S2);
}

template <typename Machine>
void StageOf<Machine>::accept_all(ServerId follower)
{
    accept(follower, last_index(node->state()));
}

template <typename Machine>
void StageOf<Machine>::accept(ServerId follower, Index match, Round round)
{
    receive(follower, accepted(term(), match, sent_to(follower).value, round));
}

template <typename Machine>
ProposalEnd StageOf<Machine>::propose(std::string_view command, std::uint64_t timeout_ms)
{
    auto end = std::make_shared<ProposalEnd::element_type>();
    node->propose(bytes_of(command), note_in(end), timeout_ms);
    return end;
}

template <typename Machine>
BatchEnd StageOf<Machine>::propose_batch(std::vector<std::string> const& commands, std::uint64_t timeout_ms)
{
    auto payloads = std::vector<std::vector<std::byte>>{};
    for (auto const& command : commands)
        payloads.push_back(bytes_of(command));
    auto const spans = std::vector<std::span<std::byte const>>{payloads.begin(), payloads.end()};
    auto       end = std::make_shared<BatchEnd::element_type>();
    node->propose(spans, note_in(end), timeout_ms);
    return end;
}

template <typename Machine>
ReadEnd StageOf<Machine>::read(std::uint64_t timeout_ms)
{
    auto end = std::make_shared<ReadEnd::element_type>();
    node->read(note_in(end), timeout_ms);
    return end;
}

template <typename Machine>
Term StageOf<Machine>::term() const
{
    return node->state().current_term;
}

template <typename Machine>
Status StageOf<Machine>::status() const
{
    return node->status();
}

template <typename Machine>
AppendNumber StageOf<Machine>::sent_to(ServerId follower) const
{
    auto const* progress = find_progress(node->state(), follower);
    return progress->sent;
}

template <typename Machine>
std::vector<Wire::Sent> StageOf<Machine>::appends_to(ServerId to) const
{
    auto found = std::vector<Wire::Sent>{};
    for (auto const& one : wire.sent)
        if (auto const* append = std::get_if<AppendEntries>(&one.rpc);
            append != nullptr and one.to == to and append->entries.count > 0)
            found.push_back(one);
    return found;
}

template class StageOf<Recorder>;
template class StageOf<DurableRecorder>;

} // namespace totora::test
