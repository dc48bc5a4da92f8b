// SPDX-License-Identifier: BSL-1.0
#include "totora/core/values/fields.hpp"

#include "support/prove.hpp"
#include "totora/core/message.hpp"

#include <array>
#include <optional>
#include <string_view>
#include <vector>

// Each struct lists its fields once, for all that reads or writes them.

namespace totora::test::fields_tests
{
namespace
{

struct All
{
    Term                    term;
    std::optional<ServerId> server;
    std::vector<Run>        runs;
    std::array<Arming, 2>   armings{};
    bool                    flag = false;

    static constexpr void visit_fields(auto& self, auto&& visit)
    {
        visit("term", self.term);
        visit("server", self.server);
        visit("runs", self.runs);
        visit("armings", self.armings);
        visit("flag", self.flag);
    }
};

struct Forgetful
{
    Term                    term;
    std::optional<ServerId> server;

    static constexpr void visit_fields(auto& self, auto&& visit) { visit("term", self.term); }
};

/// As many fields as there are, and not all of them.
struct Repetitive
{
    Term  term;
    Index index;
    Round round;

    static constexpr void visit_fields(auto& self, auto&& visit)
    {
        visit("term", self.term);
        visit("index", self.index);
        visit("index", self.index);
    }
};

/// Lists its fields, but not its base, which does.
struct Derived : LogPosition
{
    bool flag = false;

    static constexpr void visit_fields(auto& self, auto&& visit) { visit("flag", self.flag); }
};

/// Has the list of its base alone, and as many fields as that.
struct Inheriting : LogPosition
{
    bool flag = false;
};

struct Complete : LogPosition
{
    bool flag = false;

    static constexpr void visit_fields(auto& self, auto&& visit)
    {
        visit("position", base_of<LogPosition>(self));
        visit("flag", self.flag);
    }
};

constexpr auto a_list_of_fields_names_each_of_them_once = [] {
    require(lists_its_fields<All>(), "whatever their types are");
    require(not lists_its_fields<Forgetful>(), "a field that is left out is missed");
    require(not lists_its_fields<Repetitive>(), "a field that stands for another is noticed");
    require(lists_its_fields<Complete>(), "a base is the first field");
    require(not lists_its_fields<Derived>(), "a base that is left out is missed");
    require(not lists_its_fields<Inheriting>(), "fields beside those of the base are missed");
};
TOTORA_PROVE(a_list_of_fields_names_each_of_them_once, "fields");

constexpr auto fields_are_visited_in_order_with_their_names = [] {
    auto names = std::array<std::string_view, 3>{};
    auto numbers = std::array<std::uint64_t, 3>{};
    auto count = std::size_t{0};
    auto run = Run{Term{4}, Index{5}, 6};
    Run::visit_fields(run, [&]<typename T>(char const* name, T& field) {
        names[count] = name;
        if constexpr (strong_number<T>)
            numbers[count++] = field.value++;
        else
            numbers[count++] = field++;
    });
    require(names == std::array<std::string_view, 3>{"term", "first", "count"}, "by name");
    require(numbers == std::array<std::uint64_t, 3>{4, 5, 6}, "in order of declaration");
    require(run == Run{Term{5}, Index{6}, 7}, "and can be changed");
};
TOTORA_PROVE(fields_are_visited_in_order_with_their_names, "fields");

static_assert(has_fields<AppendEntries> and has_fields<Run const> and not has_fields<Term> and not has_fields<bool>);

} // namespace
} // namespace totora::test::fields_tests
