// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "../commands/commands.hpp"
#include "../machine/apply_order.hpp"
#include "../protocol/resp.hpp"
#include "client_budget.hpp"
#include "client_socket.hpp"
#include "client_state.hpp"
#include "http.hpp"
#include "reading_cost.hpp"

#include "totora/data/queue.hpp"

#include <utility>

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/write.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace kv
{

/// How many requests of one connection may be without their answer; beyond it, the client is not read.
inline constexpr std::size_t unanswered_max = 1024;

/// How many bytes of requests may be without their answer, and of answers unsent; beyond it, the client is not read. The
/// last request and the last answer may pass it, so that one client holds about 64 MiB at most: a request of 9 MiB in a
/// buffer of twice that, 13 MiB on their way, and an answer of 16 MiB in a buffer of twice that.
inline constexpr std::size_t unanswered_bytes_max = std::size_t{4} << 20U;
inline constexpr std::size_t unsent_bytes_max = std::size_t{1} << 20U;

/// What the reads of one client that no answer is written for yet may cost together, in the units of `ClientBudget`, when a write
/// follows them: they are all read in the moment before it is applied. Otherwise the write waits for them.
inline constexpr std::size_t early_cost_max = 4'096;

/// What a client may hold when such a read is done; values that grew meanwhile can make it more, and the read is then refused.
inline constexpr std::size_t early_bytes_max = std::size_t{16} << 20U;

/// What a buffer that is empty may keep: little, for there may be many clients that do nothing.
inline constexpr std::size_t kept_bytes_max = std::size_t{1} << 10U;

/// An error to answer with instead of a result: two pieces that follow each other, such as "MOVED 0 " and an address. What
/// they refer to lives while the answer is given; nothing is allocated for them.
struct Refusal
{
    std::string_view error;
    std::string_view detail = {};
};

/// One client. Answers stand in the order of the requests, however many are on their way at once. A client that sends
/// on without waiting sees its requests happen in that order too, and none of them waits for the others: a read sees the writes
/// before it, of this connection, and none of those that follow.
///
/// Reads and writes are handed over at once. A read looks when the node allows it and the writes before it have been applied,
/// or in the moment before the next write is applied, whichever comes first. The latter needs no word of the node: a leader
/// whose entry was committed was still the leader after that entry was proposed, and so after the read was asked for, and
/// all that was committed before stands at lower indexes. If it leads no more, the node has refused the read before.
/// Where reads are large, the write after them waits.
///
/// What fails for a client, memory above all, costs this client its connection, and nobody else anything: no exception
/// leaves what is called here.
///
/// `Member` is the server of the cluster behind it: `write(payload, before, done)` ends with an `Answer` or a `Refusal`, and calls
/// `before`, if it is not empty, right before the write is applied, which may be long after `done` or never; `read(done)` ends
/// with a `Refusal` or nothing (the state machine may be read from now on); both exactly once, unless they throw, on this thread,
/// perhaps before they return. `machine()` is the state machine, `info()` the text of INFO,
/// `is_loading()` whether the log of this start is not applied yet, `topology()` the servers, and `shut_down()` stops this one.
/// `Owner` is told when it closes (`closed`), when it asks for something for the first time (`spoke`), when it takes a request
/// (`counted`), when it has work for the next turn (`work_later`), when it holds more memory than before (`grown`), when a request
/// begins or ceases to be half here (`half_here`), and when it was sent HTTP (`refused_http`). It lends the room that bytes are read
/// to (`scratch`); `client_list()` is the text of CLIENT LIST.
template <typename Member, typename Owner>
class Connection : public std::enable_shared_from_this<Connection<Member, Owner>>
{
public:
    using Socket = boost::asio::ip::tcp::socket;

    /// `id` tells it from the other clients of its owner.
    Connection(Socket socket, Member& member, Owner& owner, ClientBudget& budget, std::uint64_t id)
        : socket_(std::move(socket)), member_(member), owner_(owner), budget_(budget)
    {
        client_.id = id;
        auto       ignored = boost::system::error_code{};
        auto const remote = socket_.remote_endpoint(ignored);
        client_.address = remote.address().to_string(ignored) + ":" + std::to_string(remote.port());
    }

    Connection(Connection const&) = delete;
    Connection& operator=(Connection const&) = delete;
    ~Connection() { close_accounts(); }

    /// Goes on where it stopped: at its beginning, and when the node had a turn after `work_later`.
    void resume()
    {
        is_waiting_ = false;
        guarded([this] { work(); });
    }

    /// Takes no further request, answers those that are here, and closes.
    void finish()
    {
        is_finishing_ = true;
        work_soon();
    }

    void close()
    {
        if (is_closed_)
            return;
        is_closed_ = true;
        close_accounts(); // What handlers still hold goes with them, soon.
        auto ignored = boost::system::error_code{};
        socket_.close(ignored);
        owner_.closed(*this);
    }

    /// Closes, with an error for the client if it can be sent now. It answers the oldest request that has no answer, so it
    /// must be true of that one: "outcome unknown".
    void give_up(std::string_view error)
    {
        if (not is_closed_ and answers_.empty() and not is_sending_)
            send_error_at_once(socket_, error);
        close();
    }

    [[nodiscard]] std::uint64_t number() const { return client_.id; }

    /// The bytes that are held for this client, as of its last work.
    [[nodiscard]] std::size_t held() const { return held_; }

    [[nodiscard]] ClientState const& client() const { return client_; }

private:
    /// The server, for the commands that it answers alone.
    struct Host
    {
        Member& member;
        Owner&  owner;

        [[nodiscard]] std::string info() const { return member.info(); }
        [[nodiscard]] std::string clients() const { return owner.client_list(); }
        [[nodiscard]] Topology    topology() const { return member.topology(); }
        void                      shut_down() const { member.shut_down(); }
    };

    /// A request without its answer on the way.
    struct Slot
    {
        bool                   is_ended = false; ///< The cluster has spoken.
        std::optional<Reading> reading; ///< What to read, once this slot is the first or the next write is applied.
        std::string            answer;
        std::size_t            bytes = 0;      ///< Of the request, or of an answer that is there already.
        std::size_t            early_cost = 0; ///< Of the reading; 0 until a write follows.
    };

    /// Calls what may throw.
    template <typename Action>
    void guarded(Action action)
    {
        try {
            action();
        } catch (std::exception const&) {
            give_up(out_of_memory);
        }
    }

    /// Everything that can be done now, until nothing can, or others have to come first.
    void work()
    {
        while (not is_closed_) {
            take_answers();
            send();
            if (not take_request())
                break;
        }
        if (is_closed_)
            return;
        if (is_finishing_ and slots_.empty() and answers_.empty() and not is_sending_)
            return close();
        if (not budget_.has_work() and not std::exchange(is_waiting_, true))
            owner_.work_later(this->shared_from_this());
        receive();
        tell_half();
        account(); // The last: it may close this very connection, which its owner must not hear of afterwards.
    }

    /// A request is half here while the client is waited for, not while it waits for others; each one for itself.
    void tell_half()
    {
        auto const is_half_here = is_receiving_ and parser_.has_begun();
        if (is_half_here != is_half_here_ or (is_half_here and taken_ != taken_before_half_))
            owner_.half_here(*this, is_half_here);
        is_half_here_ = is_half_here;
        taken_before_half_ = taken_;
    }

    /// Gathers what happens in one turn of the loop, so that its answers leave together.
    void work_soon()
    {
        if (is_closed_ or std::exchange(is_work_due_, true))
            return;
        guarded([this] {
            boost::asio::post(socket_.get_executor(), [self = this->shared_from_this()] {
                self->is_work_due_ = false;
                self->guarded([&] { self->work(); });
            });
        });
    }

    void take_answers()
    {
        while (not slots_.empty() and slots_.front().is_ended and unsent_bytes() < unsent_bytes_max) {
            auto& slot = slots_.front();
            if (slot.reading) {
                if (not budget_.has_work())
                    return;
                if (not read(slot, answers_))
                    return;
            }
            answers_.append(slot.answer);
            unanswered_bytes_ -= slot.bytes;
            static_cast<void>(slots_.pop_front());
            ++first_slot_;
        }
    }

    /// Reads what a slot asks for, and forgets what it was. False if it goes on in the next turn of the node.
    [[nodiscard]] bool read(Slot& slot, std::string& to)
    {
        auto const is_done = read_answer(to, *slot.reading, member_.machine(), budget_);
        account_walk(slot);
        if (is_done)
            forget_reading(slot);
        return is_done;
    }

    void forget_reading(Slot& slot)
    {
        --readings_;
        early_cost_ -= std::exchange(slot.early_cost, 0);
        slot.reading.reset();
        if (early_taken_ > early_cost_)
            budget_.end_early(std::exchange(early_taken_, early_cost_) - early_cost_);
    }

    /// The write of this slot is about to be applied: it must not be seen by the reads before it.
    void read_before(std::uint64_t write)
    {
        for (unread_ = std::max(unread_, first_slot_); unread_ < write and not is_closed_; ++unread_) {
            auto& early = slot(unread_);
            if (not early.reading)
                continue;
            early.is_ended = true;
            if (unanswered_bytes_ > early_bytes_max) {
                forget_reading(early);
                refuse(early, {"BUSY what is read before a write of this connection has become too large: read again"});
                continue;
            }
            guarded([&] { (void)read(early, early.answer); }); // Of a bounded cost, and so done at once.
            early.bytes += early.answer.size();
            unanswered_bytes_ += early.answer.size();
        }
    }

    /// Whether all that waits to be read may be read in one moment.
    [[nodiscard]] bool can_read_early()
    {
        for (costed_ = std::max(costed_, first_slot_); costed_ < first_slot_ + slots_.size(); ++costed_)
            if (auto& waiting = slot(costed_); waiting.reading) {
                waiting.early_cost = reading_cost(waiting.reading->command, waiting.reading->keys, member_.machine());
                early_cost_ += waiting.early_cost;
            }
        if (early_cost_ > early_cost_max or not budget_.take_early(early_cost_ - early_taken_))
            return false;
        early_taken_ = early_cost_;
        return true;
    }

    void send()
    {
        if (is_sending_ or answers_.empty())
            return;
        is_sending_ = true;
        std::swap(sending_, answers_);
        boost::asio::async_write(socket_, boost::asio::buffer(sending_),
                                 [self = this->shared_from_this()](auto failure, std::size_t) {
                                     self->is_sending_ = false;
                                     self->sending_.clear();
                                     shrink(self->sending_);
                                     if (failure)
                                         return self->close();
                                     self->guarded([&] { self->work(); });
                                 });
    }

    /// Waits for bytes without room for them: a client that says nothing holds next to no memory.
    void receive()
    {
        if (is_receiving_ or is_finishing_ or has_request_ or is_waiting_ or is_full())
            return;
        parser_.rest();
        if (slots_.empty())
            slots_ = {};
        is_receiving_ = true;
        socket_.async_wait(Socket::wait_read, [self = this->shared_from_this()](auto failure) {
            self->is_receiving_ = false;
            self->guarded([&] {
                if (not self->is_closed_ and not failure)
                    self->take_bytes();
                self->work();
            });
        });
    }

    void take_bytes()
    {
        auto       failure = boost::system::error_code{};
        auto const scratch = owner_.scratch();
        auto const bytes = socket_.read_some(boost::asio::buffer(scratch.data(), scratch.size()), failure);
        auto const room = parser_.room(bytes);
        std::copy_n(scratch.begin(), bytes, room.begin());
        parser_.filled(bytes);
        budget_.spend(1 + bytes / ClientBudget::bytes_per_unit);
        // Also a client that will send no more but still reads.
        if (failure and failure != boost::asio::error::would_block and failure != boost::asio::error::try_again)
            is_finishing_ = true;
    }

    /// What a walk has found counts as of its request, until it is answered.
    void account_walk(Slot& slot)
    {
        if (not slot.reading->walk)
            return;
        auto const more = std::max(slot.bytes, slot.reading->walk->keys.capacity()) - slot.bytes;
        slot.bytes += more;
        unanswered_bytes_ += more;
    }

    [[nodiscard]] std::size_t unsent_bytes() const { return answers_.size() + sending_.size(); }

    /// The budget may be gone before the last handler that holds this connection.
    void close_accounts()
    {
        if (auto const before = std::exchange(held_, 0); before > 0)
            budget_.hold(before, 0);
        if (auto const taken = std::exchange(early_taken_, 0); taken > 0)
            budget_.end_early(taken);
    }

    /// Reports what this client holds.
    void account()
    {
        auto const now = parser_.capacity() + unanswered_bytes_ + slots_.size() * sizeof(Slot) + answers_.capacity() +
                         sending_.capacity() + payload_.capacity();
        auto const before = std::exchange(held_, now);
        budget_.hold(before, now);
        if (now > before)
            owner_.grown();
    }

    /// Keeps no large buffer for what is rarely large.
    template <typename Buffer>
    static void shrink(Buffer& buffer)
    {
        if (buffer.capacity() > kept_bytes_max)
            Buffer{}.swap(buffer);
    }

    [[nodiscard]] bool is_full() const
    {
        return slots_.size() >= unanswered_max or unanswered_bytes_ >= unanswered_bytes_max or
               unsent_bytes() >= unsent_bytes_max;
    }

    /// Begins with one request; false if there is none, or it has to wait.
    bool take_request()
    {
        if (is_receiving_ or is_quitting_ or is_full() or not budget_.has_work())
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
        if (not std::exchange(has_spoken_, true))
            owner_.spoke(*this);
        if (complaint != nullptr)
            write_error(add_slot(true).answer, *complaint);
        else if (not begin(std::get<CommandRule>(understood), words))
            return false;
        has_request_ = false;
        return true;
    }

    void take_note(std::size_t words)
    {
        budget_.spend(words);
        owner_.counted();
    }

    /// Answers what is no request, and does nothing that follows it.
    bool refuse_all(std::string_view error)
    {
        write_error(add_slot(true).answer, error);
        is_quitting_ = is_finishing_ = true;
        return true;
    }

    /// False if the request has to wait.
    bool begin(CommandRule const& rule, std::span<std::string_view const> words)
    {
        client_.last_command = rule.name;
        if (member_.is_loading() and (rule.audience != Audience::server or rule.command == Command::ping)) {
            write_error(add_slot(true).answer, "LOADING this server has not applied its log yet: nothing was done");
            return true;
        }
        switch (rule.audience) {
        case Audience::server: {
            auto answer = std::string{};
            ServerAnswers{answer, client_, Host{member_, owner_}}.answer(rule.command, words);
            auto& slot = add_slot(true);
            slot.answer = std::move(answer);
            budget_.spend(slot.answer.size() / (ClientBudget::bytes_per_unit / 8));
            slot.bytes = slot.answer.size(); // It waits for those before it.
            unanswered_bytes_ += slot.bytes;
            if (rule.command == Command::quit or (rule.command == Command::shutdown and slot.answer.empty()))
                is_quitting_ = is_finishing_ = true;
            return true;
        }
        case Audience::reader:
            begin_read(rule.command, words);
            return true;
        case Audience::cluster:
            if (readings_ > 0 and not can_read_early())
                return false;
            begin_write(rule.command, words);
            return true;
        }
        return true;
    }

    void begin_read(Command command, std::span<std::string_view const> words)
    {
        auto reading = reading_of(command, words, client_.protocol);
        if (auto const* const complaint = std::get_if<std::string>(&reading))
            return write_error(add_slot(true).answer, *complaint);
        auto& slot = add_slot(false);
        slot.reading = std::get<Reading>(std::move(reading));
        slot.bytes = size_of(words);
        unanswered_bytes_ += slot.bytes;
        ++readings_;
        member_.read([self = this->shared_from_this(), number = last_slot()](std::optional<Refusal> refusal) {
            auto* const waiting = self->waiting_reading(number);
            if (waiting == nullptr) // It was read before a write, or the connection has given up.
                return;
            waiting->is_ended = true;
            if (refusal) {
                self->forget_reading(*waiting);
                self->refuse(*waiting, *refusal);
            }
            self->work_soon();
        });
    }

    void begin_write(Command command, std::span<std::string_view const> words)
    {
        if (command == Command::announce and not is_follower(member_.topology(), words[1]))
            return write_error(add_slot(true).answer, "ERR no follower in this cluster has this name");
        auto const complaint = encode_request(command, words, payload_);
        if (not complaint.empty())
            return write_error(add_slot(true).answer, complaint);
        auto& slot = add_slot(false);
        slot.bytes = size_of(words);
        unanswered_bytes_ += slot.bytes;
        auto before = ApplyOrder::Action{};
        if (readings_ > 0)
            before = [self = this->shared_from_this(), number = last_slot()] { self->read_before(number); };
        auto done = [self = this->shared_from_this(), number = last_slot(), command,
                     protocol = client_.protocol](std::variant<Answer, Refusal> const& end) {
            auto& ended = self->slot(number);
            ended.is_ended = true;
            if (auto const* const refusal = std::get_if<Refusal>(&end))
                self->refuse(ended, *refusal);
            else
                self->guarded([&] { write_answer(ended.answer, std::get<Answer>(end), command, protocol); });
            ended.bytes += ended.answer.size();
            self->unanswered_bytes_ += ended.answer.size();
            self->work_soon();
        };
        member_.write(payload_, std::move(before), std::move(done));
        shrink(payload_);
    }

    void refuse(Slot& slot, Refusal const& refusal)
    {
        guarded([&] { write_error(slot.answer, refusal.error, refusal.detail); });
    }

    [[nodiscard]] static std::size_t size_of(std::span<std::string_view const> words)
    {
        auto size = words.size() * sizeof(std::string);
        for (auto const word : words)
            size += word.size();
        return size;
    }

    Slot& add_slot(bool is_ended)
    {
        slots_.push_back({});
        slots_.back().is_ended = is_ended;
        return slots_.back();
    }

    /// Slots are numbered as long as the connection lives, because a request may end much later.
    [[nodiscard]] std::uint64_t last_slot() const { return first_slot_ + slots_.size() - 1; }
    [[nodiscard]] Slot&         slot(std::uint64_t number) { return slots_[number - first_slot_]; }

    /// The slot of this number, if it is still to be read.
    [[nodiscard]] Slot* waiting_reading(std::uint64_t number)
    {
        auto* const found = number < first_slot_ ? nullptr : &slot(number);
        return found != nullptr and found->reading ? found : nullptr;
    }

    static constexpr std::string_view out_of_memory =
        "ERR outcome unknown: this server has no memory left for the request, and closes the connection";

    Socket                 socket_;
    Member&                member_;
    Owner&                 owner_;
    ClientBudget&          budget_;
    ClientState            client_;
    std::size_t            held_ = 0; ///< What the budget knows of.
    RequestParser          parser_;
    totora::Queue<Slot>    slots_;
    std::uint64_t          first_slot_ = 0;
    std::size_t            unanswered_bytes_ = 0;
    std::size_t            readings_ = 0;    ///< Slots that have not been read yet.
    std::size_t            early_cost_ = 0;  ///< Of these, as far as it is known.
    std::size_t            early_taken_ = 0; ///< Of that, what the budget knows of.
    std::uint64_t          costed_ = 0;      ///< All slots before this one have a known cost.
    std::uint64_t          unread_ = 0;      ///< In no slot before this one there is something left to read.
    std::string            answers_;         ///< To be sent next.
    std::string            sending_;
    std::vector<std::byte> payload_;
    bool                   has_request_ = false; ///< The parser's words wait for the reads before them.
    std::uint64_t          taken_ = 0;           ///< Requests.
    std::uint64_t          taken_before_half_ = 0;
    bool                   is_half_here_ = false; ///< The rest of a request is to come.
    bool                   has_spoken_ = false;   ///< A request was taken.
    bool                   is_receiving_ = false;
    bool                   is_sending_ = false;
    bool                   is_work_due_ = false;
    bool                   is_waiting_ = false;   ///< For the node's next turn.
    bool                   is_finishing_ = false; ///< No more bytes are read.
    bool                   is_quitting_ = false;  ///< Nor are the requests done that follow.
    bool                   is_closed_ = false;
};

} // namespace kv
