// The rules of the house that no compiler knows, checked on the tree itself; and each check is shown to fail on a
// planted violation. What is planted is put together from parts, because this file is in the tree too.
#include "support/tidy/case_table.hpp"
#include "support/tidy/citations.hpp"
#include "support/tidy/documents.hpp"
#include "support/tidy/file_names.hpp"
#include "support/tidy/files.hpp"
#include "support/tidy/includes.hpp"
#include "support/tidy/laws.hpp"
#include "support/tidy/limits.hpp"
#include "support/tidy/not_yet.hpp"
#include "support/tidy/results.hpp"
#include "support/tidy/sums.hpp"
#include "support/tidy/tree.hpp"

#include <boost/test/unit_test.hpp>

#include <string>
#include <vector>

namespace
{

using namespace totora::tidy;

Tree const& our_tree()
{
    static auto const tree = read_tree(TOTORA_SOURCE_DIR);
    return tree;
}

void expect_none(Complaints const& complaints)
{
    for (auto const& complaint : complaints)
        BOOST_ERROR(complaint);
    BOOST_TEST(complaints.empty());
}

/// Expects exactly these complaints, in this order.
void expect(Complaints const& complaints, Complaints const& expected)
{
    BOOST_TEST(complaints == expected, boost::test_tools::per_element());
}

/// A header with one include; the directive is not at the start of a line here.
File header(std::string const& path, std::string const& include)
{
    return {"include/totora/" + path, "#include " + include + "\n"};
}

struct PlantedInclude
{
    std::string path;
    std::string include;
    std::string complaint; ///< Empty if it is allowed.
};
std::vector<PlantedInclude> const planted_includes{
    {"core/a.hpp", "<vector>", ""},
    {"core/a.hpp", "\"totora/core/b.hpp\"", ""},
    {"core/a.hpp", "\"b.hpp\"", ""},
    {"core/a.hpp", "<totora/version.hpp>", ""},
    {"core/a.hpp", "<functional>", "core may not include functional"},
    {"core/a.hpp", "<chrono>", "core may not include chrono"},
    {"core/a.hpp", "<thread>", "core may not include thread"},
    {"core/a.hpp", "<range/v3/view/all.hpp>", "core may not include range/v3/view/all.hpp"},
    {"core/a.hpp", "\"../wire/b.hpp\"", "core may not include totora/wire/b.hpp"},
    {"core/a.hpp", "\"totora/policy/b.hpp\"", "core may not include totora/policy/b.hpp"},
    {"core/a.hpp", "\"totora/totora.hpp\"", "core may not include totora/totora.hpp"},
    {"core/a.hpp", "<unistd.h>", "core may not include unistd.h"},
    {"policy/a.hpp", "\"totora/core/b.hpp\"", ""},
    {"policy/a.hpp", "<filesystem>", "policy may not include filesystem"},
    {"policy/a.hpp", "\"totora/wire/b.hpp\"", "policy may not include totora/wire/b.hpp"},
    {"wire/a.hpp", "\"totora/policy/b.hpp\"", ""},
    {"wire/a.hpp", "<random>", "wire may not include random"},
    {"wire/a.hpp", "\"totora/node/b.hpp\"", "wire may not include totora/node/b.hpp"},
    {"node/a.hpp", "<functional>", ""},
    {"node/a.hpp", "<range/v3/algorithm/sort.hpp>", "node may not include range/v3/algorithm/sort.hpp"},
    {"node/a.hpp", "<range/v3/all.hpp>", "node may not include range/v3/all.hpp"},
    {"node/a.hpp", "<iostream>", "node may not include iostream"},
    {"node/a.hpp", "\"totora/log/b.hpp\"", "node may not include totora/log/b.hpp"},
    {"node/a.hpp", "\"totora/wire/b.hpp\"", "node may not include totora/wire/b.hpp"},
    {"log/a.hpp", "<fcntl.h>", ""},
    {"log/a.hpp", "<sys/stat.h>", ""},
    {"log/a.hpp", "<fstream>", "log may not include fstream"},
    {"log/a.hpp", "\"totora/transport/b.hpp\"", "log may not include totora/transport/b.hpp"},
    {"clock/a.hpp", "\"totora/log/b.hpp\"", "clock may not include totora/log/b.hpp"},
    {"transport/tcp.hpp", "<boost/asio/io_context.hpp>", ""},
    {"transport/tcp/hub.hpp", "<boost/asio/steady_timer.hpp>", ""},
    {"transport/tcp/hub.hpp", "<boost/system/error_code.hpp>", ""},
    {"transport/tcp.hpp", "<boost/optional.hpp>", "transport may not include boost/optional.hpp"},
    {"transport/a.hpp", "<boost/asio/io_context.hpp>", "transport may not include boost/asio/io_context.hpp"},
    {"transport/a.hpp", "<sys/socket.h>", "transport may not include sys/socket.h"},
    {"testing/a.hpp", "<iostream>", ""},
    {"testing/a.hpp", "\"totora/node/b.hpp\"", ""},
    {"testing/a.hpp", "<boost/test/unit_test.hpp>", "testing may not include boost/test/unit_test.hpp"},
};

std::string section(std::string const& number) { return "§" + number; }

std::string tagged(std::string const& text) { return "lab" + ("el(\"" + text + "\")"); }

std::string numbered_case(std::string const& number) { return "ca" + ("se " + number); }

} // namespace

