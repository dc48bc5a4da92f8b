// SPDX-License-Identifier: BSL-1.0
#pragma once

// Boost 1.74's Asio uses std::exchange without including it.
#include <utility>

#include "totora/data/payload.hpp"
#include "totora/transport/tcp/bulk_progress.hpp"
#include "totora/transport/tcp/connection_owner.hpp"
#include "totora/transport/tcp/frame_queue.hpp"
#include "totora/transport/tcp/frame_reader.hpp"
#include "totora/transport/tcp/socket_options.hpp"
#include "totora/transport/tcp/stall_watch.hpp"
#include "totora/transport/tcp_settings.hpp"
#include "totora/wire/codec.hpp"

#include <boost/asio/buffer.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/system/error_code.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <new>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace totora::inline v0
{

/// Frames over one socket, in both directions: reading, cutting, queueing, writing. What the frames mean is the derived
/// class's.
///
/// Invariants: at most one read and one write are pending; after `close` or `abandon` no handler does anything. The
/// object exists until its last handler has run.
class FrameStream : public std::enable_shared_from_this<FrameStream>
{
public:
    using Socket = boost::asio::ip::tcp::socket;
    using Time = std::chrono::steady_clock::time_point;
    using Error = boost::system::error_code;

    /// Queues a message. False: there was no room for it.
    [[nodiscard]] bool send(FrameHead const& head, Payload const& payload, Lane lane)
    {
        if (is_closed() or not queue_.push(head, payload, lane))
            return false;
        // Written at the end of this turn, so that all messages of a turn share one call to the operating system.
        if (not writing_)
            write_soon();
        return true;
    }

    /// Continues to read after `takes_more` was false.
    void resume()
    {
        arrived_ = std::chrono::steady_clock::now(); // Bytes that were not read cannot have stalled.
        if (std::exchange(paused_, false) and not is_closed())
            within_memory([&] { deliver_and_read(); });
    }

    /// Ends the connection with a reset: its port is free at once.
    void drop(std::string_view what)
    {
        auto ignored = Error{};
        socket_.set_option(boost::asio::socket_base::linger(true, 0), ignored);
        close(what);
    }

    /// Ends the connection, and notifies the owner.
    void close(std::string_view what, TcpEnding ending = TcpEnding::unusual)
    {
        if (is_closed())
            return;
        ending_ = ending;
        auto const self = shared_from_this(); // The owner may release this object.
        abandon();
        on_close(what);
    }

    /// Ends the connection without notifying the owner.
    void abandon()
    {
        closed_ = true;
        auto ignored = Error{};
        socket_.close(ignored);
    }

    [[nodiscard]] bool              is_closed() const { return closed_; }
    [[nodiscard]] TcpEnding         ending() const { return ending_; } ///< Once it is closed.
    [[nodiscard]] FrameQueue const& queue() const { return queue_; }

    /// See `BulkProgress`; valid also after the connection has ended.
    [[nodiscard]] std::uint64_t bulk_bytes_arrived()
    {
        if (socket_.is_open())
            bulk_.look(unacknowledged_bytes(socket_));
        return bulk_.arrived();
    }

    /// The bytes held for what arrives: a buffer, and a frame that has not arrived whole.
    [[nodiscard]] std::size_t unfinished_bytes() const { return is_closed() ? 0 : reader_.held(); }

protected:
    FrameStream(TcpSettings const& settings, TcpCounters& counters, Socket socket, std::uint32_t frame_bytes_max)
        : settings_(&settings), counters_(&counters), socket_(std::move(socket)), reader_(frame_bytes_max),
          queue_(settings.queue)
    {}
    FrameStream(FrameStream const&) = delete;
    FrameStream& operator=(FrameStream const&) = delete;
    ~FrameStream() = default;

    virtual void deliver(Frame frame) = 0;
    virtual void on_bad_frame(FrameError refusal) = 0; ///< A frame was counted and dropped.
    virtual void on_growth() = 0;                      ///< More of an unfinished frame is held.
    virtual void on_written() = 0;                     ///< The queue has become shorter.
    virtual void on_close(std::string_view what) = 0;  ///< Once, and last.
    [[nodiscard]] virtual bool
    takes_more() const = 0; ///< Whether to continue reading; if not, `resume` is called later.

    [[nodiscard]] Socket&            socket() { return socket_; }
    [[nodiscard]] TcpSettings const& settings() const { return *settings_; }
    [[nodiscard]] TcpCounters&       counters() { return *counters_; }
    [[nodiscard]] Time               arrived() const { return arrived_; } ///< When bytes arrived last.

    /// Why this side refused the connection; nothing if it did not.
    [[nodiscard]] std::optional<std::string> const& farewell() const { return farewell_; }

    /// Ends the connection once what is queued is written and the other side has closed: no frame is read any more.
    void end_after_writing(std::string why) { farewell_ = std::move(why); }

    /// Changes the limit for the frames that arrive from now on.
    void limit_frames(std::uint32_t frame_bytes_max) { reader_.limit(frame_bytes_max); }

    /// Whether a dropped frame leaves the beginning of the next one unknown.
    [[nodiscard]] bool is_broken() const { return reader_.broken(); }

    /// Ends a connection on which a frame, or what is sent, has stalled.
    void check_stalls(Time now)
    {
        if (reader_.within_frame() and not paused_ and now - arrived_ > 2 * patience_of(settings_->write_stall_ms))
            close("a frame began to arrive and never ended");
        else if (stalls_.look(now, unacknowledged_bytes(socket_), awaits_room_) >
                 patience_of(settings_->write_stall_ms))
            close("nothing taken for too long");
    }

    void read()
    {
        auto const space = reader_.space();
        socket_.async_read_some(boost::asio::buffer(space.data(), space.size()),
                                [self = shared_from_this()](Error error, std::size_t count) {
                                    if (self->is_closed())
                                        return;
                                    if (error)
                                        return self->ended(error);
                                    self->counters_->bytes_received += count;
                                    if (self->farewell_) // Until the other side has read it and closes.
                                        return self->within_memory([&] { self->read(); });
                                    self->arrived_ = std::chrono::steady_clock::now();
                                    self->reader_.arrived(count);
                                    self->within_memory([&] { self->deliver_and_read(); });
                                });
    }

    /// Counts a frame that is dropped.
    void refuse(FrameError refusal)
    {
        ++counters_->refused[static_cast<std::size_t>(refusal)];
        on_bad_frame(refusal);
    }

private:
    /// How many parts one call to the operating system takes (Asio's own limit).
    static constexpr std::size_t parts_max = 64;

    /// Lack of memory costs the connection, as if the network had broken it: its memory is free then, and it is dialed
    /// again. If it was closed already, the owner did not complete that, and receives the exception.
    template <typename Act>
    void within_memory(Act act)
    {
        try {
            act();
        } catch (std::bad_alloc const&) {
            if (is_closed())
                throw;
            close("there is no memory left for what it carries");
        }
    }

    void ended(Error error)
    {
        auto const is_usual = error == boost::asio::error::eof and not farewell_;
        close(farewell_.value_or(error.message()), is_usual ? TcpEnding::usual : TcpEnding::unusual);
    }

    void deliver_and_read()
    {
        while (not is_closed() and takes_more()) {
            auto frame = reader_.next();
            if (not frame and reader_.held() > FrameReader::block_size)
                on_growth();
            if (is_closed())
                return;
            if (not frame or farewell_)
                return read();
            if (*frame)
                deliver(std::move(**frame));
            else
                refuse(frame->error());
        }
        paused_ = true;
    }

    void write_soon()
    {
        boost::asio::post(socket_.get_executor(),
                          [self = shared_from_this()] { self->within_memory([&] { self->write(); }); });
        writing_ = true;
    }

    void write()
    {
        if (is_closed())
            return;
        queue_.gather(parts_, parts_max);
        buffers_.clear();
        for (auto const part : parts_)
            buffers_.emplace_back(part.data(), part.size());
        auto       error = Error{};
        auto const count = socket_.write_some(buffers_, error);
        if (error == boost::asio::error::would_block or error == boost::asio::error::interrupted)
            return await_room();
        if (error)
            return close(error.message());
        wrote(count);
    }

    /// Waits until the socket takes more. What is written is chosen only then, so that what became urgent meanwhile
    /// comes first.
    void await_room()
    {
        awaits_room_ = true;
        socket_.async_wait(Socket::wait_write, [self = shared_from_this()](Error error) {
            if (self->is_closed())
                return;
            if (error)
                return self->close(error.message());
            self->within_memory([&] { self->write(); });
        });
    }

    void wrote(std::size_t count)
    {
        auto const through = queue_.written(count);
        ++counters_->writes;
        counters_->bytes_sent += count;
        counters_->frames_sent += through.frames;
        bulk_.took(through.bulk_bytes);
        stalls_.took(count);
        awaits_room_ = false;
        writing_ = false;
        if (not queue_.empty()) {
            write_soon();
        } else if (farewell_) {
            auto ignored = Error{};
            socket_.shutdown(Socket::shutdown_send, ignored);
        }
        on_written();
    }

    TcpSettings const* settings_;
    TcpCounters*       counters_;
    Socket             socket_;
    bool               closed_ = false;
    TcpEnding          ending_ = TcpEnding::unusual;

    FrameReader                reader_;
    Time                       arrived_;
    bool                       paused_ = false;
    std::optional<std::string> farewell_;

    FrameQueue                              queue_;
    bool                                    writing_ = false;     ///< A write is posted or waits for room.
    bool                                    awaits_room_ = false; ///< The system takes nothing now.
    StallWatch                              stalls_;
    BulkProgress                            bulk_;
    std::vector<std::span<std::byte const>> parts_;
    std::vector<boost::asio::const_buffer>  buffers_;
};

} // namespace totora::inline v0
