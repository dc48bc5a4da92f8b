// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "../commands/commands.hpp"
#include "../machine/apply_order.hpp"
#include "../protocol/resp.hpp"
#include "client_budget.hpp"
#include "client_state.hpp"
#include "http.hpp"
#include "refusal.hpp"
#include "snapshot_waits.hpp"
#include "unanswered.hpp"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace kv
{

/// Keeps no large buffer for what is rarely large.
template <typename Buffer>
void shrink(Buffer& buffer)
{
    if (buffer.capacity() > kept_bytes_max)
        Buffer{}.swap(buffer);
}

/// Takes the requests of one client, does what they ask for or hands it over, and keeps them until they are answered: a part of
/// `Connection`, which reads the bytes and sends the answers.
///
/// Of its connection it asks for `shared_from_this()`, `guarded(action)`, which calls what may throw, `is_closed()` and
/// `work_soon()`. `Member` and `Owner` are those of `Connection`.
template <typename Member, typename Owner, typename Connection>
class Requests
{
public:
    Requests(Connection& connection, Member& member, Owner& owner, ClientBudget& budget)
        : connection_(connection), member_(member), owner_(owner), budget_(budget), unanswered_(budget)
    {}

    [[nodiscard]] RequestParser&     parser() { return parser_; }
    [[nodiscard]] Unanswered&        unanswered() { return unanswered_; }
    [[nodiscard]] Unanswered const&  unanswered() const { return unanswered_; }
    [[nodiscard]] ClientState&       client() { return client_; }
    [[nodiscard]] ClientState const& client() const { return client_; }

    /// Whether a request that is here waits for the reads before it.
    [[nodiscard]] bool has_request() const { return has_request_; }

    /// Whether no further request will be done.
    [[nodiscard]] bool is_quitting() const { return is_quitting_; }

    /// How many requests were taken.
    [[nodiscard]] std::uint64_t taken() const { return taken_; }

    [[nodiscard]] std::size_t held() const { return parser_.capacity() + unanswered_.held() + payload_.capacity(); }

    /// Begins with one request; false if there is none, or it has to wait.
    [[nodiscard]] bool take()
    {
        if (is_quitting_ or not budget_.has_work())
            return false;
        if (not has_request_) {
            auto const outcome = parser_.next();
            if (outcome == RequestParser::Outcome::incomplete)
                return false;
            if (outcome == RequestParser::Outcome::broken)
                return refuse_all(parser_.complaint());
        }
        auto const words = parser_.words();
        if (not has_request_)
            take_note(words.size());
        auto const  understood = understand(words);
        auto const* complaint = std::get_if<std::string>(&understood);
        if (is_http(words, parser_.is_line(), complaint == nullptr)) {
            owner_.refused_http();
            return refuse_all("ERR Protocol error: this is no web server");
        }
        has_request_ = true;
        ++taken_;
        if (not std::exchange(has_asked_, true))
            owner_.made_first_request(connection_);
        if (complaint != nullptr)
            write_error(unanswered_.add(true).answer, *complaint);
        else if (not begin(std::get<CommandRule>(understood), words))
            return false;
        has_request_ = false;
        return true;
    }

private:
    /// The server, for the commands that it answers alone.
    struct Host
    {
        Member& member;
        Owner&  owner;

        [[nodiscard]] std::string info() const { return member.info(); }
        [[nodiscard]] std::string clients() const { return owner.client_list(); }
        [[nodiscard]] std::string members() const { return member.members(); }
        [[nodiscard]] Topology    topology() const { return member.topology(); }
        void                      shut_down() const { member.shut_down(); }
    };

    void take_note(std::size_t words)
    {
        budget_.spend(words);
        owner_.counted();
    }

    /// Answers what is no request, and does nothing that follows it.
    bool refuse_all(std::string_view error)
    {
        write_error(unanswered_.add(true).answer, error);
        is_quitting_ = true;
        return true;
    }

    /// False if the request has to wait.
    bool begin(CommandRule const& rule, std::span<std::string_view const> words)
    {
        client_.last_command = rule.name;
        if (member_.is_loading() and (rule.audience != Audience::server or rule.command == Command::ping)) {
            write_error(unanswered_.add(true).answer,
                        "LOADING this server has not applied its log yet: nothing was done");
            return true;
        }
        switch (rule.audience) {
        case Audience::server: {
            if (rule.command == Command::snapshot)
                return begin_snapshot(), true;
            auto answer = std::string{};
            ServerAnswers{answer, client_, Host{member_, owner_}}.answer(rule.command, words);
            auto& slot = unanswered_.add(true);
            slot.answer = std::move(answer);
            budget_.spend(slot.answer.size() / (ClientBudget::bytes_per_unit / 8));
            unanswered_.count(slot, slot.answer.size()); // It waits for those before it.
            if (rule.command == Command::quit or (rule.command == Command::shutdown and slot.answer.empty()))
                is_quitting_ = true;
            return true;
        }
        case Audience::reader:
            begin_read(rule.command, words);
            return true;
        case Audience::cluster:
            if (unanswered_.readings() > 0 and not unanswered_.can_read_early(member_.machine()))
                return false;
            begin_write(rule.command, words);
            return true;
        case Audience::operators:
            begin_change(rule.command, words);
            return true;
        }
        return true;
    }

    void begin_read(Command command, std::span<std::string_view const> words)
    {
        auto reading = reading_of(command, words, client_.protocol);
        if (auto const* const complaint = std::get_if<std::string>(&reading))
            return write_error(unanswered_.add(true).answer, *complaint);
        auto& slot = unanswered_.add(false);
        unanswered_.wait_to_read(slot, std::get<Reading>(std::move(reading)));
        unanswered_.count(slot, size_of(words));
        member_.read([self = shared(), number = unanswered_.last()](std::optional<Refusal> refusal) {
            auto* const waiting = self->unanswered_.waiting_reading(number);
            if (waiting == nullptr) // It was read before a write, or the connection has given up.
                return;
            waiting->is_ended = true;
            if (refusal) {
                self->unanswered_.forget_reading(*waiting);
                self->refuse(*waiting, *refusal);
            }
            self->connection_.work_soon();
        });
    }

    void begin_write(Command command, std::span<std::string_view const> words)
    {
        if (command == Command::announce and not is_follower(member_.topology(), words[1]))
            return write_error(unanswered_.add(true).answer, "ERR no follower in this cluster has this name");
        auto const complaint = encode_request(command, words, payload_);
        if (not complaint.empty())
            return write_error(unanswered_.add(true).answer, complaint);
        auto& slot = unanswered_.add(false);
        unanswered_.count(slot, size_of(words));
        auto before = ApplyOrder::Action{};
        if (unanswered_.readings() > 0)
            before = [self = shared(), number = unanswered_.last()] { self->read_before(number); };
        auto done = [self = shared(), number = unanswered_.last(), command,
                     protocol = client_.protocol](std::variant<Answer, Refusal> const& end) {
            auto& ended = self->unanswered_.at(number);
            ended.is_ended = true;
            if (auto const* const refusal = std::get_if<Refusal>(&end))
                self->refuse(ended, *refusal);
            else
                self->connection_.guarded(
                    [&] { write_answer(ended.answer, std::get<Answer>(end), command, protocol); });
            self->unanswered_.count(ended, ended.answer.size());
            self->connection_.work_soon();
        };
        member_.write(payload_, std::move(before), std::move(done));
        shrink(payload_);
    }

    /// It may take minutes: meanwhile the answers to what follows wait, of this client.
    void begin_snapshot()
    {
        unanswered_.add(false);
        member_.take_snapshot([self = shared(), number = unanswered_.last()](SnapshotAnswer const& end) {
            auto& ended = self->unanswered_.at(number);
            ended.is_ended = true;
            self->connection_.guarded([&] {
                end.is_durable ? write_simple(ended.answer, end.what)
                               : write_error(ended.answer, "ERR no snapshot was taken: ", end.what);
            });
            self->unanswered_.count(ended, ended.answer.size());
            self->connection_.work_soon();
        });
    }

    /// It is answered when the members have changed, which may take long: other clients do not notice.
    void begin_change(Command command, std::span<std::string_view const> words)
    {
        auto wish = read_change_wish(command, words);
        if (auto const* const complaint = std::get_if<std::string>(&wish))
            return write_error(unanswered_.add(true).answer, *complaint);
        auto& slot = unanswered_.add(false);
        unanswered_.count(slot, size_of(words));
        auto done = [self = shared(), number = unanswered_.last()](std::string const& error) {
            auto& ended = self->unanswered_.at(number);
            ended.is_ended = true;
            self->connection_.guarded([&] { write_done(ended.answer, error); });
            self->connection_.work_soon();
        };
        member_.change(std::get<ChangeWish>(std::move(wish)), std::move(done));
    }

    void refuse(Slot& slot, Refusal const& refusal)
    {
        connection_.guarded([&] { write_error(slot.answer, refusal.error, refusal.detail); });
    }

    /// The write of this slot is about to be applied: it must not be seen by the reads before it.
    void read_before(std::uint64_t write)
    {
        while (not connection_.is_closed()) {
            auto* const early = unanswered_.next_to_read(write);
            if (early == nullptr)
                return;
            early->is_ended = true;
            if (unanswered_.bytes() > early_bytes_max) {
                unanswered_.forget_reading(*early);
                refuse(*early,
                       {"BUSY what is read before a write of this connection has become too large: read again"});
                continue;
            }
            // Of a bounded cost, and so done at once.
            connection_.guarded([&] { (void)unanswered_.read(*early, early->answer, member_.machine()); });
            unanswered_.count(*early, early->answer.size());
        }
    }

    [[nodiscard]] static std::size_t size_of(std::span<std::string_view const> words)
    {
        auto size = words.size() * sizeof(std::string);
        for (auto const word : words)
            size += word.size();
        return size;
    }

    /// Keeps the connection, and so this part of it.
    [[nodiscard]] std::shared_ptr<Requests> shared()
    {
        return std::shared_ptr<Requests>{connection_.shared_from_this(), this};
    }

    Connection&            connection_;
    Member&                member_;
    Owner&                 owner_;
    ClientBudget&          budget_;
    ClientState            client_;
    RequestParser          parser_;
    Unanswered             unanswered_;
    std::vector<std::byte> payload_;
    bool                   has_request_ = false; ///< The parser's words wait for the reads before them.
    bool                   has_asked_ = false;   ///< A request was taken.
    bool                   is_quitting_ = false;
    std::uint64_t          taken_ = 0;
};

} // namespace kv
