// SPDX-License-Identifier: BSL-1.0
// Requests that are sent without waiting happen in their order, on real servers too.
#include "process/kv_cluster.hpp"

#include <boost/test/unit_test.hpp>

#include <cstddef>
#include <cstdint>
#include <string>
#include <thread>
#include <vector>

namespace totora::process::pipelines_tests
{
namespace
{

/// What INCR and the GET after it answered, pair by pair; fewer pairs if the connection broke.
struct Pair
{
    std::int64_t incremented = 0;
    std::int64_t read = 0;
};

std::vector<Pair> increment_and_read(kv::Client& client, std::size_t pairs)
{
    auto requests = std::string{};
    for (auto pair = std::size_t{0}; pair < pairs; ++pair) {
        kv::write_request(requests, {"INCR", "shared"});
        kv::write_request(requests, {"GET", "shared"});
    }
    auto sender = std::thread{[&] { client.send(requests); }};
    auto answers = std::vector<Pair>{};
    while (answers.size() < pairs) {
        auto const incremented = client.receive();
        auto const read = incremented ? client.receive() : std::nullopt;
        if (not read)
            break;
        answers.push_back(
            {kv::parse_integer(incremented->text).value_or(-1), kv::parse_integer(read->text).value_or(-1)});
    }
    sender.join();
    return answers;
}

} // namespace

BOOST_AUTO_TEST_SUITE(pipelines, *boost::unit_test::timeout(300))

BOOST_AUTO_TEST_CASE(a_read_between_writes_sees_those_before_it_and_none_that_follow)
{
    for (auto const servers : {1U, 3U}) {
        auto cluster = KvCluster{servers};
        cluster.start_all({"--election-ms", "2000..4000"});
        auto const port = cluster.client_port(cluster.await_leader());
        auto const pairs = std::size_t{5'000};
        auto       answers = std::vector<std::vector<Pair>>(3);
        auto       threads = std::vector<std::thread>{};
        for (auto& mine : answers)
            threads.emplace_back([&mine, port, pairs] {
                auto client = kv::Client::connect(port, patience).value();
                mine = increment_and_read(client, pairs);
            });
        for (auto& thread : threads)
            thread.join();

        for (auto const& mine : answers) {
            BOOST_REQUIRE(mine.size() == pairs);
            auto wrong = 0;
            for (auto at = std::size_t{0}; at < pairs; ++at) {
                auto const sees_before = mine[at].incremented > 0 and mine[at].read >= mine[at].incremented;
                auto const sees_next = at + 1 < pairs and mine[at].read >= mine[at + 1].incremented;
                wrong += sees_before and not sees_next ? 0 : 1;
            }
            BOOST_TEST(wrong == 0);
        }
    }
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace totora::process::pipelines_tests
