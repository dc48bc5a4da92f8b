// SPDX-License-Identifier: BSL-1.0
// What `kv verify` prints about a directory, and how it ends.
#include "../../docs/examples/kv/report/log_verdict.hpp"
#include "process/kv_cluster.hpp"

#include "totora/log/segmented/segment_name.hpp"

#include <boost/test/unit_test.hpp>

#include <cstdint>
#include <filesystem>
#include <fstream>
#include <string>
#include <string_view>

namespace totora::process::verify_tests
{
namespace
{

/// The directory of a server that ran: two starts, so that one segment is sealed.
struct Directory
{
    Directory()
    {
        auto const peer = "1=127.0.0.1:" + std::to_string(free_port());
        BOOST_TEST((run_kv({"init", "--cluster", "c", "--id", "1", "--peers", peer, "--dir", path()}).exit_code == 0));
    }

    [[nodiscard]] std::string path() const { return (files.path() / "d").string(); }
    [[nodiscard]] Ended       verify(bool as_json = false) const
    {
        return as_json ? run_kv({"verify", "--dir", path(), "--json"}) : run_kv({"verify", "--dir", path()});
    }

    TemporaryDirectory files;
};

} // namespace

BOOST_AUTO_TEST_SUITE(verify, *boost::unit_test::timeout(300))

BOOST_AUTO_TEST_CASE(a_log_that_never_ran_is_sound)
{
    auto const directory = Directory{};

    auto const text = directory.verify();
    auto const json = directory.verify(true);

    BOOST_TEST((text.exit_code == 0));
    BOOST_TEST(text.output.starts_with("sound: 0 bytes in 0 segments"), text.output);
    BOOST_TEST((json.exit_code == 0));
    BOOST_TEST(json.output ==
               "{\"state\":\"sound\",\"bytes\":0,\"segments\":0,\"without_index\":0,\"last\":0,\"damage\":[]}\n");
}

BOOST_AUTO_TEST_CASE(what_is_no_log_is_refused)
{
    auto const files = TemporaryDirectory{};

    auto const ended = run_kv({"verify", "--dir", files.path().string()});

    BOOST_TEST((ended.exit_code == 2));
    BOOST_TEST(ended.output == "");
    BOOST_TEST(ended.errors.find("There is no log here") != std::string::npos, ended.errors);
}

/// What a verdict says in words and as JSON.
BOOST_AUTO_TEST_CASE(damage_is_reported_in_words_and_by_the_exit_code, *boost::unit_test::label("case_65"))
{
    auto verdict = totora::LogVerdict{};
    verdict.last = totora::Index{7};
    verdict.torn_tail = totora::TornTail{totora::Index{8}, 100};
    BOOST_TEST(kv::to_text(verdict).starts_with("torn: "));
    BOOST_TEST(kv::to_json(verdict).find("\"torn_from\":8,\"torn_bytes\":100") != std::string::npos);

    verdict.damage = {"The file \"a\" is damaged.", "The file b is damaged."};
    BOOST_TEST(kv::to_text(verdict).starts_with("damaged: "));
    BOOST_TEST(kv::to_text(verdict).find("The file b is damaged.\n") != std::string::npos);
    BOOST_TEST(kv::to_json(verdict).find(
                   "\"damage\":[\"The file \\\"a\\\" is damaged.\",\"The file b is damaged.\"]}") != std::string::npos);

    auto const directory = Directory{};
    std::ofstream{directory.path() + "/" + totora::segment_name(1)} << std::string(4096, 'x');
    std::ofstream{directory.path() + "/run"} << "totorarn and no more";
    auto const ended = directory.verify();
    BOOST_TEST((ended.exit_code == 1));
    BOOST_TEST(ended.output.starts_with("damaged: "), ended.output);
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace totora::process::verify_tests
