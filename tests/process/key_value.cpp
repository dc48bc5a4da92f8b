// SPDX-License-Identifier: BSL-1.0
#include "../../docs/examples/kv/key_value.hpp"
#include "../../docs/examples/kv/commands.hpp"
#include "../../docs/examples/kv/values.hpp"

#include <boost/test/unit_test.hpp>

#include <cstddef>
#include <random>
#include <span>
#include <string>
#include <string_view>
#include <vector>

using namespace kv;

namespace
{

using Words = std::vector<std::string_view>;

/// Does what a request asks the cluster for on one machine, and gives the answer as a client reads it.
std::string write(KeyValue& machine, Words const& words)
{
    auto const understood = understand(words);
    if (auto const* const complaint = std::get_if<std::string>(&understood))
        return *complaint;
    auto       payload = std::vector<std::byte>{};
    auto const complaint = encode_request(std::get<CommandRule>(understood).command, words, payload);
    if (not complaint.empty())
        return complaint;
    auto answers = std::vector<Answer>{};
    auto entry = totora::EntryView{};
    entry.payload = payload;
    machine.apply(std::span{&entry, 1}, answers);
    BOOST_REQUIRE(answers.size() == 1);
    auto text = std::string{};
    write_answer(text, answers.front());
    return text.substr(0, text.size() - 2);
}

std::string read(KeyValue const& machine, Words const& words)
{
    auto const understood = understand(words);
    if (auto const* const complaint = std::get_if<std::string>(&understood))
        return *complaint;
    auto const keys = std::vector<std::string>(words.begin() + 1, words.end());
    auto       text = std::string{};
    read_answer(text, std::get<CommandRule>(understood).command, keys, machine);
    return text.substr(0, text.size() - 2);
}

} // namespace

BOOST_AUTO_TEST_SUITE(key_value)

BOOST_AUTO_TEST_CASE(keys_are_written_counted_read_and_removed)
{
    auto machine = KeyValue{};

    BOOST_TEST(read(machine, {"GET", "a"}) == "$-1");
    BOOST_TEST(write(machine, {"SET", "a", "1"}) == "+OK");
    BOOST_TEST(read(machine, {"GET", "a"}) == "$1\r\n1");
    BOOST_TEST(write(machine, {"MSET", "b", "2", "c", "3"}) == "+OK");
    BOOST_TEST(read(machine, {"MGET", "a", "x", "c"}) == "*3\r\n$1\r\n1\r\n$-1\r\n$1\r\n3");
    BOOST_TEST(read(machine, {"exists", "a", "a", "x"}) == ":2");
    BOOST_TEST(read(machine, {"DBSIZE"}) == ":3");
    BOOST_TEST(write(machine, {"DEL", "a", "a", "x"}) == ":1");
    BOOST_TEST(read(machine, {"DBSIZE"}) == ":2");
}

BOOST_AUTO_TEST_CASE(counters_count_and_refuse_what_is_no_number)
{
    auto machine = KeyValue{};

    BOOST_TEST(write(machine, {"INCR", "n"}) == ":1");
    BOOST_TEST(write(machine, {"INCR", "n"}) == ":2");
    BOOST_TEST(read(machine, {"GET", "n"}) == "$1\r\n2");
    write(machine, {"SET", "n", "-5"});
    BOOST_TEST(write(machine, {"INCR", "n"}) == ":-4");
    write(machine, {"SET", "n", "9223372036854775807"});
    BOOST_TEST(write(machine, {"INCR", "n"}) == "-ERR increment or decrement would overflow");
    for (auto const text : {"", " 1", "1 ", "1.0", "x", "9223372036854775808"}) {
        write(machine, {"SET", "n", text});
        BOOST_TEST(write(machine, {"INCR", "n"}) == "-ERR value is not an integer or out of range");
    }
}

