// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "process/system_call_trace.hpp"

#include "totora/core/messages/rpc.hpp"
#include "totora/data/entry.hpp"
#include "totora/log/segmented/segment_name.hpp"
#include "totora/log/segmented/segment_record.hpp"
#include "totora/wire/codec.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace totora::process
{

/// Follows one kv process from its first start on through its system calls, and notes every promise that left before it
/// was durable (design D3): a vote, a candidate's own vote, a successful append response, an answer to a client.
///
/// A write is durable when a sync of its file has ended that began after the write had ended.
class PromiseAudit
{
public:
    explicit PromiseAudit(Identity identity) : identity_(std::move(identity)) {}

    void read(std::istream& trace)
    {
        auto calls = SystemCallTrace{};
        calls.read(
            trace, [&](SystemCall const& call) { began(call); }, [&](SystemCall const& call) { ended(call); });
    }

    [[nodiscard]] std::vector<std::string> const& violations() const { return violations_; }

    /// How many promises were looked at; an audit of none proves nothing.
    std::size_t own_votes = 0;
    std::size_t granted_votes = 0;
    std::size_t append_responses = 0;
    std::size_t client_answers = 0;

private:
    struct Write
    {
        std::string file;
        std::size_t ended_at = 0; ///< In calls; 0 while it runs.
        bool        is_durable = false;
    };

    struct SavedVote
    {
        Term        term;
        ServerId    voted_for;
        std::size_t write;
    };

    struct StoredEntry
    {
        Term        term;
        bool        is_increment; ///< The n-th of the log is answered by n.
        std::size_t write;
    };

    static bool is_write(SystemCall const& call) { return call.name.starts_with("pwrite"); }
    static bool is_sync(SystemCall const& call) { return call.name == "fdatasync" or call.name == "fsync"; }
    static bool is_send(SystemCall const& call) { return call.name.starts_with("send"); }

    static std::span<std::byte const> bytes_of(SystemCall const& call) { return std::as_bytes(std::span{call.bytes}); }

    void began(SystemCall const& call)
    {
        ++now_;
        if (is_write(call) and generation(call))
            note_records(call);
        if (is_sync(call))
            sync_began_[call.descriptor] = now_;
        if (is_send(call))
            note_sending(call);
    }

    void ended(SystemCall const& call)
    {
        ++now_;
        if (call.name == "close")
            unsent_of_frame_.erase(call.descriptor);
        if (is_write(call) and call.result > 0)
            for (auto& write : writes_)
                if (write.file == call.file and write.ended_at == 0)
                    write.ended_at = now_;
        if (is_sync(call) and call.result == 0)
            for (auto& write : writes_)
                if (write.file == call.file and write.ended_at != 0 and write.ended_at < sync_began_[call.descriptor])
                    write.is_durable = true;
        if (is_send(call) and call.result > 0)
            note_sent(call);
    }

    // --- What is written ---

    static std::optional<std::uint64_t> generation(SystemCall const& call)
    {
        return generation_of(std::filesystem::path{call.file}.filename().native());
    }

    void note_records(SystemCall const& call)
    {
        auto const bytes = bytes_of(call);
        auto const seed = segment_seed(identity_, *generation(call));
        writes_.push_back({call.file, 0, false});
        for (auto at = std::size_t{0}; at + record_head_size <= bytes.size();) {
            auto const offset = static_cast<std::uint64_t>(call.last_argument) + at;
            auto const head = decode_head(bytes.subspan(at), seed, offset);
            if (not head) {
                at += record_alignment;
                continue;
            }
            note_record(*head, bytes.subspan(at + record_head_size), call.is_cut);
            at += static_cast<std::size_t>(size_of(*head));
        }
    }

    void note_record(RecordHead const& head, std::span<std::byte const> body, bool is_cut)
    {
        auto const write = writes_.size() - 1;
        if (head.kind == RecordKind::vote)
            saved_votes_.push_back({Term{head.numbers[0]}, ServerId{head.numbers[1]}, write});
        if (head.kind == RecordKind::truncate)
            entries_.erase(entries_.lower_bound(head.numbers[0]), entries_.end());
        if (head.kind != RecordKind::append)
            return;
        for (auto left = head.count; left > 0; --left) {
            auto const entry = view_entry(body);
            if (not entry) {
                if (is_cut)
                    violations_.push_back("the trace does not hold all of a write");
                return;
            }
            auto const is_increment =
                entry->kind == EntryKind::command and not entry->payload.empty() and entry->payload[0] == std::byte{3};
            entries_[entry->index.value] = {entry->term, is_increment, write};
            body = body.subspan(entry->encoded.size());
        }
    }

    // What is sent.

    /// Everything that is offered to the kernel counts as sent, whether it took all of it or not.
    void note_sending(SystemCall const& call)
    {
        auto const bytes = bytes_of(call);
        auto const is_frame = [&](std::size_t at) {
            return bytes.size() - at >= 4 and get<std::uint32_t>(bytes.data() + at) == frame_magic;
        };
        auto at = std::min(unsent_of_frame_[call.descriptor], bytes.size());
        if (at == 0 and not bytes.empty() and not is_frame(0))
            return note_answers(call.bytes);
        for (; at < bytes.size() and is_frame(at);) {
            auto const header = decode_header(bytes.subspan(at), FrameLimits{}.frame_bytes_max);
            if (not header)
                return violations_.push_back("a frame in the trace cannot be read");
            auto const size = static_cast<std::size_t>(header->frame_size());
            if (at + size <= bytes.size())
                if (auto const frame = decode(bytes.subspan(at, size), nullptr))
                    if (auto const* const rpc = std::get_if<Rpc>(&frame->content))
                        check(*rpc, frame->route);
            at += size;
        }
    }

    /// Remembers where in a frame the kernel stopped.
    void note_sent(SystemCall const& call)
    {
        auto const bytes = bytes_of(call);
        auto const sent = static_cast<std::size_t>(call.result);
        auto       at = unsent_of_frame_[call.descriptor];
        while (at < sent and at + frame_header_size <= bytes.size()) {
            auto const header = decode_header(bytes.subspan(at), FrameLimits{}.frame_bytes_max);
            if (not header)
                break;
            at += static_cast<std::size_t>(header->frame_size());
        }
        unsent_of_frame_[call.descriptor] = at > sent ? at - sent : 0;
    }

    void check(Rpc const& rpc, Route const& route)
    {
        if (auto const* const request = std::get_if<RequestVote>(&rpc)) {
            ++own_votes;
            check_vote(request->term, identity_.id, "its own vote in term ");
        }
        if (auto const* const response = std::get_if<RequestVoteResponse>(&rpc); response and response->vote_granted) {
            ++granted_votes;
            check_vote(response->term, route.addressee.id, "a granted vote in term ");
        }
        if (auto const* const response = std::get_if<AppendEntriesResponse>(&rpc); response and response->success) {
            ++append_responses;
            check_response(*response);
        }
    }

    void check_vote(Term term, ServerId candidate, std::string_view what)
    {
        auto const is_saved = std::any_of(saved_votes_.begin(), saved_votes_.end(), [&](SavedVote const& saved) {
            return saved.term == term and saved.voted_for == candidate and writes_[saved.write].is_durable;
        });
        if (not is_saved)
            violations_.push_back(std::string{what} + std::to_string(term.value) + " left before it was durable");
    }

    void check_response(AppendEntriesResponse const& response)
    {
        auto const what = "a response in term " + std::to_string(response.term.value);
        auto const is_saved = std::any_of(saved_votes_.begin(), saved_votes_.end(), [&](SavedVote const& saved) {
            return saved.term >= response.term and writes_[saved.write].is_durable;
        });
        if (not is_saved)
            violations_.push_back(what + " left before the term was durable");
        // Those up to `checked_` were durable before, and only a new write of them can change that.
        for (auto const& [index, entry] : entries_)
            if (index <= response.match.value and entry.term <= response.term and not writes_[entry.write].is_durable)
                return violations_.push_back(what + " acknowledges entry " + std::to_string(index) +
                                             " before it was durable");
        if (response.match.value > 0 and not entries_.contains(response.match.value))
            violations_.push_back(what + " acknowledges entry " + std::to_string(response.match.value) +
                                  ", which was never written");
    }

    /// Answers of INCR: ":n".
    void note_answers(std::string_view text)
    {
        while (not text.empty()) {
            auto const line = text.substr(0, text.find("\r\n"));
            text.remove_prefix(std::min(line.size() + 2, text.size()));
            auto count = std::size_t{0};
            if (not line.starts_with(':'))
                continue;
            std::from_chars(line.data() + 1, line.data() + line.size(), count);
            ++client_answers;
            check_answer(count);
        }
    }

    void check_answer(std::size_t count)
    {
        auto increments = std::size_t{0};
        for (auto const& [index, entry] : entries_) {
            increments += entry.is_increment ? 1 : 0;
            if (increments != count)
                continue;
            if (not writes_[entry.write].is_durable)
                violations_.push_back("a client was answered :" + std::to_string(count) + " before entry " +
                                      std::to_string(index) + " was durable here");
            return;
        }
        violations_.push_back("a client was answered :" + std::to_string(count) + " for what was never written");
    }

    Identity                             identity_;
    std::size_t                          now_ = 0;
    std::vector<Write>                   writes_;
    std::vector<SavedVote>               saved_votes_;
    std::map<std::uint64_t, StoredEntry> entries_;
    std::map<int, std::size_t>           sync_began_;
    std::map<int, std::size_t>           unsent_of_frame_; ///< By descriptor: bytes of a frame still to come.
    std::vector<std::string>             violations_;
};

} // namespace totora::process
