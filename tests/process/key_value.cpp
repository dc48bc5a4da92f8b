// SPDX-License-Identifier: BSL-1.0
#include "../../docs/examples/kv/machine/key_value.hpp"
#include "../../docs/examples/kv/clients/client_budget.hpp"
#include "../../docs/examples/kv/commands/commands.hpp"
#include "../../docs/examples/kv/protocol/client.hpp"

#include <boost/test/unit_test.hpp>

#include <cstddef>
#include <random>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace kv::key_value_tests
{
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
    write_answer(text, answers.front(), std::get<CommandRule>(understood).command);
    return text.substr(0, text.size() - 2);
}

std::string read(KeyValue const& machine, Words const& words)
{
    auto const understood = understand(words);
    if (auto const* const complaint = std::get_if<std::string>(&understood))
        return *complaint;
    auto reading = reading_of(std::get<CommandRule>(understood).command, words, Protocol::resp2);
    if (auto const* const complaint = std::get_if<std::string>(&reading))
        return *complaint;
    auto budget = ClientBudget{0};
    auto text = std::string{};
    while (not read_answer(text, std::get<Reading>(reading), machine, budget))
        budget.begin_turn();
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
            byte = static_cast<std::byte>(random() % 11);
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

BOOST_AUTO_TEST_CASE(numbers_are_added_and_refused_as_redis_does)
{
    auto machine = KeyValue{};

    BOOST_TEST(write(machine, {"INCRBY", "n", "5"}) == ":5");
    BOOST_TEST(write(machine, {"DECR", "n"}) == ":4");
    BOOST_TEST(write(machine, {"decrby", "n", "10"}) == ":-6");
    BOOST_TEST(write(machine, {"DECRBY", "n", "-6"}) == ":0");
    for (auto const word : {"", "x", "1.5", "9223372036854775808", " 1", "07", "-0", "+3", "0x1"})
        for (auto const name : {"INCRBY", "DECRBY"})
            BOOST_TEST(write(machine, {name, "n", word}) == "ERR value is not an integer or out of range");
    BOOST_TEST(write(machine, {"DECRBY", "n", "-9223372036854775808"}) == "ERR decrement would overflow");
    BOOST_TEST(write(machine, {"INCRBY", "n", "-9223372036854775808"}) == ":-9223372036854775808");
    BOOST_TEST(write(machine, {"DECR", "n"}) == "-ERR increment or decrement would overflow");
    BOOST_TEST(write(machine, {"INCRBY", "n", "-1"}) == "-ERR increment or decrement would overflow");
    BOOST_TEST(write(machine, {"INCRBY", "n", "9223372036854775807"}) == ":-1");
    BOOST_TEST(write(machine, {"INCRBY", "m", "9223372036854775807"}) == ":9223372036854775807");
    BOOST_TEST(write(machine, {"INCRBY", "m", "1"}) == "-ERR increment or decrement would overflow");
    write(machine, {"SET", "t", "text"});
    BOOST_TEST(write(machine, {"DECR", "t"}) == "-ERR value is not an integer or out of range");
    BOOST_TEST(write(machine, {"INCRBY", "n"}) == "ERR wrong number of arguments for 'incrby' command");
    BOOST_TEST(write(machine, {"DECR", "n", "1"}) == "ERR wrong number of arguments for 'decr' command");
}

BOOST_AUTO_TEST_CASE(values_are_exchanged_lengthened_and_measured)
{
    auto machine = KeyValue{};

    BOOST_TEST(write(machine, {"GETSET", "a", "1"}) == "$-1");
    BOOST_TEST(write(machine, {"GETSET", "a", "two"}) == "$1\r\n1");
    BOOST_TEST(write(machine, {"SETNX", "a", "3"}) == ":0");
    BOOST_TEST(write(machine, {"SETNX", "b", "3"}) == ":1");
    BOOST_TEST(write(machine, {"APPEND", "a", "-three"}) == ":9");
    BOOST_TEST(write(machine, {"APPEND", "c", ""}) == ":0");
    BOOST_TEST(read(machine, {"STRLEN", "a"}) == ":9");
    BOOST_TEST(read(machine, {"STRLEN", "none"}) == ":0");
    BOOST_TEST(read(machine, {"TYPE", "c"}) == "+string");
    BOOST_TEST(read(machine, {"TYPE", "none"}) == "+none");
    BOOST_TEST(read(machine, {"GET", "a"}) == "$9\r\ntwo-three");
    BOOST_TEST(write(machine, {"UNLINK", "a", "none"}) == ":1");
    BOOST_TEST(read(machine, {"TOUCH", "a", "b"}) == ":1");
}

/// Or answers would be of any size.
BOOST_AUTO_TEST_CASE(no_value_grows_beyond_what_a_client_can_write_at_once)
{
    auto       machine = KeyValue{};
    auto const half = std::string(value_bytes_max / 2, 'h');

    write(machine, {"APPEND", "a", half});
    BOOST_TEST(write(machine, {"APPEND", "a", half}) == ":" + std::to_string(value_bytes_max));
    BOOST_TEST(write(machine, {"APPEND", "a", "1"}) == "-ERR string exceeds maximum allowed size (8 MiB)");
    BOOST_TEST(read(machine, {"STRLEN", "a"}) == ":" + std::to_string(value_bytes_max));
    BOOST_TEST(value_bytes_max == word_bytes_max);
}

BOOST_AUTO_TEST_CASE(all_keys_are_removed_and_addresses_stay)
{
    auto machine = KeyValue{};
    auto payload = std::vector<std::byte>{};
    auto answers = std::vector<Answer>{};
    auto entry = totora::EntryView{};
    encode_announcement(payload, totora::ServerId{3}, "127.0.0.1:6003");
    entry.payload = payload;
    machine.apply(std::span{&entry, 1}, answers);
    for (auto const command : {"FLUSHALL", "flushdb"}) {
        write(machine, {"MSET", "a", "1", "b", "2"});
        BOOST_TEST(write(machine, {command}) == "+OK");
        BOOST_TEST(read(machine, {"DBSIZE"}) == ":0");
        BOOST_TEST(read(machine, {"GET", "a"}) == "$-1");
    }
    BOOST_TEST(write(machine, {"FLUSHALL", "ASYNC"}) == "+OK");
    BOOST_TEST(write(machine, {"FLUSHALL", "soon"}) == "ERR syntax error");
    BOOST_TEST(machine.client_address(totora::ServerId{3}) == "127.0.0.1:6003");
}

BOOST_AUTO_TEST_CASE(keys_are_listed_by_pattern)
{
    auto machine = KeyValue{};
    write(machine, {"MSET", "user:1", "", "user:2", "", "other", ""});

    BOOST_TEST(read(machine, {"KEYS", "other"}) == "*1\r\n$5\r\nother");
    BOOST_TEST(read(machine, {"KEYS", "x*"}) == "*0");
    BOOST_TEST(read(machine, {"KEYS", "*"}).starts_with("*3\r\n"));
    BOOST_TEST(read(machine, {"KEYS", "user:[13]"}) == "*1\r\n$6\r\nuser:1");
    BOOST_TEST(read(machine, {"KEYS", std::string(600, 'x')}) == "-ERR the pattern is longer than 512 letters");
}

BOOST_AUTO_TEST_CASE(a_scan_returns_every_key_and_the_cursor_to_go_on_at)
{
    auto machine = KeyValue{};
    for (auto key = 0; key < 1'000; ++key)
        write(machine, {"SET", "key:" + std::to_string(key), ""});
    auto cursor = std::string{"0"};
    auto found = std::set<std::string>{};
    auto scans = 0;
    do {
        auto const text = read(machine, {"SCAN", cursor, "MATCH", "key:*5", "COUNT", "100"}) + "\r\n";
        auto       bytes = std::string_view{text};
        auto const reply = take_reply(bytes).value();
        BOOST_REQUIRE(reply.elements.size() == 2U);
        cursor = reply.elements[0].text;
        BOOST_TEST(reply.elements[1].elements.size() <= 110U);
        for (auto const& key : reply.elements[1].elements)
            BOOST_TEST(found.insert(key.text).second);
        ++scans;
    } while (cursor != "0");

    BOOST_TEST(found.size() == 100U);
    BOOST_TEST(scans >= 9);
    BOOST_TEST(scans <= 12);
    BOOST_TEST(read(machine, {"SCAN", "0", "TYPE", "list", "COUNT", "5000"}) == "*2\r\n$1\r\n0\r\n*0");
    BOOST_TEST(
        read(machine, {"SCAN", "0", "TYPE", "string", "COUNT", "5000"}).starts_with("*2\r\n$1\r\n0\r\n*1000\r\n"));
}

BOOST_AUTO_TEST_CASE(wrong_scans_are_answered_as_redis_does)
{
    auto machine = KeyValue{};

    for (auto const cursor : {"", "x", "-1", "9007199254740992", "1 "})
        BOOST_TEST(read(machine, {"SCAN", cursor}) == "ERR invalid cursor");
    BOOST_TEST(read(machine, {"SCAN", "0", "COUNT", "x"}) == "ERR value is not an integer or out of range");
    for (auto const& wrong :
         {Words{"SCAN", "0", "COUNT", "0"}, Words{"SCAN", "0", "COUNT"}, Words{"SCAN", "0", "LIMIT", "1"}})
        BOOST_TEST(read(machine, wrong) == "ERR syntax error");
    BOOST_TEST(read(machine, {"SCAN"}) == "ERR wrong number of arguments for 'scan' command");
}

/// A scan is bounded in bytes too, but for one key.
BOOST_AUTO_TEST_CASE(a_scan_ends_early_where_keys_are_long)
{
    auto machine = KeyValue{};
    for (auto key = 0; key < 8; ++key)
        write(machine, {"SET", std::string(scan_bytes_max - 100, static_cast<char>('a' + key)), ""});

    BOOST_TEST(read(machine, {"SCAN", "0", "COUNT", "1000"}).size() < 2 * scan_bytes_max + 100);
    BOOST_TEST(read(machine, {"KEYS", "*"}).size() > 7 * scan_bytes_max);
    for (auto key = 0; key < 12; ++key)
        write(machine, {"SET", std::string(scan_bytes_max - 100, static_cast<char>('A' + key)), ""});
    BOOST_TEST(read(machine, {"KEYS", "*"}) == "-ERR the keys are larger than 16 MiB together: use SCAN");
}

/// Logs are older than programs: these bytes stand in them, and do today what they did when they were written.
BOOST_AUTO_TEST_CASE(entries_of_every_version_are_read_as_they_were_meant)
{
    using namespace std::string_literals;
    struct Entry
    {
        std::string bytes;
        std::string answer;
    };
    auto const entries = std::vector<Entry>{
        // Of the first version.
        {"\x01\x00\x01\0\0\0k\x02\0\0\0v1"s, "+OK"},
        {"\x01\x01\x01\0\0\0k\x02\0\0\0v2"s, "$-1"},
        {"\x01\x02\x01\0\0\0x\x00\0\0\0"s, "$-1"},
        {"\x02\x00\x01\0\0\0x\x01\0\0\0y"s, ":0"},
        {"\x03\x00\x01\0\0\0n"s, ":1"},
        {"\x04\x00\x01\0\0\0a\x01\0\0\0001\x01\0\0\0b\x01\0\0\0002"s, "+OK"},
        {"\x05\x00\x08\0\0\0\x03\0\0\0\0\0\0\0\x05\0\0\0h:123"s, "+OK"},
        // Since then.
        {"\x06\x00\x01\0\0\0n\x08\0\0\0\xFE\xFF\xFF\xFF\xFF\xFF\xFF\xFF"s, ":-1"},
        {"\x07\x00\x01\0\0\0k\x01\0\0\0+"s, ":3"},
        {"\x08\x00\x01\0\0\0k\x01\0\0\0w"s, "$3\r\nv1+"},
        {"\x0A\x00"s, "-ERR unreadable command in the log"},
        {"\x09\x00\x01\0\0\0k"s, "-ERR unreadable command in the log"},
    };
    auto       machine = KeyValue{};
    auto const apply = [&machine](std::string const& bytes) {
        auto       answers = std::vector<Answer>{};
        auto       entry = totora::EntryView{};
        auto const payload = std::as_bytes(std::span{bytes});
        entry.payload = payload;
        machine.apply(std::span{&entry, 1}, answers);
        auto text = std::string{};
        write_answer(text, answers.at(0));
        return text.substr(0, text.size() - 2);
    };
    for (auto const& [bytes, answer] : entries)
        BOOST_TEST(apply(bytes) == answer);
    BOOST_TEST(read(machine, {"MGET", "k", "n", "a", "b"}) == "*4\r\n$1\r\nw\r\n$2\r\n-1\r\n$1\r\n1\r\n$1\r\n2");
    BOOST_TEST(machine.client_address(totora::ServerId{3}) == "h:123");
    BOOST_TEST(apply("\x09\x00"s) == "+OK");
    BOOST_TEST(read(machine, {"DBSIZE"}) == ":0");

    auto payload = std::vector<std::byte>{};
    BOOST_TEST(encode_request(Command::decrby, Words{"DECRBY", "n", "2"}, payload) == "");
    BOOST_TEST((std::string{reinterpret_cast<char const*>(payload.data()), payload.size()} == entries[7].bytes));
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace kv::key_value_tests
