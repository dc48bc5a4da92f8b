// SPDX-License-Identifier: BSL-1.0
#include "../../docs/examples/kv/protocol/resp.hpp"
#include "../../docs/examples/kv/protocol/client.hpp"

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <cstddef>
#include <random>
#include <string>
#include <string_view>
#include <vector>

namespace kv::resp_tests
{
namespace
{

using Request = std::vector<std::string>;

/// What a parser makes of bytes that arrive in pieces, until they end or it breaks.
struct Parsed
{
    std::vector<Request> requests;
    std::string          complaint;

    friend bool operator==(Parsed const&, Parsed const&) = default;
};

Parsed parse(std::string_view bytes, std::size_t piece)
{
    auto parser = RequestParser{};
    auto parsed = Parsed{};
    while (true) {
        auto const outcome = parser.next();
        if (outcome == RequestParser::Outcome::request) {
            parsed.requests.emplace_back(parser.words().begin(), parser.words().end());
            continue;
        }
        if (outcome == RequestParser::Outcome::broken) {
            parsed.complaint = parser.complaint();
            return parsed;
        }
        if (bytes.empty())
            return parsed;
        auto const now = bytes.substr(0, piece);
        std::copy(now.begin(), now.end(), parser.room(now.size()).begin());
        parser.filled(now.size());
        bytes.remove_prefix(now.size());
    }
}

std::string complaint_about(std::string_view bytes) { return parse(bytes, bytes.size()).complaint; }

} // namespace

BOOST_AUTO_TEST_SUITE(resp)

BOOST_AUTO_TEST_CASE(requests_are_the_same_in_pieces_of_any_size)
{
    auto const bytes = std::string_view{"*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$4\r\na\r\nb\r\nPING\r\n\r\n  get \t k  \n"
                                        "*0\r\n*-1\r\n*1\r\n$0\r\n\r\n*2\r\n$4\r\necho\r\n$5\r\n*1$2\n\r\n"};
    auto const expected = Parsed{{{"SET", "k", "a\r\nb"}, {"PING"}, {"get", "k"}, {""}, {"echo", "*1$2\n"}}, ""};

    for (auto piece = std::size_t{1}; piece <= bytes.size(); ++piece)
        BOOST_TEST((parse(bytes, piece) == expected), "in pieces of " << piece);
}

BOOST_AUTO_TEST_CASE(every_prefix_of_a_request_waits_for_the_rest)
{
    auto const bytes = std::string_view{"*2\r\n$3\r\nGET\r\n$3\r\nkey\r\n"};
    for (auto length = std::size_t{0}; length < bytes.size(); ++length)
        BOOST_TEST((parse(bytes.substr(0, length), 1) == Parsed{}), "prefix of " << length);
}

BOOST_AUTO_TEST_CASE(what_is_not_resp_is_refused_with_a_reason)
{
    BOOST_TEST(complaint_about("*x\r\n") == "ERR Protocol error: invalid multibulk length");
    BOOST_TEST(complaint_about("*65537\r\n") == "ERR Protocol error: invalid multibulk length");
    BOOST_TEST(complaint_about("*99999999999999999999\r\n") == "ERR Protocol error: invalid multibulk length");
    BOOST_TEST(complaint_about("*1\r\nPING\r\n") == "ERR Protocol error: expected '$', got 'P'");
    BOOST_TEST(complaint_about("*1\r\n\n") == "ERR Protocol error: expected '$', got '?'", "an error is one line");
    BOOST_TEST(complaint_about("*1\r\n\r\n") == "ERR Protocol error: expected '$', got '?'");
    BOOST_TEST(complaint_about("*1\r\n$-1\r\n") == "ERR Protocol error: invalid bulk length");
    BOOST_TEST(complaint_about("*1\r\n$ 1\r\n") == "ERR Protocol error: invalid bulk length");
    BOOST_TEST(complaint_about("*1\r\n$1\r\nab\r\n") == "ERR Protocol error: expected the end of a bulk string");
    BOOST_TEST(complaint_about("*1\r\n$" + std::string(40, '1')) == "ERR Protocol error: invalid bulk length");
}

BOOST_AUTO_TEST_CASE(words_of_a_line_may_be_quoted)
{
    auto const line = [](std::string_view text) { return parse(std::string{text} + "\r\nPING\r\n", 3).requests.at(0); };

    BOOST_TEST((line(R"(set "a key" 'a value')") == Request{"set", "a key", "a value"}));
    BOOST_TEST((line(R"("\n\r\t\b\a\x41\xfF\"\\\q" '' "")") == Request{"\n\r\t\b\aA\xFF\"\\q", "", ""}));
    BOOST_TEST((line(R"('it\'s' '\n')") == Request{"it's", "\\n"}));
    BOOST_TEST((line(R"("\x4" "\xzz")") == Request{"x4", "xzz"}));
    BOOST_TEST((line(R"(a"b c"  d)") == Request{"ab c", "d"}));
    for (auto const* const text : {R"(get "a)", R"(get 'a)", R"(get "a\")", R"(get "a"b)", R"(get 'a'b)", R"("\)"})
        BOOST_TEST(complaint_about(std::string{text} + "\n") == "ERR Protocol error: unbalanced quotes in request");
}

BOOST_AUTO_TEST_CASE(sizes_are_refused_before_their_bytes_are_here)
{
    BOOST_TEST(complaint_about("*1\r\n$536870912\r\n") == "ERR Protocol error: invalid bulk length");
    BOOST_TEST(complaint_about("*1\r\n$8388609\r\n") == "ERR Protocol error: invalid bulk length");
    BOOST_TEST(complaint_about(std::string(70'000, 'x')) == "ERR Protocol error: too big inline request");
    auto const word = "$8388608\r\n" + std::string(word_bytes_max, 'x') + "\r\n";
    BOOST_TEST(complaint_about("*2\r\n" + word) == "");
    BOOST_TEST(complaint_about("*2\r\n" + word + "$8388608\r\n") == "ERR Protocol error: too big request");
}

BOOST_AUTO_TEST_CASE(a_request_of_the_largest_size_passes_in_pieces)
{
    auto const value = std::string(word_bytes_max, 'v');
    auto const bytes = "*2\r\n$4\r\nECHO\r\n$" + std::to_string(value.size()) + "\r\n" + value + "\r\nPING\r\n";
    BOOST_TEST((parse(bytes, 16'384) == Parsed{{{"ECHO", value}, {"PING"}}, ""}));
}

/// Bytes from nowhere never take the parser beyond its buffer (the sanitizers look) or into an endless loop.
BOOST_AUTO_TEST_CASE(random_bytes_do_no_harm)
{
    auto       random = std::mt19937_64{7};
    auto const letters = std::string_view{"*$+-0123456789\r\n\r\n\r\n aGET\"'\\x\0", 30};
    for (auto round = 0; round < 20'000; ++round) {
        auto bytes = std::string{};
        for (auto length = random() % 64; length > 0; --length)
            bytes.push_back(letters[random() % letters.size()]);
        auto const whole = parse(bytes, bytes.size() + 1);
        BOOST_REQUIRE((parse(bytes, 1 + random() % 8) == whole));
    }
}

BOOST_AUTO_TEST_CASE(a_client_reads_the_answers_that_are_written)
{
    auto bytes = std::string{};
    write_simple(bytes, "OK");
    write_error(bytes, "ERR no");
    write_integer(bytes, -7);
    write_nil(bytes);
    write_array(bytes, 2);
    write_bulk(bytes, "a\r\nb");
    write_array(bytes, 0);
    auto const expected = std::vector<Reply>{
        {'+', "OK", {}},
        {'-', "ERR no", {}},
        {':', "-7", {}},
        {'_', "", {}},
        {'*', "", {{'$', "a\r\nb", {}}, {'*', "", {}}}},
    };

    auto replies = std::vector<Reply>{};
    auto left = std::string_view{bytes};
    while (auto reply = take_reply(left))
        replies.push_back(*reply);

    BOOST_TEST((replies == expected));
    BOOST_TEST(left.empty());
    for (auto length = std::size_t{0}; length < 5; ++length) {
        auto part = std::string_view{bytes}.substr(0, length);
        BOOST_TEST(not take_reply(part).has_value());
    }
}

BOOST_AUTO_TEST_CASE(a_client_reads_what_is_written_in_the_third_version)
{
    auto bytes = std::string{};
    write_map(bytes, 1, Protocol::resp3);
    write_bulk(bytes, "key");
    write_nil(bytes, Protocol::resp3);
    write_text(bytes, "lines\n", Protocol::resp3);
    BOOST_TEST(bytes == "%1\r\n$3\r\nkey\r\n_\r\n=10\r\ntxt:lines\n\r\n");

    auto left = std::string_view{bytes};
    BOOST_TEST((take_reply(left) == Reply{'%', "", {{'$', "key", {}}, {'_', "", {}}}}));
    BOOST_TEST((take_reply(left) == Reply{'=', "txt:lines\n", {}}));

    bytes.clear();
    write_map(bytes, 1, Protocol::resp2);
    write_text(bytes, "key", Protocol::resp2);
    write_nil(bytes, Protocol::resp2);
    BOOST_TEST(bytes == "*2\r\n$3\r\nkey\r\n$-1\r\n");
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace kv::resp_tests