BOOST_AUTO_TEST_SUITE(tidy)

BOOST_AUTO_TEST_CASE(the_tree_was_found)
{
    BOOST_TEST(our_tree().size() > 20U);
    BOOST_TEST(known_cases(our_tree()).size() == 109U);
}

BOOST_AUTO_TEST_CASE(every_header_includes_only_what_its_area_may) { expect_none(broken_includes(our_tree())); }

BOOST_AUTO_TEST_CASE(the_umbrella_header_pulls_in_neither_boost_nor_streams)
{
    expect_none(heavy_includes(our_tree()));
}

BOOST_AUTO_TEST_CASE(only_the_agreed_names_stand_at_the_top_level) { expect_none(unexpected_at_the_top(our_tree())); }

BOOST_AUTO_TEST_CASE(every_header_begins_with_its_license) { expect_none(headers_without_license(our_tree())); }

BOOST_AUTO_TEST_CASE(every_cited_case_and_section_exists) { expect_none(broken_citations(our_tree())); }

BOOST_AUTO_TEST_CASE(the_table_of_cases_agrees_with_the_labels) { expect_none(wrong_rows_of_cases(our_tree())); }

BOOST_AUTO_TEST_CASE(the_program_of_the_readme_is_one_that_runs) { expect_none(program_that_nobody_runs(our_tree())); }

BOOST_AUTO_TEST_CASE(the_folders_of_the_tests_are_the_ones_that_are_described)
{
    expect_none(folders_of_tests_that_differ(our_tree()));
}

BOOST_AUTO_TEST_CASE(every_test_is_in_a_program) { expect_none(tests_that_never_run(our_tree())); }

BOOST_AUTO_TEST_CASE(every_law_of_a_simulation_is_broken_by_a_test)
{
    expect_none(laws_that_no_test_breaks(our_tree()));
}

BOOST_AUTO_TEST_CASE(every_file_that_is_cited_exists) { expect_none(files_that_do_not_exist(our_tree())); }

BOOST_AUTO_TEST_CASE(every_name_that_documents_cite_exists) { expect_none(names_that_do_not_exist(our_tree())); }

BOOST_AUTO_TEST_CASE(the_sums_of_tables_are_right) { expect_none(wrong_sums(our_tree())); }

BOOST_AUTO_TEST_CASE(the_tables_of_results_name_command_commit_and_date) { expect_none(wrong_results(our_tree())); }

BOOST_AUTO_TEST_CASE(no_folder_has_too_many_headers) { expect_none(crowded_folders(our_tree(), not_yet)); }

BOOST_AUTO_TEST_CASE(no_header_is_too_long) { expect_none(long_headers(our_tree(), not_yet)); }

BOOST_AUTO_TEST_CASE(no_function_is_too_long) { expect_none(long_functions(our_tree(), not_yet)); }

BOOST_AUTO_TEST_CASE(nothing_is_left_open_and_no_path_is_of_one_machine) { expect_none(loose_ends(our_tree())); }

