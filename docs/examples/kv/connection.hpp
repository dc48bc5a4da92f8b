// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "commands.hpp"
#include "resp.hpp"

#include <utility>

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/write.hpp>

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
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

/// How many bytes of requests may be without their answer, and of answers unsent; beyond it, the client is not read.
inline constexpr std::size_t unanswered_bytes_max = std::size_t{4} << 20U;
inline constexpr std::size_t unsent_bytes_max = std::size_t{1} << 20U;

/// An error to answer with instead of a result, such as "MOVED 0 127.0.0.1:6002".
struct Refusal
{
    std::string error;
};

/// One client. Answers stand in the order of the requests, however many are on their way at once. A client that sends
/// on without waiting sees its requests happen in that order too: a write waits until the reads before it have been
/// read, and a read looks when the writes before it have been applied.
///
/// `Member` is the server of the cluster behind it: `write(payload, done)` ends with an `Answer` or a `Refusal`,
/// `read(done)` with a `Refusal` or nothing (the state machine may be read from now on); both exactly once, on this
/// thread, perhaps before they return. `machine()` is the state machine, `info()` the text of INFO.
template <typename Member>
class Connection : public std::enable_shared_from_this<Connection<Member>>
{
public:
    using Socket = boost::asio::ip::tcp::socket;

    Connection(Socket socket, Member& member, std::function<void(Connection&)> closed)
        : socket_(std::move(socket)), member_(member), closed_(std::move(closed))
    {}

    void start() { work(); }

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
        auto ignored = boost::system::error_code{};
        socket_.close(ignored);
        closed_(*this);
    }

