// SPDX-License-Identifier: BSL-1.0
// The client of demo.sh: writes keys to a kv cluster on this machine, and reads back what was acknowledged.
//
//     demo_client ports N                 N free ports
//     demo_client write N FILE PORT...    writes N keys and lists the acknowledged ones in FILE
//     demo_client catch-up PORT PORT...   waits until the first server has applied what the leader has committed
//     demo_client check FILE PORT...      reads every acknowledged key from the cluster
//
// `write` and `check` report what happens on lines of words, which demo.sh reads.
#include "kv/protocol/client.hpp"
#include "kv/protocol/session.hpp"

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <fstream>
#include <mutex>
#include <optional>
#include <random>
#include <span>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include <unistd.h>

using namespace kv;
using Clock = std::chrono::steady_clock;
using Milliseconds = std::chrono::milliseconds;

namespace
{

constexpr auto connections = std::size_t{8};
constexpr auto patience = Milliseconds{30'000};

std::string key_of(std::size_t number) { return "key:" + std::to_string(number); }
std::string value_of(std::size_t number) { return "the value of key " + std::to_string(number); }

void report(std::string const& line)
{
    std::puts(line.c_str());
    std::fflush(stdout);
}

void show_progress(std::string_view what, std::size_t done, std::size_t all)
{
    if (::isatty(2) == 1)
        std::fprintf(stderr, "\r%.*s %zu of %zu%s", static_cast<int>(what.size()), what.data(), done, all,
                     done == all ? "\n" : "");
    else if (done % (all / 10 + 1) == 0 or done == all)
        std::fprintf(stderr, "%.*s %zu of %zu\n", static_cast<int>(what.size()), what.data(), done, all);
}

/// All writers share a list of keys and what they learn of the cluster.
class Writing
{
public:
    Writing(std::size_t keys, std::vector<std::uint16_t> ports) : keys_(keys), ports_(std::move(ports)) {}

    bool run(char const* file)
    {
        auto threads = std::vector<std::thread>{};
        for (auto thread = std::size_t{0}; thread < connections; ++thread)
            threads.emplace_back([this] { write_keys(); });
        for (auto& thread : threads)
            thread.join();
        auto list = std::ofstream{file};
        for (auto const number : acknowledged_)
            list << number << '\n';
        report("acknowledged " + std::to_string(acknowledged_.size()));
        return list.good() and acknowledged_.size() == keys_;
    }

private:
    void write_keys()
    {
        auto session = Session{ports_};
        while (not gave_up_) {
            auto const number = next_++;
            if (number >= keys_)
                return;
            if (not write_key(session, number))
                gave_up_ = true;
        }
    }

    /// Until it is acknowledged: the value of a key never changes, so to write it twice does no harm.
    bool write_key(Session& session, std::size_t number)
    {
        auto const deadline = Clock::now() + patience;
        while (Clock::now() < deadline and not gave_up_) {
            wait_for_the_failure(number);
            auto const reply = session.ask_once({"SET", key_of(number), value_of(number)});
            if (reply and reply->text == "OK") {
                note_acknowledged(number, session.asked());
                return true;
            }
            if (not reply)
                note_silence(session.asked());
            std::this_thread::sleep_for(Milliseconds{1});
        }
        return false;
    }

    /// The leader is to be killed in the middle, so the last quarter is not begun before.
    void wait_for_the_failure(std::size_t number)
    {
        auto const deadline = Clock::now() + patience;
        while (number >= keys_ - keys_ / 4 and not failed_ and Clock::now() < deadline)
            std::this_thread::sleep_for(Milliseconds{1});
    }

    void note_acknowledged(std::size_t number, std::uint16_t by)
    {
        auto const lock = std::scoped_lock{mutex_};
        acknowledged_.push_back(number);
        show_progress("writing: acknowledged", acknowledged_.size(), keys_);
        if (acknowledged_.size() == keys_ / 2) {
            victim_ = by;
            report("half leader " + std::to_string(by));
        }
        if (failed_ and not is_taken_over_ and by != victim_) {
            is_taken_over_ = true;
            auto const outage = std::chrono::duration_cast<Milliseconds>(Clock::now() - failed_at_);
            report("failover " + std::to_string(by) + " " + std::to_string(outage.count()));
        }
    }

    void note_silence(std::uint16_t by)
    {
        auto const lock = std::scoped_lock{mutex_};
        if (by != victim_ or failed_)
            return;
        failed_at_ = Clock::now();
        failed_ = true;
    }

    std::size_t              keys_;
    Ports                    ports_;
    std::atomic<std::size_t> next_ = 0;
    std::atomic<bool>        failed_ = false;
    std::atomic<bool>        gave_up_ = false;
    std::mutex               mutex_; ///< Guards all below.
    std::vector<std::size_t> acknowledged_;
    std::uint16_t            victim_ = 0;
    Clock::time_point        failed_at_;
    bool                     is_taken_over_ = false;
};

std::optional<std::string> info_of(std::uint16_t port)
{
    auto client = Client::connect(port, Milliseconds{1'000});
    auto reply = client ? client->ask({"INFO"}) : std::nullopt;
    return reply ? std::optional{reply->text} : std::nullopt;
}

std::size_t number_in(std::optional<std::string> const& info, std::string_view name)
{
    auto const number = info ? parse_integer(info_field(*info, name)) : std::nullopt;
    return static_cast<std::size_t>(number.value_or(0));
}

bool catch_up(std::uint16_t port, std::vector<std::uint16_t> const& ports)
{
    auto committed = std::size_t{0};
    for (auto const other : ports)
        committed = std::max(committed, number_in(info_of(other), "raft_commit"));
    auto const deadline = Clock::now() + patience;
    while (committed > 0 and Clock::now() < deadline) {
        auto const applied = std::min(number_in(info_of(port), "raft_applied"), committed);
        show_progress("catching up: applied", applied, committed);
        if (applied == committed)
            return true;
        std::this_thread::sleep_for(Milliseconds{20});
    }
    return false;
}

bool check(char const* file, std::vector<std::uint16_t> ports)
{
    auto list = std::ifstream{file};
    auto numbers = std::vector<std::size_t>{};
    for (auto number = std::size_t{0}; list >> number;)
        numbers.push_back(number);
    auto shared = Ports{std::move(ports)};
    auto session = Session{shared};
    auto lost = std::size_t{0};
    for (auto at = std::size_t{0}; at < numbers.size(); ++at) {
        auto const reply = session.ask({"GET", key_of(numbers[at])}, patience);
        if (not reply)
            return false;
        if (reply->kind != '$' or reply->text != value_of(numbers[at]))
            ++lost;
        show_progress("reading back:", at + 1, numbers.size());
    }
    report("lost " + std::to_string(lost));
    return lost == 0 and not numbers.empty();
}

/// Below the range from which the kernel takes the ports of outgoing connections.
bool print_free_ports(std::size_t count)
{
    auto random = std::random_device{};
    auto sockets = std::vector<int>{}; // Held open, so that none is printed twice.
    for (auto tries = 0; sockets.size() < count and tries < 10'000; ++tries) {
        auto const socket = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        auto       address = sockaddr_in{};
        auto const port = static_cast<std::uint16_t>(10'000 + random() % 20'000);
        address.sin_family = AF_INET;
        address.sin_port = htons(port);
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        if (::bind(socket, reinterpret_cast<sockaddr const*>(&address), sizeof address) != 0) {
            ::close(socket);
            continue;
        }
        sockets.push_back(socket);
        report(std::to_string(port));
    }
    return sockets.size() == count;
}

int execute(std::span<char* const> words)
{
    auto const command = words.empty() ? std::string_view{} : std::string_view{words[0]};
    auto const options = command == "write" ? std::size_t{3} : command == "check" ? std::size_t{2} : std::size_t{1};
    auto       numbers = std::vector<std::uint16_t>{};
    for (auto const* const word : words.subspan(std::min(options, words.size())))
        numbers.push_back(static_cast<std::uint16_t>(parse_integer(word).value_or(0)));
    if (command == "ports" and numbers.size() == 1)
        return print_free_ports(numbers[0]) ? 0 : 1;
    if (command == "write" and not numbers.empty()) {
        auto const keys = static_cast<std::size_t>(parse_integer(words[1]).value_or(0));
        return Writing{keys, numbers}.run(words[2]) ? 0 : 1;
    }
    if (command == "catch-up" and numbers.size() > 1)
        return catch_up(numbers.front(), {numbers.begin() + 1, numbers.end()}) ? 0 : 1;
    if (command == "check" and not numbers.empty())
        return check(words[1], numbers) ? 0 : 1;
    std::fputs("demo_client: called by docs/examples/demo.sh\n", stderr);
    return 2;
}

} // namespace

int main(int count, char** words) { return execute({words + 1, words + count}); }
