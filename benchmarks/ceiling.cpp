// SPDX-License-Identifier: BSL-1.0
// What the machine allows: three processes that only send, write, flush and count, with the turns of `durable`.
#include "support/trial.hpp"

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <mutex>
#include <span>
#include <string>
#include <system_error>
#include <thread>
#include <vector>

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

namespace totora::benchmarks
{
namespace
{

/// An entry as `durable` sends and stores it: a header of 40 bytes and the payload.
constexpr auto entry_bytes = 40 + payload_bytes;

[[noreturn]] void give_up(char const* what) { throw std::system_error{errno, std::generic_category(), what}; }

/// A file of zeros, made before the first round so that a flush moves no metadata, and written round and round.
class Store
{
public:
    explicit Store(std::filesystem::path const& path) : file_(::open(path.c_str(), O_RDWR | O_CREAT | O_EXCL, 0600))
    {
        auto const zeros = std::vector<std::byte>(1U << 20U);
        for (auto at = std::size_t{0}; at < size; at += zeros.size())
            write_all(zeros, at);
        if (::fsync(file_) != 0)
            give_up("cannot make the file");
    }

    Store(Store const&) = delete;
    Store& operator=(Store const&) = delete;
    ~Store() { ::close(file_); }

    void write(std::span<std::byte const> bytes)
    {
        if (at_ + bytes.size() > size)
            at_ = 0;
        write_all(bytes, at_);
        at_ += bytes.size();
    }

    void flush()
    {
        if (::fdatasync(file_) != 0)
            give_up("cannot flush");
    }

private:
    static constexpr std::size_t size = std::size_t{64} << 20U;

    void write_all(std::span<std::byte const> bytes, std::size_t at)
    {
        while (not bytes.empty()) {
            auto const written = ::pwrite(file_, bytes.data(), bytes.size(), static_cast<::off_t>(at));
            if (written <= 0)
                give_up("cannot write");
            bytes = bytes.subspan(static_cast<std::size_t>(written));
            at += static_cast<std::size_t>(written);
        }
    }

