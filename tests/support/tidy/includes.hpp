// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "tree.hpp"

#include <algorithm>
#include <array>
#include <map>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <vector>

/// The include matrix of the house: which area of include/totora/ may include what.
namespace totora::tidy
{

/// A row of the matrix. "values only" is the standard library's headers of plain values.
struct MayInclude
{
    enum class Standard
    {
        values_only,
        no_iostream,
        everything,
    };

    std::string_view              area;
    Standard                      standard;
    bool                          ranges;
    bool                          posix;
    std::vector<std::string_view> areas;
};

inline auto const include_matrix = std::vector<MayInclude>{
    {"core", MayInclude::Standard::values_only, false, false, {"core"}},
    {"data", MayInclude::Standard::values_only, false, false, {"core", "data"}},
    {"policy", MayInclude::Standard::values_only, false, false, {"core", "data", "policy"}},
    {"wire", MayInclude::Standard::values_only, false, false, {"core", "data", "policy", "wire"}},
    {"node", MayInclude::Standard::no_iostream, false, false, {"core", "data", "policy", "node"}},
    {"log", MayInclude::Standard::no_iostream, false, true, {"core", "data", "policy", "log"}},
    {"clock", MayInclude::Standard::no_iostream, false, true, {"core", "data", "policy", "clock"}},
    {"transport", MayInclude::Standard::no_iostream, false, false, {"core", "data", "policy", "wire", "transport"}},
    {"testing",
     MayInclude::Standard::everything,
     true,
     false,
     {"core", "data", "policy", "wire", "node", "log", "transport", "clock", "testing"}},
};

/// These name no area's ideas, so that every area may include them.
inline constexpr auto for_everyone = std::to_array<std::string_view>({"totora/fwd.hpp", "totora/version.hpp"});

/// Only the transport over TCP, tcp.hpp and its parts, may include Boost, and of it only Asio with its error codes.
inline constexpr std::string_view boost_headers = "totora/transport/tcp";

inline constexpr auto value_headers = std::to_array<std::string_view>({
    "algorithm", "array",   "bit",         "compare",   "concepts",
    "cstddef",   "cstdint", "cstring",     "exception", "initializer_list",
    "iterator",  "limits",  "memory",      "numeric",   "optional",
    "span",      "string",  "string_view", "tuple",     "type_traits",
    "utility",   "variant", "vector",      "version",
});

inline constexpr auto stream_headers = std::to_array<std::string_view>({
    "fstream",
    "iomanip",
    "ios",
    "iosfwd",
    "iostream",
    "istream",
    "ostream",
    "sstream",
    "streambuf",
    "syncstream",
});

/// C's own headers under their C++ names and the rest of the standard library are what has no dot and no slash.
[[nodiscard]] inline bool is_standard(std::string_view include)
{
    return include.find_first_of("./") == std::string_view::npos;
}

template <std::size_t count>
[[nodiscard]] bool is_one_of(std::array<std::string_view, count> const& list, std::string_view word)
{
    return std::ranges::find(list, word) != list.end();
}

struct Include
{
    std::string what;
    int         line = 0;
};

/// The includes of a file, quoted ones made into their full name.
[[nodiscard]] inline std::vector<Include> includes_of(File const& file)
{
    auto found = std::vector<Include>{};
    for_each_line(file.text, [&](std::string_view line, int number) {
        auto const skip_blanks = [&] { line.remove_prefix(std::min(line.find_first_not_of(" \t"), line.size())); };
        skip_blanks();
        if (not line.starts_with('#'))
            return;
        line.remove_prefix(1);
        skip_blanks();
        if (not line.starts_with("include"))
            return;
        line.remove_prefix(7);
        skip_blanks();
        if (line.empty() or (line.front() != '<' and line.front() != '"'))
            return;
        auto const closing = line.front() == '<' ? '>' : '"';
        auto       what = std::string{line.substr(1, line.find(closing, 1) - 1)};
        if (closing == '"' and not what.starts_with("totora/")) {
            auto const folder = std::filesystem::path{file.path}.parent_path();
            what = (folder / what).lexically_normal().generic_string();
            if (what.starts_with("include/"))
                what.erase(0, std::string_view{"include/"}.size());
        }
        found.push_back({what, number});
    });
    return found;
}

/// "core" of `totora/core/step.hpp`; empty for a header at the top.
[[nodiscard]] inline std::string_view area_of(std::string_view header)
{
    header.remove_prefix(std::string_view{"totora/"}.size());
    auto const slash = header.find('/');
    return slash == std::string_view::npos ? std::string_view{} : header.substr(0, slash);
}

[[nodiscard]] inline bool may_include(MayInclude const& row, std::string_view header, std::string_view what)
{
    if (what.starts_with("totora/"))
        return is_one_of(for_everyone, what) or std::ranges::find(row.areas, area_of(what)) != row.areas.end();
    if (what.starts_with("boost/asio/") or what.starts_with("boost/system/"))
        return header.starts_with(boost_headers);
    if (what.starts_with("range/v3/") and what != "range/v3/all.hpp")
        return row.ranges;
    if (not is_standard(what))
        return row.posix and what.ends_with(".h") and not what.starts_with("boost/");
    switch (row.standard) {
    case MayInclude::Standard::values_only:
        return is_one_of(value_headers, what);
    case MayInclude::Standard::no_iostream:
        return not is_one_of(stream_headers, what);
    case MayInclude::Standard::everything:
        return true;
    }
    return false;
}

/// The matrix, for every header in an area.
[[nodiscard]] inline Complaints broken_includes(Tree const& tree)
{
    auto complaints = Complaints{};
    for (auto const& file : tree) {
        if (not is_header(file) or not file.path.starts_with("include/totora/"))
            continue;
        auto const header = std::string_view{file.path}.substr(std::string_view{"include/"}.size());
        auto const area = area_of(header);
        if (area.empty())
            continue;
        auto const row = std::ranges::find(include_matrix, area, &MayInclude::area);
        if (row == include_matrix.end()) {
            complaints.push_back(file.path + " stands in an area that the include matrix does not know");
            continue;
        }
        for (auto const& [what, line] : includes_of(file))
            if (not may_include(*row, header, what))
                complaints.push_back(place(file, line) + ": " + std::string{area} + " may not include " + what);
    }
    return complaints;
}

/// What totora/totora.hpp pulls in, through all of our headers: neither Boost nor streams.
[[nodiscard]] inline Complaints heavy_includes(Tree const& tree)
{
    auto by_name = std::map<std::string, File const*>{};
    for (auto const& file : tree)
        if (file.path.starts_with("include/"))
            by_name.emplace(file.path.substr(std::string_view{"include/"}.size()), &file);

    auto complaints = Complaints{};
    auto seen = std::set<std::string>{"totora/totora.hpp"};
    auto waiting = std::vector<std::string>{"totora/totora.hpp"};
    while (not waiting.empty()) {
        auto const found = by_name.find(waiting.back());
        waiting.pop_back();
        if (found == by_name.end())
            continue;
        for (auto const& [what, line] : includes_of(*found->second)) {
            if (what.starts_with("boost/") or is_one_of(stream_headers, what))
                complaints.push_back(place(*found->second, line) + ": totora/totora.hpp pulls in " + what);
            if (what.starts_with("totora/") and seen.insert(what).second)
                waiting.push_back(what);
        }
    }
    return complaints;
}

} // namespace totora::tidy
