// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "client_budget.hpp"
#include "client_socket.hpp"
#include "client_state.hpp"
#include "requests.hpp"
#include "unanswered.hpp"

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
#include <string>
#include <string_view>

namespace kv
{

/// One client. Answers stand in the order of the requests, however many are on their way at once. A client that sends
/// on without waiting sees its requests happen in that order too, and none of them waits for the others: a read sees the writes
/// before it, of this connection, and none of those that follow.
///
/// Reads and writes are handed over at once. A read looks when the node allows it and the writes before it have been applied,
/// or in the moment before the next write is applied, whichever comes first. The latter needs nothing of the node: a leader
/// whose entry was committed was still the leader after that entry was proposed, and so after the read was asked for, and
/// all that was committed before stands at lower indexes. If it leads no more, the node has refused the read before.
/// Where reads are large, the write after them waits.
///
/// What fails for a client, memory above all, costs this client its connection, and nobody else anything: no exception
/// leaves what is called here.
///
/// `Member` is the server of the cluster that it talks to: `write(payload, before, done)` ends with an `Answer` or a `Refusal`, and calls
/// `before`, if it is not empty, right before the write is applied, which may be long after `done` or never; `read(done)` ends
/// with a `Refusal` or nothing (the state machine may be read from now on); both exactly once, unless they throw, on this thread,
/// perhaps before they return. `change(wish, done)` changes the members, and ends with an error, which is empty if that is done; `members()`
/// shows them (RAFT.STATUS). `machine()` is the state machine, `info()` the text of INFO,
/// `take_snapshot(done)` ends with a `SnapshotAnswer`, likewise; `is_loading()` whether the log of this start is not applied yet, `topology()` the servers, and `shut_down()` stops this one.
/// `Owner` is notified when it closes (`closed`), when it asks for something for the first time (`made_first_request`), when it takes a request
/// (`counted`), when it has work for the next turn (`work_later`), when it holds more memory than before (`grown`), when a request
/// begins or ceases to be half here (`half_here`), and when it was sent HTTP (`refused_http`). It lends the room that bytes are read
/// to (`scratch`); `client_list()` is the text of CLIENT LIST.
template <typename Member, typename Owner>
class Connection : public std::enable_shared_from_this<Connection<Member, Owner>>
{
public:
    using Socket = boost::asio::ip::tcp::socket;

    /// `id` distinguishes it from the other clients of its owner.
    Connection(Socket socket, Member& member, Owner& owner, ClientBudget& budget, std::uint64_t id)
        : socket_(std::move(socket)), member_(member), owner_(owner), budget_(budget),
          requests_(*this, member, owner, budget)
    {
        requests_.client().id = id;
        auto       ignored = boost::system::error_code{};
        auto const remote = socket_.remote_endpoint(ignored);
        requests_.client().address = remote.address().to_string(ignored) + ":" + std::to_string(remote.port());
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

    [[nodiscard]] std::uint64_t number() const { return requests_.client().id; }

    /// The bytes that are held for this client, as of its last work.
    [[nodiscard]] std::size_t held() const { return held_; }

    [[nodiscard]] bool is_closed() const { return is_closed_; }

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

    [[nodiscard]] ClientState const& client() const { return requests_.client(); }

private:
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
        if (is_finishing_ and requests_.unanswered().empty() and answers_.empty() and not is_sending_)
            return close();
        if (not budget_.has_work() and not std::exchange(is_waiting_, true))
            owner_.work_later(this->shared_from_this());
        receive();
        report_half();
        account(); // The last: it may close this very connection, of which its owner must not be notified afterwards.
    }

    /// A request is half here while the client is waited for, not while it waits for others; each one for itself.
    void report_half()
    {
        auto const is_half_here = is_receiving_ and requests_.parser().has_begun();
        if (is_half_here != is_half_here_ or (is_half_here and requests_.taken() != taken_before_half_))
            owner_.half_here(*this, is_half_here);
        is_half_here_ = is_half_here;
        taken_before_half_ = requests_.taken();
    }

    void take_answers()
    {
        while (requests_.unanswered().is_first_ended() and unsent_bytes() < unsent_bytes_max)
            if (not requests_.unanswered().take_first(answers_, member_.machine()))
                return;
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

    /// Waits for bytes without room for them: a client that sends nothing holds next to no memory.
    void receive()
    {
        if (is_receiving_ or is_finishing_ or requests_.has_request() or is_waiting_ or is_full())
            return;
        requests_.parser().rest();
        requests_.unanswered().rest();
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
        auto const room = requests_.parser().room(bytes);
        std::copy_n(scratch.begin(), bytes, room.begin());
        requests_.parser().filled(bytes);
        budget_.spend(1 + bytes / ClientBudget::bytes_per_unit);
        // Also a client that will send no more but still reads.
        if (failure and failure != boost::asio::error::would_block and failure != boost::asio::error::try_again)
            is_finishing_ = true;
    }

    [[nodiscard]] std::size_t unsent_bytes() const { return answers_.size() + sending_.size(); }

    /// The budget may be gone before the last handler that holds this connection.
    void close_accounts()
    {
        if (auto const before = std::exchange(held_, 0); before > 0)
            budget_.hold(before, 0);
        requests_.unanswered().close_accounts();
    }

    /// Reports what this client holds.
    void account()
    {
        auto const now = requests_.held() + answers_.capacity() + sending_.capacity();
        auto const before = std::exchange(held_, now);
        budget_.hold(before, now);
        if (now > before)
            owner_.grown();
    }

    [[nodiscard]] bool is_full() const
    {
        return requests_.unanswered().is_full() or unsent_bytes() >= unsent_bytes_max;
    }

    /// Begins with one request; false if there is none, or it has to wait.
    bool take_request()
    {
        if (is_receiving_ or is_full() or not requests_.take())
            return false;
        is_finishing_ = is_finishing_ or requests_.is_quitting();
        return true;
    }

    static constexpr std::string_view out_of_memory =
        "ERR outcome unknown: this server has no memory left for the request, and closes the connection";

    Socket                              socket_;
    Member&                             member_;
    Owner&                              owner_;
    ClientBudget&                       budget_;
    std::size_t                         held_ = 0; ///< What the budget knows of.
    Requests<Member, Owner, Connection> requests_;
    std::string                         answers_; ///< To be sent next.
    std::string                         sending_;
    std::uint64_t                       taken_before_half_ = 0;
    bool                                is_half_here_ = false; ///< The rest of a request is to come.
    bool                                is_receiving_ = false;
    bool                                is_sending_ = false;
    bool                                is_work_due_ = false;
    bool                                is_waiting_ = false;   ///< For the node's next turn.
    bool                                is_finishing_ = false; ///< No more bytes are read.
    bool                                is_closed_ = false;
};

} // namespace kv
