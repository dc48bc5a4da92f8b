// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "totora/transport/tcp/line_budget.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <initializer_list>
#include <memory>
#include <mutex>
#include <new>
#include <optional>
#include <string_view>
#include <thread>
#include <utility>

#include <poll.h>
#include <unistd.h>

namespace kv
{

/// The reason in an exception, without needing memory for it.
[[nodiscard]] inline std::string_view reason_of(std::exception const& failure)
{
    return dynamic_cast<std::bad_alloc const*>(&failure) != nullptr ? "there is no memory left" : failure.what();
}

/// The lines that a server prints for its operator.
///
/// Saying one never waits, allocates or throws, from any thread: a thread of the log's own writes them, which may have to
/// wait for a reader. Meanwhile `bytes_max` of lines are kept; what finds no room, comes faster than
/// `lines_per_second_max` or cannot be written is dropped, and a line counts them.
class OperatorLog
{
public:
    static constexpr std::size_t bytes_max = std::size_t{64} << 10U;
    static constexpr std::size_t line_bytes_max = 4'096;
    static constexpr std::size_t lines_per_second_max = 50;

    /// Fails with std::system_error if there can be no thread. The descriptor stays the caller's.
    explicit OperatorLog(int descriptor = STDERR_FILENO) : lines_(std::make_shared<Lines>(descriptor))
    {
        writer_ = std::thread{[lines = lines_] { lines->write(); }};
    }

    OperatorLog(OperatorLog const&) = delete;
    OperatorLog& operator=(OperatorLog const&) = delete;

    /// Waits a second at most until the last lines are printed. A thread that still waits for a reader is left alone.
    ~OperatorLog()
    {
        if (lines_->close(std::chrono::seconds{1}))
            writer_.join();
        else
            writer_.detach();
    }

    /// Prints one line, in pieces.
    void print(std::initializer_list<std::string_view> pieces) noexcept { lines_->add(pieces); }
    void print(std::string_view line) noexcept { print({line}); }

    /// How many lines were dropped since the start.
    [[nodiscard]] std::uint64_t dropped() const { return lines_->dropped(); }

private:
    /// Shared by the log and its thread, whichever ends first.
    class Lines
    {
    public:
        explicit Lines(int descriptor) : descriptor_(descriptor) {}

        void add(std::initializer_list<std::string_view> pieces) noexcept
        {
            auto const lock = std::scoped_lock{mutex_};
            if (has_room(pieces) and budget_.take(Clock::now()))
                append_line(pieces);
            else
                drop(1);
            changed_.notify_all();
        }

        /// Writes until the log is closed. On the writer's thread.
        void write()
        {
            auto lock = std::unique_lock{mutex_};
            while (true) {
                await_work(lock);
                auto const before = std::exchange(reported_, dropped_is_due() ? dropped_ : reported_);
                if (reported_ > before)
                    append_note(reported_ - before);
                auto const size = std::exchange(size_, 0);
                std::copy_n(waiting_.begin(), size, writing_.begin());
                lock.unlock();
                auto const lost = write_out({writing_.data(), size});
                lock.lock();
                if (lost > 0) { // With the note, which is the last, and no line of anybody.
                    drop(lost - (reported_ > before ? 1U : 0U));
                    reported_ = before;
                }
                if (size_ == 0 and is_closing_ and (dropped_ == reported_ or lost > 0))
                    break;
            }
            has_ended_ = true;
            changed_.notify_all();
        }

        /// Whether everything was written in time.
        [[nodiscard]] bool close(std::chrono::milliseconds patience)
        {
            auto lock = std::unique_lock{mutex_};
            is_closing_ = true;
            changed_.notify_all();
            return changed_.wait_for(lock, patience, [&] { return has_ended_; });
        }

        [[nodiscard]] std::uint64_t dropped() const
        {
            auto const lock = std::scoped_lock{mutex_};
            return dropped_;
        }

    private:
        using Clock = std::chrono::steady_clock;

        static constexpr std::string_view name = "kv: ";
        static constexpr std::size_t      note_bytes_max = 128; ///< Kept free for the line about what was dropped.

        void drop(std::uint64_t lines)
        {
            if (dropped_ == reported_)
                note_after_ = Clock::now() + std::chrono::seconds{1};
            dropped_ += lines;
        }

        [[nodiscard]] bool has_room(std::initializer_list<std::string_view> pieces) const
        {
            auto size = name.size() + 1;
            for (auto const piece : pieces)
                size += piece.size();
            return size_ + std::min(size, line_bytes_max) + note_bytes_max <= bytes_max;
        }

        void append_line(std::initializer_list<std::string_view> pieces)
        {
            auto left = line_bytes_max - name.size() - 1;
            append(name);
            for (auto const piece : pieces) {
                append(piece.substr(0, left));
                left -= std::min(left, piece.size());
            }
            append("\n");
        }

        void append(std::string_view text)
        {
            std::copy(text.begin(), text.end(), waiting_.begin() + static_cast<std::ptrdiff_t>(size_));
            size_ += text.size();
        }

        /// Whether the line about dropped lines is due.
        [[nodiscard]] bool dropped_is_due() const
        {
            return dropped_ > reported_ and (is_closing_ or Clock::now() >= note_after_);
        }

        /// Waits for lines, for the end, and for the moment when the line about dropped ones is due.
        void await_work(std::unique_lock<std::mutex>& lock)
        {
            while (size_ == 0 and not is_closing_ and not dropped_is_due())
                if (dropped_ == reported_)
                    changed_.wait(lock);
                else
                    changed_.wait_until(lock, note_after_);
        }

        void append_note(std::uint64_t dropped)
        {
            auto       digits = std::array<char, 20>{};
            auto const end = std::to_chars(digits.begin(), digits.end(), dropped).ptr;
            auto const number = std::string_view{digits.data(), static_cast<std::size_t>(end - digits.data())};
            append_line({number, " lines were dropped: they came too fast, or nobody read them"});
        }

        /// Returns how many lines could not be written.
        [[nodiscard]] std::uint64_t write_out(std::string_view text) const
        {
            while (not text.empty()) {
                auto const written = ::write(descriptor_, text.data(), text.size());
                if (written >= 0) {
                    text.remove_prefix(static_cast<std::size_t>(written));
                } else if (errno == EAGAIN) { // Somebody who shares it does not want to wait; this thread does.
                    auto waiting = pollfd{descriptor_, POLLOUT, 0};
                    ::poll(&waiting, 1, -1);
                } else if (errno != EINTR) {
                    break;
                }
            }
            return static_cast<std::uint64_t>(std::count(text.begin(), text.end(), '\n'));
        }

        int const                   descriptor_;
        mutable std::mutex          mutex_;
        std::condition_variable     changed_;
        totora::LineBudget          budget_{lines_per_second_max};
        std::array<char, bytes_max> waiting_{};
        std::array<char, bytes_max> writing_{}; ///< The thread's.
        std::size_t                 size_ = 0;  ///< Of what waits.
        std::uint64_t               dropped_ = 0;
        std::uint64_t               reported_ = 0; ///< How many of these a line has reported.
        Clock::time_point           note_after_{};
        bool                        is_closing_ = false;
        bool                        has_ended_ = false;
    };

    std::shared_ptr<Lines> lines_;
    std::thread            writer_;
};

} // namespace kv
