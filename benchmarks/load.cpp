// SPDX-License-Identifier: BSL-1.0
// Clients of a kv server that write at a rate of their own: what upkeep.sh loads a cluster with.
//
//     load --port 6001                                     as fast as the server answers: 64 SETs outstanding on each of 8 connections
//     load --port 6001 --rate 5000 --seconds 20            5,000 SETs a second, whether they are answered or not
//     load --port 6001 --values 100000                     until so many are answered
//
// Prints one line of JSON. Latencies are counted from the moment at which a request was due, so that a server that stops for a
// second is seen by all requests of that second.
#include "support/figures.hpp"
#include "support/trial.hpp"

#include <utility>

#include <boost/asio/connect.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/write.hpp>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <deque>
#include <exception>
#include <functional>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace totora::benchmarks
{
namespace
{

namespace asio = boost::asio;
using boost::system::error_code;
using Clock = std::chrono::steady_clock;

/// What the command line asks for.
struct LoadTask
{
    std::uint16_t port = 0;
    std::uint64_t rate = 0;    ///< SETs a second; 0: as many as are answered.
    double        seconds = 0; ///< 0: no end but `values`.
    std::uint64_t values = 0;  ///< 0: no end but `seconds`.
    std::size_t   connections = 8;
    std::size_t   outstanding = 64; ///< Of each connection, without a rate.
    std::size_t   value_bytes = payload_bytes;
    std::uint64_t keys = 100'000; ///< Written in turns.
};

[[nodiscard]] bool read_argument(LoadTask& task, std::string_view name, std::string_view value)
{
    return name == "--port"          ? take_number(value, task.port)
           : name == "--rate"        ? take_number(value, task.rate)
           : name == "--seconds"     ? take_number(value, task.seconds)
           : name == "--values"      ? take_number(value, task.values)
           : name == "--connections" ? take_number(value, task.connections)
           : name == "--outstanding" ? take_number(value, task.outstanding)
           : name == "--value-bytes" ? take_number(value, task.value_bytes)
           : name == "--keys"        ? take_number(value, task.keys)
                                     : false;
}

/// What has been asked for and answered, on all connections together.
struct Tally
{
    std::uint64_t      offered = 0;
    std::uint64_t      acknowledged = 0;
    std::uint64_t      refused = 0; ///< Answers that are not OK.
    std::string        first_refusal;
    std::vector<float> latencies_ms; ///< Of those that were acknowledged.
};

/// One connection: writes what it is given, and counts the answers, which come in the order of the requests.
class Connection
{
public:
    Connection(asio::io_context& context, std::uint16_t port, Tally& tally) : socket_(context), tally_(tally)
    {
        socket_.connect({asio::ip::address_v4::loopback(), port});
        socket_.set_option(asio::ip::tcp::no_delay{true});
        read();
    }

    [[nodiscard]] std::size_t outstanding() const { return due_.size(); }

    void set(std::uint64_t key, std::string_view value, Clock::time_point due)
    {
        auto const name = "key:" + std::to_string(key);
        next_ += "*3\r\n$3\r\nSET\r\n$" + std::to_string(name.size()) + "\r\n" + name + "\r\n$" +
                 std::to_string(value.size()) + "\r\n";
        next_ += value;
        next_ += "\r\n";
        due_.push_back(due);
        ++tally_.offered;
    }

    /// Sends what was given since the last call, unless the one before is still on its way.
    void send()
    {
        if (not sending_.empty() or next_.empty())
            return;
        std::swap(sending_, next_);
        asio::async_write(socket_, asio::buffer(sending_), [this](error_code failed, std::size_t) {
            if (failed)
                throw std::runtime_error{"the server closed a connection: " + failed.message()};
            sending_.clear();
            send();
        });
    }

    /// Called after answers have come.
    std::function<void()> answered = [] {};

private:
    void read()
    {
        socket_.async_read_some(asio::buffer(read_), [this](error_code failed, std::size_t bytes) {
            if (failed)
                throw std::runtime_error{"the server closed a connection: " + failed.message()};
            for (auto const letter : std::string_view{read_.data(), bytes})
                take(letter);
            answered();
            read();
        });
    }

    /// Every answer to a SET is one line.
    void take(char letter)
    {
        if (letter != '\n') {
            line_ += letter;
            return;
        }
        auto const waited = std::chrono::duration<float, std::milli>{Clock::now() - due_.front()}.count();
        due_.pop_front();
        if (line_ == "+OK\r") {
            ++tally_.acknowledged;
            tally_.latencies_ms.push_back(waited);
        } else if (tally_.refused++ == 0)
            tally_.first_refusal = line_.substr(0, line_.find('\r'));
        line_.clear();
    }

    asio::ip::tcp::socket         socket_;
    Tally&                        tally_;
    std::string                   next_;    ///< Requests that are not yet sent.
    std::string                   sending_; ///< Those that a write has.
    std::string                   line_;    ///< An answer, as far as it has arrived.
    std::deque<Clock::time_point> due_;     ///< Of each request that is not answered.
    std::array<char, 1U << 16U>   read_{};
};

/// Offers load until its end, and then waits for the answers.
class Load
{
public:
    Load(asio::io_context& context, LoadTask const& task)
        : task_(task), context_(context), tick_(context), value_(task.value_bytes, 'v')
    {
        tally_.latencies_ms.reserve(1U << 20U);
        for (auto at = std::size_t{0}; at < task.connections; ++at)
            all_.push_back(std::make_unique<Connection>(context, task.port, tally_));
    }

    /// Returns how many seconds it took to the last answer.
    double run()
    {
        began_ = Clock::now();
        if (task_.rate > 0)
            tick();
        else
            for (auto& one : all_) {
                one->answered = [this, connection = one.get()] { refill(*connection); };
                refill(*one);
            }
        while (not is_over() or tally_.acknowledged + tally_.refused < tally_.offered)
            context_.run_one();
        return std::chrono::duration<double>{Clock::now() - began_}.count();
    }

    [[nodiscard]] Tally& tally() { return tally_; }

private:
    [[nodiscard]] bool is_over() const
    {
        return (task_.values > 0 and tally_.offered >= task_.values) or
               (task_.seconds > 0 and Clock::now() - began_ >= std::chrono::duration<double>{task_.seconds});
    }

    void offer(Connection& to, Clock::time_point due) { to.set(next_key_++ % task_.keys, value_, due); }

    void refill(Connection& one)
    {
        while (not is_over() and one.outstanding() < task_.outstanding)
            offer(one, Clock::now());
        one.send();
    }

    /// Every millisecond: what has become due.
    void tick()
    {
        auto const now = Clock::now();
        auto const due = static_cast<std::uint64_t>(std::chrono::duration<double>{now - began_}.count() *
                                                    static_cast<double>(task_.rate));
        for (; tally_.offered < due and not is_over();)
            offer(*all_[tally_.offered % all_.size()],
                  began_ + std::chrono::nanoseconds{tally_.offered * 1'000'000'000 / task_.rate});
        for (auto& one : all_)
            one->send();
        if (is_over())
            return;
        tick_.expires_after(std::chrono::milliseconds{1});
        tick_.async_wait([this](error_code failed) {
            if (not failed)
                tick();
        });
    }

    LoadTask                                 task_;
    asio::io_context&                        context_;
    asio::steady_timer                       tick_;
    std::string                              value_;
    Tally                                    tally_;
    std::vector<std::unique_ptr<Connection>> all_;
    Clock::time_point                        began_;
    std::uint64_t                            next_key_ = 0;
};

void print(Tally& tally, double seconds)
{
    auto& all = tally.latencies_ms;
    std::sort(all.begin(), all.end());
    auto const at = [&](std::size_t of_thousand) {
        return all.empty() ? 0.0F : all[std::min(all.size() - 1, all.size() * of_thousand / 1000)];
    };
    std::printf("{\"offered\": %llu, \"acknowledged\": %llu, \"refused\": %llu, \"first_refusal\": \"%s\", "
                "\"seconds\": %.3f, \"per_second\": %.0f, \"p50_ms\": %.3f, \"p99_ms\": %.3f, \"p999_ms\": %.3f, "
                "\"max_ms\": %.3f}\n",
                static_cast<unsigned long long>(tally.offered), static_cast<unsigned long long>(tally.acknowledged),
                static_cast<unsigned long long>(tally.refused), tally.first_refusal.c_str(), seconds,
                static_cast<double>(tally.acknowledged) / seconds, at(500), at(990), at(999),
                all.empty() ? 0.0F : all.back());
}

} // namespace
} // namespace totora::benchmarks

int main(int argc, char** argv)
{
    using namespace totora::benchmarks;
    auto task = LoadTask{};
    auto good = argc % 2 == 1;
    for (auto at = 1; good and at + 1 < argc; at += 2)
        good = read_argument(task, argv[at], argv[at + 1]);
    if (not good or task.port == 0 or (task.seconds == 0 and task.values == 0)) {
        std::fprintf(stderr, "usage: load --port P [--rate N] (--seconds S | --values N) [--connections N] "
                             "[--outstanding N] [--value-bytes N] [--keys N]\n");
        return 2;
    }
    try {
        auto       context = boost::asio::io_context{1};
        auto       load = Load{context, task};
        auto const seconds = load.run();
        print(load.tally(), seconds);
        return 0;
    } catch (std::exception const& failure) {
        std::fprintf(stderr, "load: %s\n", failure.what());
        return 1;
    }
}
