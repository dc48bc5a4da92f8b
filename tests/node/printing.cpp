// Ids, positions and enumerations as programs and tests print them, and as keys.
#include "totora/totora.hpp"

#include <boost/test/unit_test.hpp>

#include <cstddef>
#include <set>
#include <sstream>
#include <string>
#include <unordered_map>
#include <unordered_set>

namespace totora::test::printing_tests
{
namespace
{

template <typename T>
[[nodiscard]] std::string printed(T const& value)
{
    auto stream = std::ostringstream{};
    stream << value;
    return std::move(stream).str();
}

BOOST_AUTO_TEST_CASE(numbers_are_printed_bare)
{
    BOOST_TEST(printed(ServerId{7}) == "7");
    BOOST_TEST(printed(Term{3}) == "3");
    BOOST_TEST(printed(Index{12}) == "12");
    BOOST_TEST(printed(Incarnation{1}) == "1");
    BOOST_TEST(printed(ClusterId{18446744073709551615U}) == "18446744073709551615");
    BOOST_TEST(printed(LogPosition{Term{4}, Index{12}}) == "12/4");
    BOOST_TEST(Index{12} == Index{12}); // Which is printed where it fails.
}

BOOST_AUTO_TEST_CASE(enumerations_are_printed_by_name)
{
    BOOST_TEST(printed(EntryKind::no_op) == "no_op");
    BOOST_TEST(printed(MemberKind::learner) == "learner");
    BOOST_TEST(printed(Alarm::quorum_check) == "quorum_check");
    BOOST_TEST(printed(Link::unreachable) == "unreachable");
    BOOST_TEST(printed(LogRoom::reserve_only) == "reserve_only");
    BOOST_TEST(printed(HaltReason::untrusted_log) == "untrusted_log");
    BOOST_TEST(printed(HaltReason::untrusted_machine) == "untrusted_machine");
    BOOST_TEST(printed(LogFailure::damaged) == "damaged");
    BOOST_TEST(printed(Decision::election_won) == "election_won");
    BOOST_TEST(printed(RoleName::pre_candidate) == "pre_candidate");
    BOOST_TEST(printed(ProposalError::too_much_pending) == "too_much_pending");
}

BOOST_AUTO_TEST_CASE(values_that_no_version_names_are_unknown)
{
    BOOST_TEST(to_string(static_cast<RoleName>(99)) == "unknown");
    BOOST_TEST(to_string(static_cast<LogRoom>(99)) == "unknown");
}

BOOST_AUTO_TEST_CASE(names_of_alarms_differ)
{
    auto names = std::set<std::string>{};
    for (auto kind = std::size_t{0}; kind < alarm_kinds; ++kind)
        names.emplace(to_string(static_cast<Alarm>(kind)));

    BOOST_TEST(names.size() == alarm_kinds);
    BOOST_TEST(not names.contains("unknown"));
}

BOOST_AUTO_TEST_CASE(ids_are_keys)
{
    auto servers = std::unordered_map<ServerId, std::string>{{ServerId{1}, "one"}, {ServerId{2}, "two"}};
    BOOST_TEST(servers.at(ServerId{2}) == "two");

    auto const hash = std::hash<LogPosition>{};
    auto       hashes = std::unordered_set<std::size_t>{};
    for (auto term = std::uint64_t{0}; term < 30; ++term)
        for (auto index = std::uint64_t{0}; index < 30; ++index)
            hashes.insert(hash({Term{term}, Index{index}}));
    BOOST_TEST(hashes.size() == 900U); // No two of them collide.
}

BOOST_AUTO_TEST_CASE(a_result_gives_its_value_or_throws_its_error)
{
    auto good = Result<int, std::string>{42};
    auto bad = Result<int, std::string>{Unexpected{std::string{"no"}}};

    BOOST_TEST(good.value() == 42);
    BOOST_TEST(std::move(good).value() == 42);
    BOOST_CHECK_EXCEPTION(static_cast<void>(bad.value()), BadResultAccess<std::string>,
                          [](auto const& thrown) { return thrown.error == "no"; });
    BOOST_CHECK_THROW(static_cast<void>(bad.value()), std::exception);
}

BOOST_AUTO_TEST_CASE(the_address_of_a_peer_is_found_by_its_id)
{
    auto const peers =
        std::vector<Peer>{{{ServerId{1}, first_incarnation}, "here"}, {{ServerId{2}, first_incarnation}, ""}};

    BOOST_TEST(address_of(peers, ServerId{1}).value() == "here");
    BOOST_TEST(address_of(peers, ServerId{2}).value().empty());
    BOOST_TEST(not address_of(peers, ServerId{3}).has_value());
}

} // namespace
} // namespace totora::test::printing_tests