BOOST_AUTO_TEST_CASE(the_version_is_the_same_in_numbers_and_in_words)
{
    expect_none(versions_that_disagree(our_tree()));
}

BOOST_AUTO_TEST_SUITE(planted)

BOOST_AUTO_TEST_CASE(an_include_that_the_matrix_forbids_is_found)
{
    for (auto const& [path, include, complaint] : planted_includes) {
        auto const expected =
            complaint.empty() ? Complaints{} : Complaints{"include/totora/" + path + ":1: " + complaint};
        expect(broken_includes({header(path, include)}), expected);
    }
}

BOOST_AUTO_TEST_CASE(an_area_that_nobody_decided_on_is_found)
{
    expect(broken_includes({header("detail/a.hpp", "<vector>")}),
           {"include/totora/detail/a.hpp stands in an area that the include matrix does not know"});
}

BOOST_AUTO_TEST_CASE(a_heavy_include_is_found_through_other_headers)
{
    auto const umbrella = header("totora.hpp", "\"totora/testing/a.hpp\"");

    expect(heavy_includes({umbrella, header("testing/a.hpp", "<vector>")}), {});
    expect(heavy_includes({umbrella, header("testing/a.hpp", "<iostream>")}),
           {"include/totora/testing/a.hpp:1: totora/totora.hpp pulls in iostream"});
    expect(heavy_includes({umbrella, header("testing/a.hpp", "\"../transport/tcp.hpp\""),
                           header("transport/tcp.hpp", "<boost/asio/io_context.hpp>")}),
           {"include/totora/transport/tcp.hpp:1: totora/totora.hpp pulls in boost/asio/io_context.hpp"});
}

BOOST_AUTO_TEST_CASE(an_unexpected_name_at_the_top_level_is_found)
{
    expect(unexpected_at_the_top({{"README.md", ""}, {".ci/run", ""}, {"docs/a.md", ""}, {"include/a.hpp", ""}}), {});
    expect(unexpected_at_the_top({{"src/a.cpp", ""}, {"src/b.cpp", ""}, {"LICENSE", ""}}),
           {"LICENSE may not stand at the top level", "src may not stand at the top level"});
}

BOOST_AUTO_TEST_CASE(a_header_without_its_license_is_found)
{
    auto const line = std::string{"// SPDX-License-Identifier: BSL-1.0\n"};

    expect(headers_without_license({{"include/totora/a.hpp", line + "#pragma once\n"}, {"tests/a.cpp", ""}}), {});
    expect(headers_without_license({{"include/totora/a.hpp", "#pragma once\n" + line}}),
           {"include/totora/a.hpp does not begin with its SPDX line"});
    expect(headers_without_license({{"tests/support/a.hpp", "// SPDX-License-Identifier: MIT\n"}}),
           {"tests/support/a.hpp does not begin with its SPDX line"});
}

BOOST_AUTO_TEST_CASE(a_citation_of_what_does_not_exist_is_found)
{
    auto const complaints = [](std::string const& text, std::string const& path = "tests/a.cpp") {
        return broken_citations({{"docs/cases.md", "### 1. One\n### 14. Fourteen\n"}, {path, text}});
    };
    auto const no_case = [](std::string const& number) {
        return Complaints{"tests/a.cpp:1: docs/cases.md has no case " + number};
    };
    auto const no_paper = [](std::string const& number) {
        return Complaints{"tests/a.cpp:1: the paper has no section " + number};
    };
    auto const no_dissertation = [](std::string const& number, int line = 1) {
        return Complaints{"tests/a.cpp:" + std::to_string(line) + ": the dissertation has no section " + number};
    };
    auto const dissertation = std::string{"disser"} + "tation ";

    expect(complaints("// " + numbered_case("14") + ", see."), {});
    expect(complaints("// " + numbered_case("15") + "."), no_case("15"));
    expect(complaints(tagged("ca" + std::string{"se_15"})), no_case("15"));
    expect(complaints("// ca" + std::string{"ses 1, 14 and 16 to 14"}), no_case("16"));
    expect(complaints("    " + numbered_case("15") + ": return;"), {}); // A switch statement.
    expect(complaints("- " + numbered_case("15") + ": lost", "docs/a.md"),
           {"docs/a.md:1: docs/cases.md has no case 15"});
    expect(complaints("test_" + numbered_case("15")), {});

    expect(complaints("// " + section("5.4.1") + ". And " + section("6")), {});
    expect(complaints("// " + section("5.7")), no_paper("5.7"));
    expect(complaints("// pap" + std::string{"er 5.9"}), no_paper("5.9"));
    expect(complaints("*" + tagged("5.8")), no_paper("5.8"));
    expect(complaints("TOTORA_PR" + std::string{"OVE(a_name, \"12\");"}), no_paper("12"));

    expect(complaints("// " + dissertation + section("6.4.1") + "."), {});
    expect(complaints("// " + dissertation + section("6.9")), no_dissertation("6.9"));
    expect(complaints("// " + dissertation + "6.8"), no_dissertation("6.8"));
    expect(complaints("// the " + dissertation + "\n    /// " + section("3.12") + "."), no_dissertation("3.12", 2));
    expect(complaints("// " + dissertation + section("3.8") + " and " + section("9.6")), {});
    expect(complaints("// " + dissertation + section("3.8") + ". In the paper " + section("9.6")), no_paper("9.6"));
}

