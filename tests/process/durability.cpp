// SPDX-License-Identifier: BSL-1.0
// No promise leaves a process before it is durable (design D3). kill -9 cannot show that, because the page cache
// survives it; the order of a process's system calls can.
#include "process/kv_cluster.hpp"
#include "process/promise_audit.hpp"

#include "totora/log/log_directory.hpp"
#include "totora/log/posix_files.hpp"

#include <boost/test/unit_test.hpp>

#include <csignal>
#include <cstddef>
#include <fstream>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

namespace totora::test::durability_tests
{

using namespace totora::process;

namespace
{

using Words = std::vector<std::string>;

/// Who is this patient nearly always votes for another server. For the least time of its election timeout a server that
/// receives from a leader helps nobody else (dissertation §4.2.3), so that this stays as short as everybody's.
Words const patient{"--election-ms", "300..8000"};

/// Who is this calm leaves the leadership to others, also where the machine is so busy that heartbeats come late.
Words const calm{"--election-ms", "2000..8000"};

/// A cluster whose first server is watched from its first start to its end.
class CheckingCluster
{
public:
    CheckingCluster(Words const& options, Words const& options_of_others) : cluster(3)
    {
        if (run_to_end({"strace", "-o", "/dev/null", "true"}).exit_code != 0)
            BOOST_FAIL("strace does not work here (Debian: strace; it must be allowed to trace its child)");
        // With -D the server is our own child, and strace only watches it.
        auto before = strace_words(trace());
        before.insert(before.begin() + 1, "-D");
        cluster.start(0, before, options);
        cluster.start(1, {}, options_of_others);
        cluster.start(2, {}, options_of_others);
    }

    /// Waits until another server leads than the watched one.
    std::size_t await_other_leader()
    {
        while (cluster.await_leader() == 0) {
            ++led;
            cluster.process(0).signal(SIGSTOP);
            static_cast<void>(eventually([&] { return cluster.leader() != std::size_t{0}; }));
            cluster.process(0).signal(SIGCONT);
        }
        return cluster.await_leader();
    }

    /// Kills other leaders until the watched server leads.
    void await_leadership()
    {
        for (auto leader = cluster.await_leader(); leader != 0; leader = cluster.await_leader()) {
            cluster.process(leader).end();
            static_cast<void>(cluster.await_leader());
            cluster.start(leader, {}, calm);
        }
    }

    /// Counts up in the cluster, each time after the answer of the time before.
    void increment(std::size_t times)
    {
        for (auto time = std::size_t{0}; time < times; ++time) {
            auto const reply = session.ask({"INCR", "counter"}, patience);
            BOOST_REQUIRE_MESSAGE((reply and reply->kind == ':'), "the counter counts");
        }
    }

    /// Ends the watched server, and gives what strace wrote.
    std::string finish()
    {
        cluster.await_equality();
        cluster.process(0).signal(SIGTERM);
        BOOST_TEST((cluster.process(0).wait() == 0));
        auto const is_written = [&] { return content_of(trace()).find("+++ exited with 0 +++") != std::string::npos; };
        BOOST_REQUIRE(eventually(is_written));
        return content_of(trace());
    }

    [[nodiscard]] PromiseAudit audit(std::string const& text) const
    {
        auto files = PosixFiles::open_directory(cluster.directory(0).string());
        BOOST_REQUIRE(files.has_value());
        auto const identity = read_identity(*files);
        BOOST_REQUIRE(identity.has_value());
        auto audit = PromiseAudit{*identity};
        auto lines = std::istringstream{text};
        audit.read(lines);
        BOOST_TEST_MESSAGE("own votes " << audit.own_votes << ", granted votes " << audit.granted_votes
                                        << ", append responses " << audit.append_responses << ", answers to clients "
                                        << audit.client_answers);
        return audit;
    }

    [[nodiscard]] std::filesystem::path trace() const { return cluster.files() / "trace"; }

    KvCluster   cluster;
    std::size_t led = 0; ///< How often the watched server did, where another should.
    kv::Ports   ports{cluster.client_ports()};
    kv::Session session{ports};
};

/// The watched server leads, through the death of a follower.
std::string lead(CheckingCluster& watched)
{
    auto& cluster = watched.cluster;
    watched.await_leadership();
    watched.increment(60);
    cluster.process(1).end();
    cluster.start(1, {}, calm);
    watched.increment(60);
    return watched.finish();
}

/// The watched server follows one leader after the other.
std::string follow(CheckingCluster& watched)
{
    auto& cluster = watched.cluster;
    watched.increment(40);
    for (auto round = std::size_t{0}; round < 3 + watched.led and round < 10; ++round) { // Who leads gives no vote.
        auto const leader = watched.await_other_leader();
        cluster.process(leader).end();
        watched.increment(40);
        cluster.start(leader);
        cluster.await_equality();
    }
    return watched.finish();
}

std::string without_syncs(std::string const& trace)
{
    auto rest = std::string{};
    auto lines = std::istringstream{trace};
    for (auto line = std::string{}; std::getline(lines, line);)
        if (line.find("sync(") == std::string::npos and line.find("sync resumed>") == std::string::npos)
            rest += line + "\n";
    return rest;
}

} // namespace

BOOST_AUTO_TEST_SUITE(durability, *boost::unit_test::timeout(300))

BOOST_AUTO_TEST_CASE(a_leader_votes_and_answers_only_for_what_is_durable)
{
    auto       watched = CheckingCluster({}, calm);
    auto const trace = lead(watched);
    auto const audit = watched.audit(trace);

    BOOST_TEST(audit.own_votes > 0U);
    BOOST_TEST(audit.client_answers >= 100U);
    BOOST_TEST(audit.violations() == std::vector<std::string>{}, boost::test_tools::per_element());

    // The same calls without their syncs: every promise must be found.
    auto const faithless = watched.audit(without_syncs(trace));
    BOOST_TEST(faithless.violations().size() >= audit.own_votes + audit.client_answers);
}

BOOST_AUTO_TEST_CASE(a_follower_votes_and_acknowledges_only_what_is_durable)
{
    auto       watched = CheckingCluster(patient, {});
    auto const trace = follow(watched);
    auto const audit = watched.audit(trace);

    BOOST_TEST(audit.granted_votes >= 3U);
    BOOST_TEST(audit.append_responses >= 100U);
    BOOST_TEST(audit.violations() == std::vector<std::string>{}, boost::test_tools::per_element());

    auto const faithless = watched.audit(without_syncs(trace));
    BOOST_TEST(faithless.violations().size() >= audit.granted_votes + audit.append_responses);
}

/// The twins of the two above: who skips the sync on purpose is found out.
BOOST_AUTO_TEST_CASE(a_leader_that_skips_the_sync_is_found_out)
{
    auto watched = CheckingCluster({"--unsafe-no-sync"}, calm);
    BOOST_TEST(watched.audit(lead(watched)).violations().size() >= 100U);
}

BOOST_AUTO_TEST_CASE(a_follower_that_skips_the_sync_is_found_out)
{
    auto watched = CheckingCluster({patient[0], patient[1], "--unsafe-no-sync"}, {});
    BOOST_TEST(watched.audit(follow(watched)).violations().size() >= 100U);
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace totora::test::durability_tests
