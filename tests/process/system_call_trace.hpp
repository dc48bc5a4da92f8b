// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <charconv>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace totora::process
{

/// A system call that `strace -f -y -xx` wrote down.
struct SystemCall
{
    std::string  name;
    int          descriptor = -1;
    std::string  file;              ///< What the descriptor stands for: a path, or "socket:[...]".
    std::string  bytes;             ///< Of all its buffers, as far as they were written down.
    bool         is_cut = false;    ///< A buffer was longer than that.
    std::int64_t last_argument = 0; ///< The offset of a pwrite.
    std::int64_t result = -1;       ///< Known when it has ended.
};

/// The words in front of a program whose calls are to be written to a file: those that make something durable, those
/// that send something to others, and `close`, after which a descriptor means something else.
[[nodiscard]] inline std::vector<std::string> strace_words(std::filesystem::path const& file)
{
    return {
        "strace", "-f",
        "-y",     "-xx",
        "-s",     "8192",
        "-o",     file.string(),
        "-e",     "trace=pwrite64,pwritev,pwritev2,fdatasync,fsync,sync_file_range,sendto,sendmsg,write,writev,close"};
}

/// Reads what strace wrote. `began` and `ended` are called in the order in which the kernel was entered and left:
/// a call may end after others have begun, on other threads.
class SystemCallTrace
{
public:
    template <typename Began, typename Ended>
    void read(std::istream& lines, Began began, Ended ended)
    {
        for (auto line = std::string{}; std::getline(lines, line);) {
            auto       rest = std::string_view{line};
            auto const thread = std::string{rest.substr(0, rest.find(' '))};
            rest.remove_prefix(thread.size());
            rest.remove_prefix(std::min(rest.find_first_not_of(' '), rest.size()));
            if (rest.starts_with("+++") or rest.starts_with("---"))
                continue;
            auto const is_resumed = rest.starts_with("<... ");
            auto const is_unfinished = rest.ends_with("<unfinished ...>");
            if (not is_resumed) {
                auto call = parse(rest);
                began(call);
                running_[thread] = std::move(call);
            }
            if (is_unfinished)
                continue;
            auto const running = running_.find(thread);
            if (running == running_.end())
                continue;
            auto call = std::move(running->second);
            running_.erase(running);
            auto const equals = rest.rfind(" = ");
            if (equals != std::string_view::npos)
                call.result = number(rest.substr(equals + 3));
            ended(call);
        }
    }

private:
    [[nodiscard]] static std::int64_t number(std::string_view text)
    {
        auto value = std::int64_t{-1};
        std::from_chars(text.data(), text.data() + text.size(), value);
        return value;
    }

    [[nodiscard]] static SystemCall parse(std::string_view text)
    {
        auto       call = SystemCall{};
        auto const opening = text.find('(');
        call.name = text.substr(0, opening);
        text.remove_prefix(std::min(opening, text.size() - 1) + 1);
        call.descriptor = static_cast<int>(number(text));
        if (auto const mark = text.find_first_not_of("0123456789"); mark < text.size() and text[mark] == '<')
            call.file = unescaped(text.substr(mark + 1, text.find('>') - mark - 1));

        auto after = std::size_t{0};
        for (auto quote = text.find('"'); quote != std::string_view::npos; quote = text.find('"', after)) {
            auto const closing = text.find('"', quote + 1);
            if (closing == std::string_view::npos)
                break;
            call.bytes += unescaped(text.substr(quote + 1, closing - quote - 1));
            after = closing + 1;
            call.is_cut = call.is_cut or text.substr(after).starts_with("...");
        }
        auto       arguments = text.substr(after);
        auto const end = arguments.find_first_of(")<");
        arguments = arguments.substr(0, end);
        if (auto const comma = arguments.rfind(", "); comma != std::string_view::npos)
            call.last_argument = number(arguments.substr(comma + 2));
        return call;
    }

    /// What -xx writes: "\x" and two digits for each byte; anything else stands for itself.
    [[nodiscard]] static std::string unescaped(std::string_view text)
    {
        auto bytes = std::string{};
        for (auto at = std::size_t{0}; at < text.size();) {
            auto const is_escape = text.substr(at).starts_with("\\x") and at + 4 <= text.size();
            auto       value = static_cast<unsigned char>(text[at]);
            if (is_escape)
                std::from_chars(text.data() + at + 2, text.data() + at + 4, value, 16);
            bytes.push_back(static_cast<char>(value));
            at += is_escape ? 4 : 1;
        }
        return bytes;
    }

    std::map<std::string, SystemCall> running_; ///< By thread: a call that has begun.
};

} // namespace totora::process