BOOST_AUTO_TEST_CASE(a_wrong_row_in_the_table_of_cases_is_found)
{
    auto const complaints = [](std::string const& table, std::string const& test) {
        return wrong_rows_of_cases({{"docs/cases.md", table + "### 1. One\n"}, {"tests/a.cpp", test}});
    };
    auto const case_1 = tagged("ca" + std::string{"se_1"});
    auto const case_11 = tagged("ca" + std::string{"se_11"});

    expect(complaints("| 1 | One | now | |\n", case_1), {});
    expect(complaints("| 1 | One | waits | snapshots |\n", ""), {});
    expect(complaints("| 1 | One | now | |\n", case_11),
           {"docs/cases.md:1: 1 is listed as tested now, and no test is labelled with it"});
    expect(complaints("| 1 | One | waits | snapshots |\n", case_1),
           {"docs/cases.md:1: 1 is listed as waiting, and a test is labelled with it"});
    expect(complaints("| 1 | One | waits | |\n", ""), {"docs/cases.md:1: 1 waits for nothing"});
    expect(complaints("| 1 | One | perhaps | |\n", ""), {"docs/cases.md:1: 1 is neither now nor waits"});
    expect(complaints("", ""), {"docs/cases.md does not list 1 once"});
    expect(complaints("| 1 | One | now | |\n| 1 | One | now | |\n", case_1), {"docs/cases.md does not list 1 once"});
}

BOOST_AUTO_TEST_CASE(a_program_of_the_readme_that_nobody_runs_is_found)
{
    auto const complaints = [](std::string const& readme, std::string const& program) {
        return program_that_nobody_runs({{"README.md", readme}, {"docs/examples/first.cpp", program}});
    };
    auto const differs = Complaints{"README.md: the program is not docs/examples/first.cpp without its first line"};

    expect(complaints("# a\n```cpp\nint main() {}\n```\n", "// SPDX\nint main() {}\n"), {});
    expect(complaints("# a\n```cpp\nint main() {}\n```\n", "// SPDX\nint main() { }\n"), differs);
    expect(complaints("# a\n```cpp\nint main() {}\n\n```\n", "// SPDX\nint main() {}\n"), differs);
    expect(complaints("# a\n```cpp\n```\n", ""), differs);
}

BOOST_AUTO_TEST_CASE(a_folder_of_tests_that_differs_from_its_description_is_found)
{
    auto const complaints = [](std::string const& table) {
        return folders_of_tests_that_differ(
            {{"docs/testing.md", table}, {"tests/core/a.cpp", ""}, {"tests/core/b.cpp", ""}, {"tests/tidy.cpp", ""}});
    };

    expect(complaints("| `core/` | the core |\n| `tidy.cpp` | rules |\n"), {});
    expect(complaints("| folder | |\n"), {"docs/testing.md does not describe tests/core/"});
    expect(complaints("| `core/` | the core |\n| `sim/` | a cluster |\n"),
           {"docs/testing.md:2: there is no tests/sim/"});
    expect(complaints("| `core/` | the core |\n| `core/` | again |\n"), {"docs/testing.md:2: there is no tests/core/"});
}

