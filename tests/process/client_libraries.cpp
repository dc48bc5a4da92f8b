// SPDX-License-Identifier: BSL-1.0
// Client libraries, as Debian has them, find what they expect of Redis.
#include "process/kv_cluster.hpp"

#include <boost/test/unit_test.hpp>

#if __has_include(<hiredis/hiredis.h>)
#include <hiredis/hiredis.h>
#endif

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace totora::process::client_libraries_tests
{
namespace
{

std::vector<std::string> const steady{"--election-ms", "2000..4000"};

} // namespace

BOOST_AUTO_TEST_SUITE(client_libraries, *boost::unit_test::timeout(300))

BOOST_AUTO_TEST_CASE(redis_py_has_a_session_and_its_client_of_clusters_finds_the_next_leader)
{
    auto cluster = KvCluster{3};
    cluster.start_all(steady);
    auto const leader = cluster.await_leader();
    cluster.await_equality();
    auto command = std::vector<std::string>{"/usr/bin/python3", TOTORA_REDIS_PY_SESSION,
                                            std::to_string(cluster.client_port(leader))};
    for (auto const port : cluster.client_ports())
        command.push_back(std::to_string(port));
    auto const output = cluster.files() / "output";
    auto const errors = cluster.files() / "errors";

    auto       session = Process{command, output, errors};
    auto const has_printed = [&](std::string_view words) {
        return content_of(output).find(words) != std::string::npos;
    };
    auto const has_ended = [&] { return session.wait(Milliseconds{0}).has_value(); };
    BOOST_TEST(eventually([&] { return has_printed("end the leader") or has_ended(); }));
    cluster.process(leader).end();

    BOOST_TEST(eventually([&] { return has_printed("fine\n") or has_ended(); }));
    BOOST_TEST_CONTEXT(content_of(errors)) // Debian: python3-redis.
    {
        BOOST_TEST(content_of(output) == "end the leader\nfine\n");
    }
}

#if __has_include(<hiredis/hiredis.h>)

namespace
{

/// What hiredis made of an answer, as text.
std::string text_of(redisReply const& reply)
{
    switch (reply.type) {
    case REDIS_REPLY_INTEGER:
        return std::to_string(reply.integer);
    case REDIS_REPLY_NIL:
        return "nil";
    case REDIS_REPLY_ERROR:
        return "error " + std::string{reply.str, reply.len};
    case REDIS_REPLY_ARRAY: {
        auto text = std::string{"["};
        for (auto at = std::size_t{0}; at < reply.elements; ++at)
            text += (at == 0 ? "" : " ") + text_of(*reply.element[at]);
        return text + "]";
    }
    default:
        return {reply.str, reply.len};
    }
}

class Hiredis
{
public:
    explicit Hiredis(std::uint16_t port) : context_(redisConnect("127.0.0.1", port), redisFree)
    {
        BOOST_REQUIRE(context_ != nullptr);
        BOOST_REQUIRE_MESSAGE(context_->err == 0, context_->errstr);
    }

    std::string ask(std::vector<std::string> const& words)
    {
        append(words);
        return receive();
    }

    void append(std::vector<std::string> const& words)
    {
        auto pointers = std::vector<char const*>{};
        auto lengths = std::vector<std::size_t>{};
        for (auto const& word : words) {
            pointers.push_back(word.data());
            lengths.push_back(word.size());
        }
        BOOST_REQUIRE(redisAppendCommandArgv(context_.get(), static_cast<int>(words.size()), pointers.data(),
                                             lengths.data()) == REDIS_OK);
    }

    std::string receive()
    {
        void* answer = nullptr;
        BOOST_REQUIRE_MESSAGE(redisGetReply(context_.get(), &answer) == REDIS_OK, context_->errstr);
        auto const reply = std::unique_ptr<void, decltype(&freeReplyObject)>{answer, freeReplyObject};
        return text_of(*static_cast<redisReply const*>(answer));
    }

private:
    std::unique_ptr<redisContext, decltype(&redisFree)> context_;
};

} // namespace

BOOST_AUTO_TEST_CASE(hiredis_has_a_session)
{
    auto cluster = KvCluster{3};
    cluster.start_all(steady);
    auto const leader = cluster.await_leader();
    auto       client = Hiredis{cluster.client_port(leader)};
    auto const value = std::string{"with\0zero\r\n", 11};

    BOOST_TEST(client.ask({"PING"}) == "PONG");
    BOOST_TEST(client.ask({"CLIENT", "SETNAME", "hiredis"}) == "OK");
    BOOST_TEST(client.ask({"SET", "key", value}) == "OK");
    BOOST_TEST(client.ask({"GET", "key"}) == value);
    BOOST_TEST(client.ask({"GET", "none"}) == "nil");
    BOOST_TEST(client.ask({"GETSET", "key", "5"}) == value);
    BOOST_TEST(client.ask({"DECRBY", "key", "7"}) == "-2");
    BOOST_TEST(client.ask({"INCRBY", "key", "x"}) == "error ERR value is not an integer or out of range");
    BOOST_TEST(client.ask({"MGET", "key", "none"}) == "[-2 nil]");
    BOOST_TEST(client.ask({"SCAN", "0", "COUNT", "100"}) == "[0 [key]]");
    BOOST_TEST(client.ask({"ROLE"}).starts_with("[master "));
    BOOST_TEST(client.ask({"HELLO", "2"}).starts_with("[server redis version "));
    for (auto number = 0; number < 1'000; ++number) {
        client.append({"INCR", "count"});
        client.append({"GET", "count"});
    }
    for (auto number = 1; number <= 1'000; ++number) {
        BOOST_REQUIRE(client.receive() == std::to_string(number));
        BOOST_REQUIRE(client.receive() == std::to_string(number));
    }

    auto const moved = "error MOVED 0 127.0.0.1:" + std::to_string(cluster.client_port(leader));
    BOOST_TEST(Hiredis{cluster.client_port((leader + 1) % 3)}.ask({"GET", "key"}) == moved);
}

#else

BOOST_AUTO_TEST_CASE(hiredis_has_a_session) { BOOST_FAIL("hiredis is not installed (Debian: libhiredis-dev)"); }

#endif

BOOST_AUTO_TEST_SUITE_END()

} // namespace totora::process::client_libraries_tests
