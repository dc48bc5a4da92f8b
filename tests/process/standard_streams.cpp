// SPDX-License-Identifier: BSL-1.0
// What a server prints can neither reach a file of its log, nor stop the server, nor end it.
#include "process/kv_cluster.hpp"

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <array>
#include <csignal>
#include <cstddef>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include <fcntl.h>
#include <unistd.h>

namespace totora::process::standard_streams_tests
{
namespace
{

using Words = std::vector<std::string>;

/// Words that go before a command, so that the shell redirects its streams.
Words redirected(std::string const& how) { return {"bash", "-c", "exec \"$@\" " + how, "bash"}; }

/// A pipe whose end for writing programs inherit.
class Pipe
{
public:
    Pipe()
    {
        auto ends = std::array<int, 2>{};
        BOOST_REQUIRE(::pipe(ends.data()) == 0);
        read_end = ends[0];
        write_end = ends[1];
        ::fcntl(read_end, F_SETFD, FD_CLOEXEC);
        ::fcntl(read_end, F_SETFL, O_NONBLOCK);
    }
    Pipe(Pipe const&) = delete;
    Pipe& operator=(Pipe const&) = delete;
    ~Pipe()
    {
        stop_reading();
        ::close(write_end);
    }

    /// Writes until nothing more goes in: the next writer waits for a reader.
    void fill() const
    {
        ::fcntl(write_end, F_SETFL, O_NONBLOCK);
        auto const bytes = std::string(1'024, '.');
        while (::write(write_end, bytes.data(), bytes.size()) > 0) {}
        ::fcntl(write_end, F_SETFL, 0);
    }

    void stop_reading()
    {
        if (read_end >= 0)
            ::close(std::exchange(read_end, -1));
    }

    /// What is in it now.
    [[nodiscard]] std::string read() const
    {
        auto       text = std::string(1U << 20U, '\0');
        auto const size = ::read(read_end, text.data(), text.size());
        text.resize(size > 0 ? static_cast<std::size_t>(size) : 0);
        return text;
    }

    [[nodiscard]] Words as_stderr() const { return redirected("2>&" + std::to_string(write_end)); }

    int read_end = -1;
    int write_end = -1;
};

void require_service(KvCluster const& cluster, std::string_view value)
{
    static_cast<void>(cluster.await_leader());
    auto ports = kv::Ports{cluster.client_ports()};
    auto session = kv::Session{ports};
    BOOST_REQUIRE((session.ask({"SET", "key", value}, patience) == kv::Reply{'+', "OK", {}}));
    BOOST_REQUIRE((session.ask({"GET", "key"}, patience) == kv::Reply{'$', std::string{value}, {}}));
}

/// Makes a server print something: it reports an incoming connection that is none of a server.
void provoke(KvCluster const& cluster)
{
    auto const peers = cluster.peers();
    auto const port = kv::parse_integer(std::string_view{peers}.substr(peers.rfind(':') + 1)).value();
    auto       unknown = kv::Client::connect(static_cast<std::uint16_t>(port), patience);
    BOOST_REQUIRE(unknown.has_value());
    unknown->send(std::string(4'096, '!'));
    BOOST_TEST(not unknown->receive().has_value(), "it is turned away");
}

} // namespace

BOOST_AUTO_TEST_SUITE(standard_streams, *boost::unit_test::timeout(300))

BOOST_AUTO_TEST_CASE(what_is_printed_into_closed_streams_reaches_no_file_of_the_log,
                     *boost::unit_test::label("case_97"))
{
    for (auto closed = 1U; closed < 8U; ++closed) {
        auto how = std::string{};
        for (auto stream = 0U; stream < 3U; ++stream)
            if ((closed >> stream & 1U) != 0)
                how += std::to_string(stream) + (stream == 0 ? "<&- " : ">&- ");
        BOOST_TEST_CONTEXT("closed: " << how)
        {
            auto cluster = KvCluster{1};
            cluster.start(0, redirected(how));
            static_cast<void>(cluster.await_leader());
            for (auto stream = 0U; stream < 3U; ++stream)
                if ((closed >> stream & 1U) != 0)
                    BOOST_TEST(std::filesystem::read_symlink("/proc/" + std::to_string(cluster.process(0).id()) +
                                                             "/fd/" + std::to_string(stream)) == "/dev/null");
            auto ports = kv::Ports{cluster.client_ports()};
            auto session = kv::Session{ports};
            for (auto write = 0; write < 50; ++write)
                BOOST_REQUIRE((session.ask({"SET", "key:" + std::to_string(write), std::to_string(write)}, patience) ==
                               kv::Reply{'+', "OK", {}}));
            provoke(cluster);

            cluster.process(0).end();
            for (auto const& file : std::filesystem::directory_iterator{cluster.directory(0)})
                BOOST_TEST(content_of(file.path()).find("kv: ") == std::string::npos,
                           file.path().filename() << " holds nothing that was printed");
            cluster.start(0);
            static_cast<void>(cluster.await_leader());
            for (auto write = 0; write < 50; ++write)
                BOOST_REQUIRE((session.ask({"GET", "key:" + std::to_string(write)}, patience) ==
                               kv::Reply{'$', std::to_string(write), {}}));
        }
    }
}

BOOST_AUTO_TEST_CASE(a_directory_made_with_closed_streams_is_whole, *boost::unit_test::label("case_97"))
{
    auto cluster = KvCluster{1};
    std::filesystem::remove_all(cluster.directory(0));
    auto init = redirected("0<&- 1>&- 2>&-");
    init.emplace_back(TOTORA_KV);
    auto const words = cluster.init_words(0);
    init.insert(init.end(), words.begin(), words.end());

    BOOST_TEST((run_to_end(init).exit_code == 0));
    BOOST_TEST((run_to_end(init).exit_code == 2), "and is made once");
    cluster.start(0);
    require_service(cluster, "value");
}

BOOST_AUTO_TEST_CASE(a_server_whose_lines_are_not_read_goes_on_and_stops_at_a_signal)
{
    auto cluster = KvCluster{1};
    auto pipe = Pipe{};
    pipe.fill();
    cluster.start(0, pipe.as_stderr());
    require_service(cluster, "while the pipe is full");
    for (auto unknown = 0; unknown < 4; ++unknown)
        provoke(cluster);
    require_service(cluster, "after more was printed");

    auto printed = std::string{};
    BOOST_TEST(eventually([&] { return (printed += pipe.read()).find("leads in term") != std::string::npos; }));
    pipe.fill();
    cluster.process(0).signal(SIGTERM);
    BOOST_TEST((cluster.process(0).wait() == 0), "and it stops although nobody reads");
}

BOOST_AUTO_TEST_CASE(a_server_whose_reader_of_messages_went_away_goes_on)
{
    auto cluster = KvCluster{1};
    auto pipe = Pipe{};
    cluster.start(0, pipe.as_stderr());
    require_service(cluster, "while somebody reads");

    pipe.stop_reading();
    provoke(cluster);
    provoke(cluster);
    require_service(cluster, "when nobody is there");
    cluster.process(0).signal(SIGTERM);
    BOOST_TEST((cluster.process(0).wait() == 0));
}

BOOST_AUTO_TEST_CASE(help_into_a_closed_pipe_harms_nothing)
{
    auto pipe = Pipe{};
    pipe.stop_reading();
    auto words = redirected(">&" + std::to_string(pipe.write_end));
    words.insert(words.end(), {TOTORA_KV, "--help"});

    BOOST_TEST((run_to_end(words).exit_code == 0));
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace totora::process::standard_streams_tests