BOOST_AUTO_TEST_CASE(set_takes_its_conditions)
{
    auto machine = KeyValue{};

    BOOST_TEST(write(machine, {"SET", "a", "1", "XX"}) == "$-1");
    BOOST_TEST(write(machine, {"SET", "a", "1", "nx"}) == "+OK");
    BOOST_TEST(write(machine, {"SET", "a", "2", "NX"}) == "$-1");
    BOOST_TEST(write(machine, {"SET", "a", "3", "XX"}) == "+OK");
    BOOST_TEST(read(machine, {"GET", "a"}) == "$1\r\n3");
    BOOST_TEST(write(machine, {"SET", "a", "4", "NX", "XX"}) == "ERR syntax error");
    for (auto const word : {"EX", "GET"}) // An old value could make the answers to a batch as large as anything.
        BOOST_TEST(write(machine, {"SET", "a", "4", word}) ==
                   "ERR SET takes NX and XX here, not '" + std::string{word} + "'; keys do not expire");
}

BOOST_AUTO_TEST_CASE(wrong_requests_are_answered_by_the_reason)
{
    auto machine = KeyValue{};

    BOOST_TEST(read(machine, {"GET"}) == "ERR wrong number of arguments for 'get' command");
    BOOST_TEST(read(machine, {"get", "a", "b"}) == "ERR wrong number of arguments for 'get' command");
    BOOST_TEST(write(machine, {"MSET", "a"}) == "ERR wrong number of arguments for 'mset' command");
    BOOST_TEST(write(machine, {"MSET", "a", "1", "b"}) == "ERR wrong number of arguments for 'mset' command");
    auto const unknown = read(machine, {"LPUSH\r\n", "a"});
    BOOST_TEST(unknown.starts_with("ERR unknown command 'LPUSH?"
                                   "?'"));
    BOOST_TEST(unknown.find('\n') == std::string::npos);
}

BOOST_AUTO_TEST_CASE(values_that_are_too_many_together_are_refused)
{
    auto       machine = KeyValue{};
    auto const value = std::string(word_bytes_max / 2, 'v');
    write(machine, {"SET", "a", value});

    auto const answer = read(machine, Words(40, "MGET")); // Keys that are absent.
    auto       many = Words(40, "a");
    many.front() = "MGET";

    BOOST_TEST(answer.size() < 400U);
    BOOST_TEST(read(machine, many).starts_with("-ERR the values are larger than 16 MiB"));
}

/// Payloads come from a log that other versions may have written: any bytes are answered, and the same everywhere.
BOOST_AUTO_TEST_CASE(any_payload_is_applied_the_same_by_all)
{
    auto random = std::mt19937_64{11};
    auto machines = std::vector<KeyValue>(2);
    for (auto round = 0; round < 50'000; ++round) {
        auto payload = std::vector<std::byte>(random() % 40);
        for (auto& byte : payload)
            byte = static_cast<std::byte>(random() % 7);
        auto entry = totora::EntryView{};
        entry.payload = payload;
        auto texts = std::vector<std::string>(2);
        for (auto at = std::size_t{0}; at < 2; ++at) {
            auto answers = std::vector<Answer>{};
            machines[at].apply(std::span{&entry, 1}, answers);
            BOOST_REQUIRE(answers.size() == 1);
            write_answer(texts[at], answers.front());
        }
        BOOST_REQUIRE(texts[0] == texts[1]);
    }
    BOOST_TEST(machines[0].size() == machines[1].size());
}

BOOST_AUTO_TEST_CASE(a_leader_that_announced_itself_is_found)
{
    auto machine = KeyValue{};
    auto payload = std::vector<std::byte>{};
    auto answers = std::vector<Answer>{};
    auto entry = totora::EntryView{};

    encode_announcement(payload, totora::ServerId{3}, "127.0.0.1:6003");
    entry.payload = payload;
    machine.apply(std::span{&entry, 1}, answers);

    BOOST_TEST(machine.client_address(totora::ServerId{3}) == "127.0.0.1:6003");
    BOOST_TEST(machine.client_address(totora::ServerId{1}) == "");
    BOOST_TEST(machine.size() == 0U);
}

BOOST_AUTO_TEST_CASE(no_write_moves_more_than_a_small_part_of_the_keys)
{
    constexpr auto count = std::size_t{100'000};
    auto           values = Values{};
    for (auto key = std::size_t{0}; key < count; ++key)
        values.put("key:" + std::to_string(key), "value");

    BOOST_TEST(values.size() == count);
    BOOST_TEST(values.largest_part() < count / 100);
}

BOOST_AUTO_TEST_SUITE_END()
