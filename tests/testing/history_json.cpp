// SPDX-License-Identifier: BSL-1.0
// Histories as text: what is written is read back, and what is not quite right is refused with its line and its reason.
#include "totora/testing/linearizability/history_json.hpp"

#include "support/histories.hpp"

#include <boost/test/unit_test.hpp>

#include <cstddef>
#include <cstdint>
#include <limits>
#include <random>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace totora::test::histories::history_json_tests
{

using namespace totora::linearizability;
using namespace std::string_literals;

namespace
{

template <typename Object>
void expect_round_trip(History<Object> const& history)
{
    auto const text = write_history(history);
    BOOST_REQUIRE(text.has_value());
    auto const again = read_history<Object>(*text);

    BOOST_REQUIRE_MESSAGE(again.has_value(), again.error().what);
    BOOST_TEST((*again == history));
}

/// The error in the second of two lines.
std::string complaint(std::string const& line)
{
    auto const first = R"({"client":1,"key":"x","call":1,"action":"get"})" + "\n"s;
    auto const history = read_history<KeyValue>(first + line + "\n");
    if (history)
        return "";
    BOOST_TEST(history.error().line == 2U);
    return history.error().what;
}

/// An operation with these fields after those that each has.
std::string with(std::string const& fields) { return R"({"client":1,"key":"x","call":5,)" + fields + "}"; }

} // namespace

BOOST_AUTO_TEST_SUITE(history_as_json_lines)

BOOST_AUTO_TEST_CASE(the_format_is_this)
{
    auto const history = History<KeyValue>{on("a", put("v", 1, 4)), get(null, 2, 3), change(1, 7, true, 5, 6),
                                           change("\"\\\n\x01é", false, true, 7, never)};

    auto const text = write_history(history);

    BOOST_REQUIRE(text.has_value());
    BOOST_TEST(
        *text ==
        R"({"client":1,"key":"a","call":1,"action":"put","value":"v","return":4,"answer":null})"
        "\n"
        R"({"client":1,"key":"x","call":2,"action":"get","return":3,"answer":null})"
        "\n"
        R"({"client":1,"key":"x","call":5,"action":"compare_and_set","expected":1,"value":7,"return":6,"answer":true})"
        "\n"
        R"({"client":1,"key":"x","call":7,"action":"compare_and_set","expected":"\"\\\n\u0001é","value":false})"
        "\n");
    expect_round_trip(history);
}

BOOST_AUTO_TEST_CASE(every_action_of_every_object_is_read_back)
{
    auto const least = std::numeric_limits<std::int64_t>::min();
    auto const most = std::numeric_limits<std::int64_t>::max();
    expect_round_trip(History<Register>{});
    expect_round_trip(History<Register>{write("a", -5, -5), read("a", least, most - 1), write(null, 0, never)});
    expect_round_trip(
        History<KeyValue>{get(true, 1, 2), put(most, 1, 2), change(1, "1", false, 1, 2), remove(3, never)});
    expect_round_trip(History<Counter>{add(least, 1, 2), add_and_read(-1, most, 1, 2), count(0, 1, never)});
}

BOOST_AUTO_TEST_CASE(every_text_in_utf_8_is_read_back)
{
    auto random = std::mt19937_64{4};
    for (auto number = 0; number < 2'000; ++number) {
        auto text = std::string{};
        for (auto size = random() % 8; size > 0; --size) {
            auto const bits = random() % 21;
            auto const code = static_cast<char32_t>(random() % (std::uint64_t{2} << bits));
            if (code < 0x110000U and (code < 0xD800U or code > 0xDFFFU))
                append_utf8(text, code);
        }
        expect_round_trip(History<Register>{on(text, write(text, 1, 2))});
    }
}