private:
    struct Reading
    {
        Command                  command;
        std::vector<std::string> keys;
    };

    /// A request without its answer on the way.
    struct Slot
    {
        bool                   is_ended = false; ///< The cluster has spoken.
        std::optional<Reading> reading;          ///< What to read once this slot is the first.
        std::string            answer;
        std::size_t            bytes = 0; ///< Of the request, or of an answer that is there already.
    };

    /// Everything that can be done now, until nothing can.
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
        receive();
    }

    /// Gathers what happens in one turn of the loop, so that its answers leave together.
    void work_soon()
    {
        if (std::exchange(is_work_due_, true))
            return;
        boost::asio::post(socket_.get_executor(), [self = this->shared_from_this()] {
            self->is_work_due_ = false;
            self->work();
        });
    }

    void take_answers()
    {
        while (not slots_.empty() and slots_.front().is_ended and answers_.size() < unsent_bytes_max) {
            auto& slot = slots_.front();
            if (slot.reading) {
                read_answer(answers_, slot.reading->command, slot.reading->keys, member_.machine());
                --readings_;
            }
            answers_.append(slot.answer);
            unanswered_bytes_ -= slot.bytes;
            slots_.pop_front();
            ++first_slot_;
        }
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
                                     if (self->sending_.capacity() > unsent_bytes_max)
                                         self->sending_.shrink_to_fit();
                                     self->sending_.clear();
                                     if (failure)
                                         return self->close();
                                     self->work();
                                 });
    }

    void receive()
    {
        if (is_receiving_ or is_finishing_ or has_request_ or is_full())
            return;
        is_receiving_ = true;
        auto const room = parser_.room(16'384);
        socket_.async_read_some(boost::asio::buffer(room.data(), room.size()),
                                [self = this->shared_from_this()](auto failure, std::size_t bytes) {
                                    self->is_receiving_ = false;
                                    self->parser_.filled(bytes);
                                    if (failure) // Also a client that will say no more but still listens.
                                        self->is_finishing_ = true;
                                    self->work();
                                });
    }

    [[nodiscard]] bool is_full() const
    {
        return slots_.size() >= unanswered_max or unanswered_bytes_ >= unanswered_bytes_max or
               answers_.size() >= unsent_bytes_max;
    }

    /// Begins with one request; false if there is none, or it has to wait.
    bool take_request()
    {
        if (is_receiving_ or is_quitting_ or is_full())
            return false;
        if (not has_request_) {
            auto const outcome = parser_.next();
            if (outcome == RequestParser::Outcome::incomplete)
                return false;
            if (outcome == RequestParser::Outcome::broken) {
                write_error(add_slot(true).answer, parser_.complaint());
                is_quitting_ = is_finishing_ = true;
                return true;
            }
        }
        auto const words = parser_.words();
        auto const understood = understand(words);
        has_request_ = true;
        if (auto const* const complaint = std::get_if<std::string>(&understood))
            write_error(add_slot(true).answer, *complaint);
        else if (not begin(std::get<CommandRule>(understood), words))
            return false;
        has_request_ = false;
        return true;
    }

    /// False if the request has to wait.
    bool begin(CommandRule const& rule, std::span<std::string_view const> words)
    {
        switch (rule.audience) {
        case Audience::server: {
            auto const info = rule.command == Command::info ? member_.info() : std::string{};
            auto&      slot = add_slot(true);
            local_answer(slot.answer, rule.command, words, info);
            slot.bytes = slot.answer.size(); // It waits for those before it.
            unanswered_bytes_ += slot.bytes;
            if (rule.command == Command::quit)
                is_quitting_ = is_finishing_ = true;
            return true;
        }
        case Audience::reader:
            begin_read(rule.command, words);
            return true;
        case Audience::cluster:
            if (readings_ > 0)
                return false;
            begin_write(rule.command, words);
            return true;
        }
        return true;
    }

    void begin_read(Command command, std::span<std::string_view const> words)
    {
        auto& slot = add_slot(false);
        slot.reading = Reading{command, {words.begin() + 1, words.end()}};
        slot.bytes = size_of(words);
        unanswered_bytes_ += slot.bytes;
        ++readings_;
        member_.read([self = this->shared_from_this(), number = last_slot()](std::optional<Refusal> refusal) {
            auto& ended = self->slot(number);
            ended.is_ended = true;
            if (refusal) {
                ended.reading.reset();
                --self->readings_;
                write_error(ended.answer, refusal->error);
            }
            self->work_soon();
        });
    }

    void begin_write(Command command, std::span<std::string_view const> words)
    {
        auto const complaint = encode_request(command, words, payload_);
        if (not complaint.empty())
            return write_error(add_slot(true).answer, complaint);
        auto& slot = add_slot(false);
        slot.bytes = size_of(words);
        unanswered_bytes_ += slot.bytes;
        member_.write(payload_, [self = this->shared_from_this(),
                                 number = last_slot()](std::variant<Answer, Refusal> const& end) {
            auto& ended = self->slot(number);
            ended.is_ended = true;
            if (auto const* const refusal = std::get_if<Refusal>(&end))
                write_error(ended.answer, refusal->error);
            else
                write_answer(ended.answer, std::get<Answer>(end));
            self->work_soon();
        });
    }

    [[nodiscard]] static std::size_t size_of(std::span<std::string_view const> words)
    {
        auto size = std::size_t{0};
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

    Socket                           socket_;
    Member&                          member_;
    std::function<void(Connection&)> closed_;
    RequestParser                    parser_;
    std::deque<Slot>                 slots_;
    std::uint64_t                    first_slot_ = 0;
    std::size_t                      unanswered_bytes_ = 0;
    std::size_t                      readings_ = 0; ///< Slots that have not been read yet.
    std::string                      answers_;      ///< To be sent next.
    std::string                      sending_;
    std::vector<std::byte>           payload_;
    bool                             has_request_ = false; ///< The parser's words wait for the reads before them.
    bool                             is_receiving_ = false;
    bool                             is_sending_ = false;
    bool                             is_work_due_ = false;
    bool                             is_finishing_ = false; ///< No more bytes are read.
    bool                             is_quitting_ = false;  ///< Nor are the requests done that came behind.
    bool                             is_closed_ = false;
};

} // namespace kv