BOOST_AUTO_TEST_CASE(a_test_that_no_program_contains_is_found)
{
    expect(tests_that_never_run({{"tests/core/a.cpp", ""}, {"tests/package/consumer/a.cpp", ""}}), {});
    expect(tests_that_never_run({{"tests/core/more/a.cpp", ""}}),
           {"tests/core/more/a.cpp stands too deep: no test program contains it"});
}

BOOST_AUTO_TEST_CASE(a_law_that_no_test_breaks_is_found)
{
    auto const complaints = [](std::string const& test) {
        return laws_that_no_test_breaks(
            {{"include/totora/testing/simulate/a.hpp",
              "expect(a(\")\") < b, \"a is\"\n    \" less\");\nchecks.fail(\"it ends: \" + c);\n"},
             {"include/totora/testing/simulate/b.hpp",
              "std::optional<std::string_view> find() { return \"b is more\"; }\n"},
             {"include/totora/testing/simulate/c.hpp", "std::string_view name() { return \"c\"; }\n"},
             {"tests/testing/a.cpp", test}});
    };
    expect(complaints("== \"a is less\" == \"it ends: here\" == \"b is\"\n \" more\""), {});
    expect(complaints("== \"and a is less\" == \"b is more\""),
           {"include/totora/testing/simulate/a.hpp: no test breaks the law: it ends: ",
            "include/totora/testing/simulate/a.hpp: no test breaks the law: a is less"});
}

BOOST_AUTO_TEST_CASE(a_cited_file_that_does_not_exist_is_found)
{
    auto const complaints = [](std::string const& path, std::string const& text) {
        return files_that_do_not_exist({{"docs/decisions/0002-two.md", ""},
                                        {"include/totora/core/rules/reads.hpp", ""},
                                        {"tests/core/reads.cpp", ""},
                                        {path, text}});
    };
    auto const missing = [](std::string const& path, std::string const& name) {
        return Complaints{path + ":1: there is no file " + name};
    };

    expect(complaints("tests/a.cpp", "// See core/rules/reads.hpp, reads.hpp. And core/reads.cpp"), {});
    expect(complaints("tests/a.cpp", "// See core/reads.hpp."), missing("tests/a.cpp", "core/reads.hpp"));
    expect(complaints("tests/a.cpp", "f(\"// gone.hpp\"); // gone.cpp"), missing("tests/a.cpp", "gone.cpp"));
    expect(complaints("tests/a.cpp", "open(\"gone.hpp\");"), {});
    expect(complaints("tests/a.sh", "cat gone.hpp # gone.sh"), missing("tests/a.sh", "gone.sh"));
    expect(complaints("tests/a.cpp", "// NAME.hpp, NAME.txt, boost/a.hpp, *.hpp"), {});
    expect(complaints("docs/a.md", "`core/rules/reads`, tests/core, `docs/decisions/0002`, `core/`"), {});
    expect(complaints("docs/a.md", "[a](decisions/0002-two.md), https://example.org/core/a.md"), {});
    expect(complaints("docs/a.md", "`core/rules/writes`"), missing("docs/a.md", "core/rules/writes"));
    expect(complaints("docs/a.md", "`docs/decisions/0003`"), missing("docs/a.md", "docs/decisions/0003"));
    expect(complaints("tests/stories/a.txt", "# tests/paper/a.cpp"),
           missing("tests/stories/a.txt", "tests/paper/a.cpp"));
}

BOOST_AUTO_TEST_CASE(a_cited_name_that_does_not_exist_is_found)
{
    auto const complaints = [](std::string const& path, std::string const& text) {
        return names_that_do_not_exist({{"include/totora/a.hpp", "int has_quorum;"}, {path, text}});
    };

    expect(complaints("docs/a.md", "`has_quorum`, `is_agreed()`, is_agreed, `agreed`, `tired_`"), {});
    expect(complaints("docs/a.md", "`has_quorum` and\n`is_agreed`"), {"docs/a.md:2: there is no is_agreed"});
    expect(complaints("docs/CHANGELOG.md", "`is_agreed`"), {});
}