BOOST_AUTO_TEST_CASE(what_other_programs_write_differently_is_read)
{
    auto const expected = History<KeyValue>{put("é€😀/\t", 5, 8)};
    auto const text =
        "\t{ \"answer\" : null, \"return\":8 ,\"value\":\"\\u00e9\\u20AC\\uD83D\\ude00\\/\\t\",\"action\":\"put\","
        "\"call\":5,\"k\\u0065y\":\"x\",\"client\":1 } \r"s;

    auto const history = read_history<KeyValue>(text);

    BOOST_REQUIRE_MESSAGE(history.has_value(), history.error().what);
    BOOST_TEST((*history == expected));
}

BOOST_AUTO_TEST_CASE(a_line_that_is_no_flat_object_is_refused)
{
    auto const rows = std::vector<std::pair<std::string, std::string>>{
        {"", "an object begins with {"},
        {"[]", "an object begins with {"},
        {"{", "a name is a text"},
        {R"({"client")", "after a name comes :"},
        {R"({"client":1)", "after a value comes , or }"},
        {R"({"client":1,})", "a name is a text"},
        {R"({"client":1 "key":"x"})", "after a value comes , or }"},
        {R"({"client":1,"client":1})", "\"client\" is there twice"},
        {R"({"client":[1]})", "a value is flat: no object, no array"},
        {R"({"client":{}})", "a value is flat: no object, no array"},
        {R"({"client":1.0})", "a number is not whole"},
        {R"({"client":1e3})", "a number is not whole"},
        {R"({"client":01})", "a number begins with 0"},
        {R"({"client":-})", "a value is null, true, false, a text or a whole number"},
        {R"({"client":+1})", "a value is null, true, false, a text or a whole number"},
        {R"({"client":True})", "a value is null, true, false, a text or a whole number"},
        {R"({"client":nullx})", "after a value comes , or }"},
        {R"({"client":9223372036854775808})", "a number needs more than 64 bits"},
        {R"({"key":"x)", "a text does not end"},
        {R"({"key":"x\)", "a text has an escape that JSON does not have"},
        {R"({"key":"\x"})", "a text has an escape that JSON does not have"},
        {R"({"key":"\u12"})", "a text has half a \\u escape"},
        {R"({"key":"\u-123"})", "a text has half a \\u escape"},
        {R"({"key":"\ud83d"})", "a text has half a \\u escape"},
        {R"({"key":"\ud83d\u0041"})", "a text has half a \\u escape"},
        {R"({"key":"\ude00"})", "a text has half a \\u escape"},
        {"{\"key\":\"\t\"}", "a text has a control character that is not escaped"},
        {"{\"key\":\"\xC3\"}", "the line is not UTF-8"},
        {"{\"key\":\"\xC0\x80\"}", "the line is not UTF-8"},
        {"{\"key\":\"\xED\xA0\x80\"}", "the line is not UTF-8"},
        {"{\"key\":\"\xF4\x90\x80\x80\"}", "the line is not UTF-8"},
        {with(R"("action":"get")") + " {}", "something follows the object"},
        {with(R"("action":"get")") + "}", "something follows the object"},
    };
    for (auto const& [line, expected] : rows)
        BOOST_TEST(complaint(line) == expected, line << " gives: " << complaint(line));
}

