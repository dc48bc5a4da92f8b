// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "tree.hpp"

#include <algorithm>
#include <array>
#include <cctype>
#include <cstddef>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

/// How large a house can grow before it is divided: files in a folder of headers, lines of a header, lines of a function.
namespace totora::tidy
{

inline constexpr std::size_t headers_in_folder_max = 25;
inline constexpr int         header_lines_max = 300;
inline constexpr int         function_lines_max = 45;

/// What is larger today. These lists shrink to nothing: what keeps its limit and is still named here is a complaint, too.
struct NotYet
{
    std::vector<std::string_view> folders;
    std::vector<std::string_view> headers;
    std::vector<std::string_view> functions; ///< Files that have a function that is too long.
};

[[nodiscard]] inline int lines_of(std::string_view text) { return static_cast<int>(std::ranges::count(text, '\n')); }

/// Where the directive of the preprocessor ends that begins here, with the lines that continue it; nowhere if none does.
[[nodiscard]] inline std::size_t end_of_directive(std::string_view text, std::size_t at)
{
    auto const line = text.substr(0, at).find_last_of('\n') + 1; // Of npos: 0.
    if (text[at] != '#' or text.substr(line, at - line).find_first_not_of(" \t") != std::string_view::npos)
        return std::string_view::npos;
    auto end = text.find('\n', at);
    while (end != std::string_view::npos and text[end - 1] == '\\')
        end = text.find('\n', end + 1);
    return std::min(end, text.size());
}

/// A source without what could hold a brace that is none: comments, literals and directives become blanks, lines stay lines.
[[nodiscard]] inline std::string code_of(std::string_view text)
{
    auto code = std::string{text};
    auto blank = [&](std::size_t from, std::size_t to) {
        for (auto at = from; at < std::min(to, code.size()); ++at)
            if (code[at] != '\n')
                code[at] = ' ';
    };
    for (auto at = std::size_t{0}; at < text.size(); ++at) {
        auto end = at;
        if (text.substr(at).starts_with("//")) {
            end = std::min(text.find('\n', at), text.size());
        } else if (auto const directive = end_of_directive(text, at); directive != std::string_view::npos) {
            end = directive;
        } else if (text.substr(at).starts_with("R\"(")) {
            end = std::min(text.find(")\"", at), text.size() - 2) + 2;
        } else if (text[at] == '"' or
                   (text[at] == '\'' and (at == 0 or std::isxdigit(static_cast<unsigned char>(text[at - 1])) == 0))) {
            end = at + 1;
            while (end < text.size() and text[end] != text[at] and text[end] != '\n')
                end += text[end] == '\\' ? 2U : 1U;
            ++end;
        }
        blank(at, end);
        at = std::max(at + 1, end) - 1;
    }
    return code;
}

/// What follows the brackets that a text begins with.
[[nodiscard]] inline std::string_view after_brackets(std::string_view text, char open, char close)
{
    auto depth = 0;
    auto at = std::size_t{0};
    do
        depth += text[at] == open ? 1 : text[at] == close ? -1 : 0;
    while (++at < text.size() and depth > 0);
    return text.substr(at);
}

/// Whether the text before a brace opens a type or a namespace rather than a function.
[[nodiscard]] inline bool opens_scope(std::string_view head)
{
    auto first = std::string_view{};
    while (not head.empty()) { // The first word that is no specifier and no macro, after the parameters of a template.
        auto const begin = head.find_first_not_of(" \t\n");
        if (begin == std::string_view::npos)
            return false;
        head.remove_prefix(begin);
        if (head.front() == '<') {
            head = after_brackets(head, '<', '>');
            continue;
        }
        auto const end = std::min(head.find_first_of(" \t\n<("), head.size());
        first = head.substr(0, end);
        head.remove_prefix(end);
        if (head.starts_with('(')) {
            head = after_brackets(head, '(', ')');
            continue;
        }
        if (first != "template" and first != "inline" and first != "static" and first != "typedef" and
            first != "export")
            break;
    }
    constexpr auto scopes =
        std::to_array<std::string_view>({"namespace", "class", "struct", "union", "enum", "extern"});
    return std::ranges::find(scopes, first) != scopes.end();
}

/// Whether the text before a brace ends as the head of a function does, also of one that initializes members.
[[nodiscard]] inline bool opens_function(std::string_view head)
{
    auto const has_parameters = head.find(')') != std::string_view::npos;
    auto const last = head.find_last_not_of(" \t\n");
    auto const is_lambda = last != std::string_view::npos and head[last] == ']'; // One without parameters.
    return (has_parameters or is_lambda) and head.find("concept ") == std::string_view::npos and not opens_scope(head);
}

/// Whether the text before a brace ends within the list in which a constructor initializes its members: `A(int a) : a_`.
[[nodiscard]] inline bool initializes_member(std::string_view head)
{
    constexpr std::string_view blanks = " \t\n";
    auto const                 last = head.find_last_not_of(blanks);
    if (last == std::string_view::npos)
        return false;
    if (std::isalnum(static_cast<unsigned char>(head[last])) == 0 and head[last] != '_')
        return false;
    for (auto at = head.find(')'); at != std::string_view::npos; at = head.find(')', at + 1)) {
        auto const next = head.find_first_not_of(blanks, at + 1);
        if (next != std::string_view::npos and head[next] == ':' and not head.substr(next).starts_with("::"))
            return true;
    }
    return false;
}

struct FunctionSize
{
    int line = 0; ///< Of its opening brace.
    int lines = 0;
};

/// The functions of a source, the outermost ones: what is in a function is part of it.
[[nodiscard]] inline std::vector<FunctionSize> functions_of(std::string_view text)
{
    auto const code = code_of(text);
    auto       functions = std::vector<FunctionSize>{};
    auto       head = std::size_t{0}; // Where what precedes the next brace begins.
    auto       line = 1;
    auto       depth = 0;
    auto       function_depth = 0; // At which the present function began; 0 outside of functions.
    auto       member_depth = 0;   // At which a member is initialized; 0 otherwise.
    for (auto at = std::size_t{0}; at < code.size(); ++at) {
        auto const letter = code[at];
        line += letter == '\n' ? 1 : 0;
        if (letter == '{') {
            ++depth;
            auto const before = std::string_view{code}.substr(head, at - head);
            if (function_depth == 0 and member_depth == 0 and initializes_member(before))
                member_depth = depth;
            else if (function_depth == 0 and member_depth == 0 and opens_function(before)) {
                function_depth = depth;
                functions.push_back({line, 0});
            }
        }
        auto const in_member = member_depth != 0; // Then the head goes on.
        if (letter == '}') {
            if (depth == function_depth) {
                functions.back().lines = line - functions.back().line + 1;
                function_depth = 0;
            }
            if (depth == member_depth)
                member_depth = 0;
            --depth;
        }
        if (not in_member and (letter == '{' or letter == '}' or letter == ';'))
            head = at + 1;
    }
    return functions;
}

/// Reports what is above its limit and not listed, and what is listed and not above it.
[[nodiscard]] inline Complaints
above_limits(std::map<std::string, std::vector<std::string>> const& above, std::vector<std::string_view> const& not_yet)
{
    auto complaints = Complaints{};
    for (auto const& [path, lines] : above)
        if (std::ranges::find(not_yet, path) == not_yet.end())
            complaints.insert(complaints.end(), lines.begin(), lines.end());
    for (auto const path : not_yet)
        if (not above.contains(std::string{path}))
            complaints.push_back(std::string{path} + " keeps its limit: strike it from the list");
    return complaints;
}

[[nodiscard]] inline Complaints crowded_folders(Tree const& tree, NotYet const& not_yet)
{
    auto count = std::map<std::string, std::size_t>{};
    for (auto const& file : tree)
        if (is_header(file))
            ++count[file.path.substr(0, file.path.find_last_of('/') + 1)];
    auto above = std::map<std::string, std::vector<std::string>>{};
    for (auto const& [folder, headers] : count)
        if (headers > headers_in_folder_max)
            above[folder].push_back(folder + " has " + std::to_string(headers) + " headers");
    return above_limits(above, not_yet.folders);
}

[[nodiscard]] inline Complaints long_headers(Tree const& tree, NotYet const& not_yet)
{
    auto above = std::map<std::string, std::vector<std::string>>{};
    for (auto const& file : tree)
        if (auto const lines = lines_of(file.text); is_header(file) and lines > header_lines_max)
            above[file.path].push_back(file.path + " has " + std::to_string(lines) + " lines");
    return above_limits(above, not_yet.headers);
}

[[nodiscard]] inline Complaints long_functions(Tree const& tree, NotYet const& not_yet)
{
    auto above = std::map<std::string, std::vector<std::string>>{};
    for (auto const& file : tree)
        if (is_cxx(file))
            for (auto const& [line, lines] : functions_of(file.text))
                if (lines > function_lines_max)
                    above[file.path].push_back(place(file, line) + ": a function of " + std::to_string(lines) +
                                               " lines");
    return above_limits(above, not_yet.functions);
}

} // namespace totora::tidy