    int         file_;
    std::size_t at_ = 0;
};

/// A connection over which whole blocks are sent.
class Link
{
public:
    explicit Link(int socket) : socket_(socket)
    {
        auto const on = 1;
        auto const room = 4 << 20;
        ::setsockopt(socket_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
        ::setsockopt(socket_, SOL_SOCKET, SO_SNDBUF, &room, sizeof room);
        ::setsockopt(socket_, SOL_SOCKET, SO_RCVBUF, &room, sizeof room);
    }

    Link(Link&& other) noexcept : socket_(std::exchange(other.socket_, -1)), received_(std::move(other.received_)) {}
    Link& operator=(Link&&) = delete;

    ~Link()
    {
        if (socket_ >= 0)
            ::close(socket_);
    }

    [[nodiscard]] int socket() const { return socket_; }

    void send(std::span<std::byte const> bytes)
    {
        while (not bytes.empty()) {
            auto const sent = ::send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
            if (sent <= 0)
                give_up("cannot send");
            bytes = bytes.subspan(static_cast<std::size_t>(sent));
        }
    }

    /// Takes what has arrived; waits for it if it must. The whole blocks of `size` bytes that are here by then stay valid
    /// until `forget`.
    [[nodiscard]] std::span<std::byte const> receive(std::size_t size, bool wait)
    {
        auto flags = wait ? 0 : MSG_DONTWAIT;
        for (;; flags = MSG_DONTWAIT) {
            auto const old = received_.size();
            received_.resize(old + (1U << 18U));
            auto const got = ::recv(socket_, received_.data() + old, received_.size() - old, flags);
            received_.resize(old + static_cast<std::size_t>(std::max<::ssize_t>(got, 0)));
            if (got == 0)
                throw std::runtime_error{"the other side is gone"};
            if (got < 0 and errno != EAGAIN)
                give_up("cannot receive");
            if (got < 0)
                return std::span{received_}.first(received_.size() / size * size);
        }
    }

    void forget(std::size_t bytes)
    {
        received_.erase(received_.begin(), received_.begin() + static_cast<std::ptrdiff_t>(bytes));
    }

private:
    int                    socket_;
    std::vector<std::byte> received_;
};

[[nodiscard]] ::sockaddr_in address_of(std::uint16_t port)
{
    auto address = ::sockaddr_in{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    address.sin_port = htons(port);
    return address;
}

[[nodiscard]] std::vector<Link> accept_two(std::uint16_t port)
{
    auto const listener = ::socket(AF_INET, SOCK_STREAM, 0);
    auto const on = 1;
    auto const address = address_of(port);
    ::setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (::bind(listener, reinterpret_cast<::sockaddr const*>(&address), sizeof address) != 0 or
        ::listen(listener, 2) != 0)
        give_up("cannot listen");
    auto links = std::vector<Link>{};
    while (links.size() < 2) {
        auto const socket = ::accept(listener, nullptr, nullptr);
        if (socket < 0)
            give_up("cannot accept");
        links.emplace_back(socket);
    }
    ::close(listener);
    return links;
}

[[nodiscard]] Link connect_to(std::uint16_t port)
{
    auto const address = address_of(port);
    for (auto tried = 0; tried < 3000; ++tried) {
        auto const socket = ::socket(AF_INET, SOCK_STREAM, 0);
        if (::connect(socket, reinterpret_cast<::sockaddr const*>(&address), sizeof address) == 0)
            return Link{socket};
        ::close(socket);
        std::this_thread::sleep_for(std::chrono::milliseconds{10});
    }
    give_up("cannot connect");
}

/// Writes and flushes all that has come, and acknowledges how many entries that makes.
int follow(Task const& task)
{
    auto store = Store{task.directory};
    auto leader = connect_to(task.ports[0]);
    auto flushed = std::uint64_t{0};
    for (;;) {
        auto const entries = leader.receive(entry_bytes, true);
        if (entries.empty())
            continue;
        store.write(entries);
        store.flush();
        flushed += entries.size() / entry_bytes;
        leader.forget(entries.size());
        auto answer = std::array<std::byte, sizeof flushed>{};
        std::memcpy(answer.data(), &flushed, sizeof flushed);
        leader.send(answer);
    }
}

/// Writes and flushes on a thread of its own, as a `SegmentedLog` does: the leader goes on, and what it asks for meanwhile is
/// one flush.
class Flusher
{
public:
    explicit Flusher(Task const& task)
        : store_(task.directory), batch_(task.outstanding * entry_bytes, std::byte{1}),
          done_(::eventfd(0, EFD_NONBLOCK)), thread_([this] { run(); })
    {}

    Flusher(Flusher const&) = delete;
    Flusher& operator=(Flusher const&) = delete;

    ~Flusher()
    {
        request(stop);
        thread_.join();
        ::close(done_);
    }

    /// Entries up to this one are to be flushed.
    void request(std::uint64_t entries)
    {
        {
            auto const lock = std::scoped_lock{mutex_};
            requested_ = entries;
        }
        changed_.notify_one();
    }

    [[nodiscard]] std::uint64_t flushed() const { return flushed_; }

    /// Readable when more is flushed than before.
    [[nodiscard]] int event() const { return done_; }

    void forget_event()
    {
        auto count = ::eventfd_t{};
        static_cast<void>(::eventfd_read(done_, &count));
    }

private:
    static constexpr auto stop = ~std::uint64_t{0};

    void run()
    {
        for (;;) {
            auto lock = std::unique_lock{mutex_};
            changed_.wait(lock, [this] { return requested_ > flushed_; });
            auto const through = requested_;
            lock.unlock();
            if (through == stop)
                return;
            auto const most = batch_.size() / entry_bytes;
            for (auto left = through - flushed_; left > 0; left -= std::min(left, most))
                store_.write(std::span{batch_}.first(std::min(left, most) * entry_bytes));
            store_.flush();
            flushed_ = through;
            static_cast<void>(::eventfd_write(done_, 1));
        }
    }

    Store                      store_;
    std::vector<std::byte>     batch_;
    int                        done_;
    std::mutex                 mutex_;
    std::condition_variable    changed_;
    std::uint64_t              requested_ = 0; ///< Guarded by `mutex_`.
    std::atomic<std::uint64_t> flushed_ = 0;
    std::thread                thread_;
};

/// Sends what is proposed to both followers, has it flushed, and counts who has it. As in `durable`, everything that is
/// proposed in a turn is one message to each and one flush.
class LeadingTurns
{
public:
    explicit LeadingTurns(Task const& task)
        : flusher_(task), followers_(accept_two(task.ports[0])), meter_(task.outstanding, task.bounds),
          batch_(task.outstanding * entry_bytes, std::byte{1})
    {
        proposed_at_.resize(task.outstanding, Meter::Clock::now());
    }

    [[nodiscard]] Figures run()
    {
        while (not meter_.is_over()) {
            if (sent_ < committed_ + proposed_at_.size())
                send();
            else
                wait();
            count();
        }
        return meter_.figures();
    }

private:
    void send()
    {
        auto const bytes = std::span{batch_}.first((committed_ + proposed_at_.size() - sent_) * entry_bytes);
        sent_ = committed_ + proposed_at_.size();
        for (auto& follower : followers_)
            follower.send(bytes);
        flusher_.request(sent_);
    }

    void wait()
    {
        auto waiting = std::array<::pollfd, 3>{
            {{followers_[0].socket(), POLLIN, 0}, {followers_[1].socket(), POLLIN, 0}, {flusher_.event(), POLLIN, 0}}};
        ::poll(waiting.data(), waiting.size(), -1);
        flusher_.forget_event();
    }

    void count()
    {
        for (auto at = std::size_t{0}; at < followers_.size(); ++at) {
            auto const answers = followers_[at].receive(sizeof(std::uint64_t), false);
            if (not answers.empty())
                std::memcpy(&flushed_[at + 1], answers.last(sizeof(std::uint64_t)).data(), sizeof(std::uint64_t));
            followers_[at].forget(answers.size());
        }
        flushed_[0] = flusher_.flushed();
        auto sorted = flushed_;
        std::sort(sorted.begin(), sorted.end());
        for (; committed_ < sorted[1]; ++committed_) {
            auto& proposed = proposed_at_[committed_ % proposed_at_.size()];
            meter_.acknowledged(proposed);
            proposed = Meter::Clock::now();
        }
    }

    Flusher                               flusher_;
    std::vector<Link>                     followers_;
    Meter                                 meter_;
    std::vector<std::byte>                batch_;
    std::vector<Meter::Clock::time_point> proposed_at_; ///< Of the entry that comes `outstanding` after it, too.
    std::array<std::uint64_t, 3>          flushed_{};   ///< How many entries the leader and each follower have flushed.
    std::uint64_t                         sent_ = 0;
    std::uint64_t                         committed_ = 0;
};

int serve(Task const& task)
{
    if (task.id != 1)
        return follow(task);
    auto turns = LeadingTurns{task};
    report_to_parent(turns.run());
    return 0;
}

} // namespace
} // namespace totora::benchmarks

int main(int argc, char** argv)
{
    using namespace totora::benchmarks;
    return run_trial(argc, argv, "ceiling", "three processes that only send, write, flush and count", serve);
}
