// SPDX-License-Identifier: BSL-1.0
#include "../../docs/examples/kv/information.hpp"
#include "../../docs/examples/kv/session.hpp"

#include <boost/test/unit_test.hpp>

using namespace kv;

BOOST_AUTO_TEST_SUITE(information_of_a_server)

BOOST_AUTO_TEST_CASE(loading_is_what_clients_are_answered_and_not_whether_a_new_leader_is_ready)
{
    for (auto const loading : {false, true})
        for (auto const ready : {false, true}) {
            auto status = totora::Status{};
            status.ready = ready;
            auto facts = ServerFacts{};
            facts.loading = loading;

            auto const text = information(status, KeyValue{}, facts, {}, {});

            BOOST_TEST(info_field(text, "loading") == (loading ? "1" : "0"));
            BOOST_TEST(info_field(text, "raft_ready") == (ready ? "1" : "0"));
        }
}

BOOST_AUTO_TEST_SUITE_END()