BOOST_AUTO_TEST_CASE(a_wrong_sum_is_found)
{
    auto const complaints = [](std::string const& last_row) {
        return wrong_sums({{"docs/a.md", "| | states |\n| --- | --- |\n| a | 1,000 |\n| b | 30 |\n" + last_row}});
    };

    expect(complaints("| all two | 1,030 |\n"), {});
    expect(complaints("| total | 1,030 |\n"), {});
    expect(complaints("| all of them | 1 |\n"), {});
    expect(complaints("| all two | 1,031 |\n"), {"docs/a.md:5: the sum is 1030, not 1031"});
    expect(complaints("| all ten | 1,030 |\n"), {"docs/a.md:5: there are 2 rows, not 10"});
    expect(complaints("| all 3 | 1,030 |\n"), {"docs/a.md:5: there are 2 rows, not 3"});
    expect(complaints("\n| | |\n| --- | --- |\n| c | 7 |\n| sum | 8 |\n"), {"docs/a.md:9: the sum is 7, not 8"});
}

BOOST_AUTO_TEST_CASE(a_wrong_row_of_results_is_found)
{
    auto const complaints = [](std::string const& row, std::string const& end = "<!-- end of explore -->\n") {
        auto document = std::string{"<!-- results of explore -->\n| command | |\n| --- | --- |\n"} + row + end;
        for (std::string const program : {"simulate", "crash_images", "mutants"})
            document += "<!-- results of " + program + " -->\n<!-- end of " + program + " -->\n";
        return wrong_results({{"docs/testing.md", document}, {"tests/explore/scopes.hpp", "{.name = \"small\"}"}});
    };
    auto const row = [](std::string const& command, std::string const& commit, std::string const& date) {
        return "| `" + command + "` | 1 | " + commit + " | " + date + " |\n";
    };
    auto const found = [](std::string const& fault, std::string const& where) {
        return Complaints{"docs/testing.md: " + fault + ": " + where.substr(0, where.size() - 1)};
    };
    auto const good = row("explore --scope small", "0123abc", "2026-11-29");
    auto const of_another = row("simulate --seeds 1..2", "0123abc", "2026-11-29");
    auto const of_no_commit = row("explore --scope small", "main", "2026-11-29");
    auto const of_no_day = row("explore --scope small", "0123abc", "today");
    auto const of_no_scope = row("explore --scope mall", "0123abc", "2026-11-29");

    expect(complaints(good + "| all 1 | 1 | | |\n"), {});
    expect(complaints(good + of_another), found("no command of explore", of_another));
    expect(complaints(of_no_commit), found("no commit and date of a run", of_no_commit));
    expect(complaints(of_no_day), found("no commit and date of a run", of_no_day));
    expect(complaints(of_no_scope), found("no such scope", of_no_scope));
    expect(complaints(good, ""), {"docs/testing.md has not one table of results of explore"});
}

BOOST_AUTO_TEST_CASE(a_crowded_folder_is_found)
{
    auto const folder = [](int headers) {
        auto tree = Tree{};
        for (auto number = 0; number < headers; ++number)
            tree.push_back({"include/totora/a/" + std::to_string(number) + ".hpp", ""});
        return tree;
    };

    expect(crowded_folders(folder(25), {}), {});
    expect(crowded_folders(folder(26), {}), {"include/totora/a/ has 26 headers"});
    expect(crowded_folders(folder(26), {.folders = {"include/totora/a/"}, .headers = {}, .functions = {}}), {});
    expect(crowded_folders(folder(25), {.folders = {"include/totora/a/"}, .headers = {}, .functions = {}}),
           {"include/totora/a/ keeps its limit: strike it from the list"});
}

BOOST_AUTO_TEST_CASE(a_long_header_is_found)
{
    auto const header_of = [](std::size_t lines) { return Tree{{"a.hpp", std::string(lines, '\n')}}; };
    auto const listed = NotYet{.folders = {}, .headers = {"a.hpp"}, .functions = {}};

    expect(long_headers(header_of(300), {}), {});
    expect(long_headers(header_of(301), {}), {"a.hpp has 301 lines"});
    expect(long_headers(header_of(301), listed), {});
    expect(long_headers(header_of(300), listed), {"a.hpp keeps its limit: strike it from the list"});
    expect(long_headers({{"a.cpp", std::string(301, '\n')}}, {}), {});
}

