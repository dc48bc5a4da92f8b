// SPDX-License-Identifier: BSL-1.0
#include "../../docs/examples/kv/clients/http.hpp"
#include "../../docs/examples/kv/protocol/client.hpp"
#include "process/kv_cluster.hpp"

#include <boost/test/unit_test.hpp>

#include <chrono>
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace kv::http_tests
{

using namespace totora::process;

namespace
{

bool is_http_line(std::string_view line)
{
    auto parser = RequestParser{};
    auto bytes = std::string{line} + "\r\n";
    std::copy(bytes.begin(), bytes.end(), parser.room(bytes.size()).begin());
    parser.filled(bytes.size());
    BOOST_REQUIRE((parser.next() == RequestParser::Outcome::request));
    auto const is_known = std::holds_alternative<CommandRule>(understand(parser.words()));
    return is_http(parser.words(), parser.is_line(), is_known);
}

} // namespace

BOOST_AUTO_TEST_SUITE(http, *boost::unit_test::timeout(300))

BOOST_AUTO_TEST_CASE(request_lines_and_headers_are_no_commands)
{
    for (auto const* const line :
         {"POST / HTTP/1.1", "post / HTTP/1.1", "POST", "Host: localhost:6001", "HOST:", "host: x", "GET / HTTP/1.1",
          "GET /a?b=c HTTP/1.0", "OPTIONS * HTTP/1.1", "PUT /a HTTP/1.1", "DELETE /a HTTP/1.1", "Accept: */*",
          "X-Anything: SET a b", "PRI * HTTP/2.0"})
        BOOST_TEST(is_http_line(line), line);
    for (auto const* const line : {"GET /", "SET page HTTP/1.1", "MGET / HTTP/1.1", "DEL host: HTTP/1.1", "EXISTS a b",
                                   "SET host: x", "LPUSH a b", "PING HTTP/1.1", "ECHO post"})
        BOOST_TEST(not is_http_line(line), line);
}

BOOST_AUTO_TEST_CASE(post_and_host_are_refused_as_words_of_an_array_too)
{
    for (auto const* const word : {"POST", "Host:"}) {
        auto const words = std::vector<std::string_view>{word, "a", "b"};
        BOOST_TEST(is_http(words, false, false), word);
    }
    auto const words = std::vector<std::string_view>{"X-Header:", "a", "HTTP/1.1"};
    BOOST_TEST(not is_http(words, false, false), "a client library asks for an unknown command: that is answered");
}

BOOST_AUTO_TEST_CASE(a_web_page_writes_nothing)
{
    auto cluster = KvCluster{1};
    cluster.start_all();
    static_cast<void>(cluster.await_leader());
    auto const headers = std::string{"Host: localhost\r\nUser-Agent: Mozilla/5.0\r\nContent-Length: 99\r\n\r\n"};
    auto       refused = std::size_t{0};
    auto const body = std::string{"SET owned 1\r\n*3\r\n$3\r\nSET\r\n$5\r\nowned\r\n$1\r\n1\r\n"};
    for (auto const& request : {"POST / HTTP/1.1\r\n" + headers + body, "GET / HTTP/1.1\r\n" + headers + body,
                                "PUT /a HTTP/1.1\r\nAccept: */*\r\n" + headers + body, "GET /a\r\n" + headers + body,
                                "GET / HTTP/1.1\r\nX: 1\r\n\r\n" + body}) {
        auto client = Client::connect(cluster.client_port(0), patience).value();
        client.send(request);
        auto last = std::optional<Reply>{};
        for (auto reply = client.receive(); reply; reply = client.receive())
            last = reply;
        BOOST_REQUIRE_MESSAGE(cluster.number(0, "http_refused") == ++refused, request);
        if (last) // A connection that is closed on what still arrives may lose its last words.
            BOOST_TEST(last->is_error(), last->text);
    }
    auto client = Client::connect(cluster.client_port(0), patience).value();
    BOOST_TEST((client.ask({"GET", "owned"}) == Reply{'_', "", {}}));
}

BOOST_AUTO_TEST_CASE(what_is_no_text_at_all_is_refused_at_its_first_byte)
{
    auto cluster = KvCluster{1};
    cluster.start_all();
    static_cast<void>(cluster.await_leader());
    for (auto const* const bytes : {"\x16\x03\x01\x02", "\x80", "\x7f", "\x01"}) {
        auto client = Client::connect(cluster.client_port(0), patience).value();
        client.send(bytes);
        auto const reply = client.receive();
        BOOST_REQUIRE(reply.has_value());
        BOOST_TEST(reply->is_error("ERR Protocol error: "));
        BOOST_TEST(not client.receive().has_value());
    }
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace kv::http_tests
