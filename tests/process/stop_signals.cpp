// SPDX-License-Identifier: BSL-1.0
// A server that receives a signal to stop ends well, at any moment of its run; after a second one, at once.
#include "../../docs/examples/kv/start/stop_signals.hpp"
#include "../../docs/examples/kv/replica.hpp"
#include "process/kv_cluster.hpp"

#include "totora/log/memory_log.hpp"
#include "totora/log/posix_files.hpp"
#include "totora/log/segmented/start_mark.hpp"

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <csignal>
#include <cstddef>
#include <filesystem>
#include <iterator>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>
#include <vector>

#include <poll.h>
#include <unistd.h>

namespace totora::process::stop_signals_tests
{
namespace
{

using Words = std::vector<std::string>;

/// Runs `action` in a process of its own; its exit code, -1 if a signal ended it.
template <typename Action>
int exit_code_of(Action action)
{
    auto const child = ::fork();
    if (child == 0) {
        action();
        ::_exit(99);
    }
    auto status = 0;
    ::waitpid(child, &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

bool is_asked_to_stop()
{
    auto waiting = pollfd{kv::StopSignals::descriptor(), POLLIN, 0};
    return ::poll(&waiting, 1, 0) == 1;
}

/// What goes before a server that is to be slow or to hang: its system calls on one file, and nothing else. With -D the server
/// is our own child, and strace only watches it.
Words injected(std::string const& calls, std::string const& fault, std::filesystem::path const& file)
{
    if (run_to_end({"strace", "-o", "/dev/null", "true"}).exit_code != 0)
        BOOST_FAIL("strace does not work here (Debian: strace; it must be allowed to trace its child)");
    return {"strace", "-D", "-f", "-qq", "-o", "/dev/null", "-P", file.string(), "-e", "inject=" + calls + ":" + fault};
}

/// Whether a process has this file open.
bool has_open(pid_t process, std::filesystem::path const& file)
{
    auto       ignored = std::error_code{};
    auto const descriptors = std::filesystem::path{"/proc"} / std::to_string(process) / "fd";
    for (auto const& one : std::filesystem::directory_iterator{descriptors, ignored})
        if (std::filesystem::read_symlink(one.path(), ignored) == file)
            return true;
    return false;
}

std::ptrdiff_t threads_of(pid_t process)
{
    auto       ignored = std::error_code{};
    auto const tasks = std::filesystem::path{"/proc"} / std::to_string(process) / "task";
    return std::distance(std::filesystem::directory_iterator{tasks, ignored}, {});
}

/// The strace that watches a process.
pid_t tracer_of(pid_t process)
{
    auto const status = content_of(std::filesystem::path{"/proc"} / std::to_string(process) / "status");
    auto const name = std::string_view{"TracerPid:\t"};
    auto const tracer = std::stoi(status.substr(status.find(name) + name.size()));
    BOOST_REQUIRE(tracer > 1);
    return tracer;
}

std::filesystem::path largest_file_in(std::filesystem::path const& directory)
{
    auto largest = std::filesystem::directory_entry{};
    for (auto const& one : std::filesystem::directory_iterator{directory})
        if (one.is_regular_file() and (largest.path().empty() or one.file_size() >= largest.file_size()))
            largest = one;
    return largest.path();
}

bool is_marked_clean(std::filesystem::path const& directory)
{
    auto files = totora::PosixFiles::open_directory(directory.string());
    BOOST_REQUIRE(files.has_value());
    auto const mark = totora::read_run_mark(*files);
    BOOST_REQUIRE(mark.has_value());
    return mark->clean;
}

} // namespace

BOOST_AUTO_TEST_SUITE(stop_signals, *boost::unit_test::timeout(300))

BOOST_AUTO_TEST_CASE(a_process_that_has_begun_nothing_ends_with_0)
{
    for (auto const signal : {SIGTERM, SIGINT})
        BOOST_TEST(exit_code_of([&] {
                       if (not kv::StopSignals::begin())
                           ::_exit(98);
                       ::raise(signal);
                   }) == 0);
}

/// Name servers may be silent for long.
BOOST_AUTO_TEST_CASE(a_server_that_a_signal_stops_while_it_looks_up_its_own_name_ends_with_0)
{
    auto const peers = std::vector{totora::Peer{{totora::ServerId{1}, totora::first_incarnation}, "own.example:7001"}};
    BOOST_TEST(exit_code_of([&] {
                   if (not kv::StopSignals::begin())
                       ::_exit(98);
                   auto const identity = totora::Identity{totora::cluster_of("reeds", peers), totora::ServerId{1},
                                                          totora::first_incarnation, peers};
                   auto       log = totora::MemoryLog{identity};
                   auto       lines = kv::OperatorLog{};
                   auto const run = kv::Run{};
                   auto const asks = [](std::string const&) {
                       ::raise(SIGTERM);
                       return std::optional<std::string>{};
                   };
                   ::_exit(kv::Replica<totora::MemoryLog>{run, identity, log, lines, asks}.run());
               }) == 0);
}

BOOST_AUTO_TEST_CASE(a_process_that_serves_is_notified_once_and_ended_by_the_next_signal)
{
    for (auto const signal : {SIGTERM, SIGINT}) {
        auto const serve_until = [&](int signals) {
            if (not kv::StopSignals::begin())
                ::_exit(98);
            kv::StopSignals::serve();
            if (is_asked_to_stop())
                ::_exit(97);
            for (auto sent = 0; sent < signals; ++sent)
                ::raise(signal);
            ::_exit(is_asked_to_stop() ? 96 : 95);
        };
        BOOST_TEST(exit_code_of([&] { serve_until(1); }) == 96);
        BOOST_TEST(exit_code_of([&] { serve_until(2); }) == kv::StopSignals::unfinished_exit_code);
    }
}

BOOST_AUTO_TEST_CASE(a_server_whose_clients_wait_for_answers_of_all_kinds_stops_well)
{
    auto cluster = KvCluster{1};
    cluster.start_all();
    static_cast<void>(cluster.await_leader());
    auto requests = std::string{};
    for (auto request = 0; request < 20'000; ++request) // More answers than all buffers on the way take.
        for (auto const* const words : {"INFO\r\n", "SET a 1\r\n", "GET a\r\n", "INCR n\r\n", "PING\r\n"})
            requests += words;
    auto clients = std::vector<kv::Client>{};
    for (auto client = 0; client < 8; ++client) {
        clients.push_back(kv::Client::connect(cluster.client_port(0), patience).value());
        for (auto rest = std::string_view{requests}; not rest.empty();) { // As much as it takes, and nothing is read.
            auto const sent = ::send(clients.back().socket(), rest.data(), rest.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
            // All buffers are full once nothing was taken for a while.
            auto asked = pollfd{clients.back().socket(), POLLOUT, 0};
            if (sent <= 0 and ::poll(&asked, 1, client == 0 ? 500 : 0) <= 0)
                break;
            rest.remove_prefix(static_cast<std::size_t>(std::max(sent, ssize_t{0})));
            if (rest.empty() and client == 0)
                rest = requests;
        }
    }

    cluster.process(0).signal(SIGTERM);

    BOOST_TEST((cluster.process(0).wait() == 0), cluster.printed(0));
    BOOST_TEST(is_marked_clean(cluster.directory(0)));
}

BOOST_AUTO_TEST_CASE(a_server_that_a_signal_stops_while_it_opens_its_log_ends_with_0)
{
    auto cluster = KvCluster{1};
    cluster.start_all();
    static_cast<void>(cluster.await_leader());
    auto       ports = kv::Ports{cluster.client_ports()};
    auto       session = kv::Session{ports};
    auto const value = std::string(100'000, 'v');
    for (auto write = 0; write < 10; ++write)
        BOOST_REQUIRE(
            (session.ask({"SET", "key:" + std::to_string(write), value}, patience) == kv::Reply{'+', "OK", {}}));
    cluster.process(0).signal(SIGTERM);
    BOOST_REQUIRE((cluster.process(0).wait() == 0));
    auto const file = largest_file_in(cluster.directory(0));

    cluster.start(0, injected("pread64,preadv,preadv2,read", "delay_exit=200000", file));
    BOOST_REQUIRE(eventually([&] { return has_open(cluster.process(0).id(), file); }));
    cluster.process(0).signal(SIGTERM);

    BOOST_TEST((cluster.process(0).wait() == 0), cluster.printed(0));
    cluster.start(0);
    static_cast<void>(cluster.await_leader());
    BOOST_TEST((session.ask({"GET", "key:9"}, patience) == kv::Reply{'$', value, {}}));
}

BOOST_AUTO_TEST_CASE(a_server_ends_at_once_after_a_second_signal_although_its_disk_hangs)
{
    auto cluster = KvCluster{1};
    cluster.start_all();
    static_cast<void>(cluster.await_leader());
    cluster.process(0).signal(SIGTERM);
    BOOST_REQUIRE((cluster.process(0).wait() == 0));
    auto const mark = cluster.directory(0) / "run.new"; // Where the mark of a clean stop is written first.
    cluster.start(0, injected("fsync,fdatasync", "delay_enter=100000000:when=2+", mark));
    static_cast<void>(cluster.await_leader());

    cluster.process(0).signal(SIGTERM);
    BOOST_REQUIRE(eventually([&] { return std::filesystem::exists(mark); }));
    auto const tracer = tracer_of(cluster.process(0).id());
    cluster.process(0).signal(SIGTERM);

    // Its other threads are gone at once. What strace holds back is as a disk would, and goes with strace.
    BOOST_TEST(eventually([&] { return threads_of(cluster.process(0).id()) == 1; }));
    ::kill(tracer, SIGKILL);
    BOOST_TEST((cluster.process(0).wait() == kv::StopSignals::unfinished_exit_code), cluster.printed(0));
    BOOST_TEST(not is_marked_clean(cluster.directory(0)));
    cluster.start(0);
    static_cast<void>(cluster.await_leader());
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace totora::process::stop_signals_tests