BOOST_AUTO_TEST_CASE(an_object_that_is_no_operation_is_refused)
{
    auto const rows = std::vector<std::pair<std::string, std::string>>{
        {with(R"("action":"get")"), ""},
        {"{}", "\"client\" is missing"},
        {R"({"client":"1"})", "\"client\" is not a whole number"},
        {R"({"client":-1})", "\"client\" is negative"},
        {R"({"client":1})", "\"key\" is missing"},
        {R"({"client":1,"key":1})", "\"key\" is not a text"},
        {R"({"client":1,"key":"x"})", "\"call\" is missing"},
        {R"({"client":1,"key":"x","call":null})", "\"call\" is not a whole number"},
        {R"({"client":1,"key":"x","call":1})", "\"action\" is missing"},
        {with(R"("action":7)"), "\"action\" is not a text"},
        {with(R"("action":"write","value":1)"), "a key-value store has no action \"write\""},
        {with(R"("action":"put")"), "\"value\" is missing"},
        {with(R"("action":"compare_and_set","value":1)"), "\"expected\" is missing"},
        {with(R"("action":"compare_and_set","expected":1)"), "\"value\" is missing"},
        {with(R"("action":"get","value":1)"), "\"value\" is not a field of this operation"},
        {with(R"("action":"get","colour":"red")"), "\"colour\" is not a field of this operation"},
        {with(R"("action":"get","return":6)"), "\"answer\" is missing"},
        {with(R"("action":"get","answer":null)"), "\"return\" is missing"},
        {with(R"("action":"get","return":4,"answer":null)"), "\"return\" is before \"call\""},
        {with(R"("action":"get","return":"6","answer":null)"), "\"return\" is not a whole number"},
        {with(R"("action":"put","value":1,"return":6,"answer":true)"), "a put answers null"},
        {with(R"("action":"compare_and_set","expected":1,"value":1,"return":6,"answer":1)"),
         "a compare_and_set answers true or false"},
    };
    for (auto const& [line, expected] : rows)
        BOOST_TEST(complaint(line) == expected, line << " gives: " << complaint(line));
}

BOOST_AUTO_TEST_CASE(each_object_refuses_what_it_does_not_answer)
{
    auto const of_register = [](std::string const& fields) { return read_history<Register>(with(fields)); };
    auto const of_counter = [](std::string const& fields) { return read_history<Counter>(with(fields)); };

    BOOST_TEST(of_register(R"("action":"get")").error().what == "a register has no action \"get\"");
    BOOST_TEST(of_register(R"("action":"write")").error().what == "\"value\" is missing");
    BOOST_TEST(of_register(R"("action":"write","value":1,"return":6,"answer":1)").error().what ==
               "a write answers null");
    BOOST_TEST(of_counter(R"("action":"get")").error().what == "a counter has no action \"get\"");
    BOOST_TEST(of_counter(R"("action":"add","by":"1")").error().what == "\"by\" is not a whole number");
    BOOST_TEST(of_counter(R"("action":"add","by":1,"return":6,"answer":1)").error().what == "an add answers null");
    BOOST_TEST(of_counter(R"("action":"read","return":6,"answer":null)").error().what ==
               "a counter answers a whole number");
}

BOOST_AUTO_TEST_CASE(what_cannot_be_text_is_not_written)
{
    auto const not_text = write_history(History<Register>{write("a", 1, 2), write("\xFF", 3, 4)});
    auto       large = History<Register>{write("a", 1, 2)};
    large[0].client = std::numeric_limits<std::uint64_t>::max();

    BOOST_TEST((not_text.error() == HistoryError{2, "\"value\" is not UTF-8"}));
    BOOST_TEST((write_history(large).error() == HistoryError{1, "\"client\" needs 64 bits"}));
}

/// Whatever the bytes are, they are read or refused; the sanitizers check it.
BOOST_AUTO_TEST_CASE(damaged_lines_are_read_or_refused)
{
    auto       random = std::mt19937_64{5};
    auto const line =
        with(R"("action":"compare_and_set","expected":"\ud83d\ude00","value":-7,"return":6,"answer":true)");
    auto refused = 0;
    for (auto number = 0; number < 20'000; ++number) {
        auto damaged = line;
        for (auto times = 1 + random() % 3; times > 0; --times) {
            auto const at = random() % damaged.size();
            if (random() % 2 == 0)
                damaged[at] = static_cast<char>(random() % 256);
            else
                damaged.erase(at, 1 + random() % 4);
        }
        refused += read_history<KeyValue>(damaged) ? 0 : 1;
    }
    BOOST_TEST(refused > 10'000);
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace totora::test::histories::history_json_tests