BOOST_AUTO_TEST_CASE(a_long_function_is_found)
{
    auto const complaints = [](std::string const& before, std::string const& after, std::size_t lines = 45) {
        return long_functions({{"a.hpp", before + "{" + std::string(lines, '\n') + "}" + after}}, {});
    };
    auto const found = [](int line, int lines = 46) {
        return Complaints{"a.hpp:" + std::to_string(line) + ": a function of " + std::to_string(lines) + " lines"};
    };

    expect(complaints("void f()\n", "\n", 44), {});
    expect(complaints("void f()\n", "\n"), found(2));
    expect(complaints("template <typename T>\nstruct S : B<T>\n{\nS() : b_(1)\n", "\nint b_; };"), found(5));
    expect(complaints("auto f = [](int a) ", ";"), found(1));
    expect(complaints("auto f = [] ", ";"), found(1));
    expect(complaints("struct S\n{\nS(int a) : a_{a} ", "\nint a_; };"), found(3));
    expect(complaints("struct S\n{\nS(int a) : b_(a), a_{T{a}}, c_{} ", "\nint a_; };"), found(3));
    expect(complaints("auto f() const -> std::string ", ""), found(1));
    expect(complaints("void f()\n{\nif (a) ", "\n}\n"), found(2, 48));
    expect(complaints("struct S\n", ";"), {});
    expect(complaints("namespace a\n", ""), {});
    expect(complaints("SUITE(a, \"b\")\n\nnamespace\n", ""), {});
    expect(complaints("#if f(1) and \\\n g(2)\nnamespace a\n", ""), {});
    expect(complaints("TEST(a, b(\"c\"))\n", ""), found(2));
    expect(long_functions({{"a.cpp", "void f()\n{" + std::string(45, '\n') + "}"}}, {}),
           {"a.cpp:2: a function of 46 lines"});
    expect(complaints("enum class A : int\n", ";"), {});
    expect(complaints("constexpr int values[] = ", ";"), {});
    expect(complaints("void f() { g('{', \"}\", 1'000); } // {\nstruct S\n", ";"), {});
    expect(long_functions({{"a.hpp", "void f() {}\n"}}, {.folders = {}, .headers = {}, .functions = {"a.hpp"}}),
           {"a.hpp keeps its limit: strike it from the list"});
}

BOOST_AUTO_TEST_CASE(a_loose_end_is_found)
{
    auto const mark = std::string{"TO"} + "DO";
    auto const figure = std::string{"in TI"} + "ME";
    auto const path = std::string{"/ho"} + "me/someone/totora";

    expect(loose_ends({{"a.md", "TODOS and mastodons, include/work/a and build/root/b\n"}}), {});
    expect(loose_ends({{"a.md", "\n// " + mark + ": later\n"}}), {"a.md:2: " + mark + " leaves something open"});
    expect(loose_ends({{"a.md", "built " + figure + ", or in TIMEOUTS\n"}}),
           {"a.md:1: " + figure + " leaves something open"});
    expect(loose_ends({{"a.md", "cd " + path + "\n"}}), {"a.md:1: a path of one machine"});
    expect(loose_ends({{"a.md", "-I" + std::string{"\""} + path + "\"\n"}}), {"a.md:1: a path of one machine"});
}

BOOST_AUTO_TEST_CASE(a_version_that_disagrees_with_itself_is_found)
{
    auto const version = [](std::string const& minor) {
        return Tree{{"include/totora/version.hpp", "version_major = 0;\nversion_minor = " + minor +
                                                       ";\nversion_patch = 0;\nversion_string = \"0.1.0\";\n"}};
    };
    expect(versions_that_disagree(version("1")), {});
    expect(versions_that_disagree(version("2")),
           {"include/totora/version.hpp: the numbers are 0.2.0, the string \"0.1.0\""});
    expect(versions_that_disagree({}), {"include/totora/version.hpp is missing"});
}

BOOST_AUTO_TEST_SUITE_END()
BOOST_AUTO_TEST_SUITE_END()
