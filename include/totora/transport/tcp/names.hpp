// SPDX-License-Identifier: BSL-1.0
#pragma once

// Boost 1.74's Asio uses std::exchange without including it.
#include <utility>

#include "totora/data/attempt.hpp"
#include "totora/transport/tcp_settings.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/system/error_code.hpp>

#include <atomic>
#include <cstddef>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>

namespace totora::inline v0
{

/// Queries the system's resolver. May block as long as name servers do not respond.
[[nodiscard]] inline FoundAddresses ask_system_for(std::string const& host)
{
    auto       context = boost::asio::io_context{};
    auto       resolver = boost::asio::ip::tcp::resolver{context};
    auto       error = boost::system::error_code{};
    auto const results = resolver.resolve(host, "", error);
    auto       found = FoundAddresses{};
    for (auto const& result : results)
        found.addresses.push_back(result.endpoint().address().to_string());
    if (found.addresses.empty())
        found.failure = error ? error.message() : "the name has no address";
    return found;
}

/// One lookup of a name's addresses, on a separate thread: name servers that do not respond delay neither other lookups
/// nor the end of the process. Asio's resolver has one thread for all lookups, and its context waits for it.
class NameLookup
{
public:
    /// What was found, once; nothing before there is a result.
    [[nodiscard]] std::optional<FoundAddresses> take()
    {
        auto const lock = std::lock_guard{mutex_};
        return std::exchange(found_, std::nullopt);
    }

private:
    friend class NameLookups;

    void give(FoundAddresses found)
    {
        auto const lock = std::lock_guard{mutex_};
        found_ = std::move(found);
    }

    std::mutex                    mutex_;
    std::optional<FoundAddresses> found_;
};

/// The lookups of one transport. Their threads own what they need, and outlive it if name servers do not respond.
class NameLookups
{
public:
    /// Called on a thread for each lookup, several at a time, and possibly after the transport's end.
    using Ask = decltype(TcpSettings::find_addresses);

    /// The most threads at a time: an address that changes during its lookup abandons the lookup's thread.
    static constexpr int running_max = 64;

    explicit NameLookups(Ask ask) : ask_(ask ? std::move(ask) : Ask{ask_system_for}) {}

    /// Begins a lookup; null if there can be no thread for it now.
    [[nodiscard]] std::shared_ptr<NameLookup> begin(std::string const& host)
    {
        if (running_->load() >= running_max)
            return nullptr;
        auto       lookup = std::shared_ptr<NameLookup>{};
        auto const failure = attempt("a thread", [&] {
            lookup = std::make_shared<NameLookup>();
            auto work = [ask = ask_, host, lookup, running = std::make_shared<Running>(running_)] {
                auto const thrown = attempt("the resolver", [&] { lookup->give(ask(host)); });
                if (thrown)
                    static_cast<void>(attempt("the resolver", [&] { lookup->give({{}, *thrown}); }));
            };
            std::thread{std::move(work)}.detach();
        });
        return failure ? nullptr : lookup;
    }

private:
    using Count = std::shared_ptr<std::atomic<int>>;

    /// Counts a thread while it runs.
    class Running
    {
    public:
        explicit Running(Count count) : count_(std::move(count)) { ++*count_; }
        Running(Running const&) = delete;
        Running& operator=(Running const&) = delete;
        ~Running() { --*count_; }

    private:
        Count count_;
    };

    Ask   ask_;
    Count running_ = std::make_shared<std::atomic<int>>(0);
};

} // namespace totora::inline v0
