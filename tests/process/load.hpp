// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "../../docs/examples/kv/protocol/session.hpp"
#include "process/kv_process.hpp"
#include "process/register_history.hpp"

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <random>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace totora::process
{

/// Clients that write and read until they are stopped, and remember their answers.
///
/// Each writes keys of its own, once each, and reads and writes keys that all share.
class Load
{
public:
    static constexpr auto shared_keys = std::size_t{6};

    Load(std::vector<std::uint16_t> ports, std::size_t clients) : ports_(std::move(ports)), memories_(clients)
    {
        for (auto client = std::size_t{0}; client < clients; ++client)
            threads_.emplace_back([this, client] { run(client); });
    }

    Load(Load const&) = delete;
    Load& operator=(Load const&) = delete;
    ~Load() { stop(); }

    void stop()
    {
        stops_ = true;
        for (auto& thread : threads_)
            if (thread.joinable())
                thread.join();
    }

    [[nodiscard]] std::size_t acknowledged() const { return acknowledged_; }
    [[nodiscard]] std::size_t unknown() const { return unknown_; }

    /// Reads every key back, and returns what is wrong with it or with the answers on the way; nothing if all is
    /// well. After `stop`.
    [[nodiscard]] std::string find_violation()
    {
        auto session = kv::Session{ports_};
        for (auto const& memory : memories_)
            for (auto const& [key, value] : memory.own_writes) {
                auto const reply = session.ask({"GET", key}, patience);
                if (not reply)
                    return "nobody answers";
                if (reply->text != value)
                    return "the acknowledged " + key + "=" + value + " was read as '" + reply->text + "'";
            }

        auto histories = std::map<std::string, std::vector<Operation>>{};
        for (auto const& memory : memories_)
            for (auto const& [key, operation] : memory.operations)
                histories[key].push_back(operation);
        for (auto& [key, history] : histories) {
            auto const began = now();
            auto const reply = session.ask({"GET", key}, patience);
            if (not reply)
                return "nobody answers";
            history.push_back({Operation::Kind::read, reply->text, began, now()});
            if (auto const violation = process::find_violation(history); not violation.empty())
                return key + ": " + violation;
        }
        return {};
    }

private:
    struct Memory
    {
        std::vector<std::pair<std::string, std::string>> own_writes; ///< Acknowledged.
        std::vector<std::pair<std::string, Operation>>   operations; ///< On shared keys.
    };

    [[nodiscard]] static Moment now()
    {
        return std::chrono::duration_cast<std::chrono::nanoseconds>(Clock::now().time_since_epoch()).count();
    }

    void run(std::size_t client)
    {
        auto session = kv::Session{ports_};
        auto random = std::mt19937{static_cast<std::uint32_t>(client)};
        for (auto number = std::size_t{0}; not stops_; ++number) {
            auto const value = std::to_string(client) + "-" + std::to_string(number);
            auto const shared = "shared:" + std::to_string(random() % shared_keys);
            switch (random() % 3) {
            case 0:
                write_own(session, memories_[client], "own:" + value, value);
                break;
            case 1:
                write_shared(session, memories_[client], shared, value);
                break;
            default:
                read_shared(session, memories_[client], shared);
            }
        }
    }

    enum class Outcome
    {
        done,
        not_done, ///< Surely.
        unknown,
    };

    [[nodiscard]] Outcome write(kv::Session& session, std::string const& key, std::string const& value)
    {
        auto const reply = session.ask_once({"SET", key, value});
        auto const is_unknown =
            (not reply and session.was_sent()) or (reply and reply->is_error("ERR outcome unknown"));
        if (reply and reply->text == "OK") {
            ++acknowledged_;
            return Outcome::done;
        }
        if (is_unknown)
            ++unknown_;
        std::this_thread::sleep_for(Milliseconds{2});
        return is_unknown ? Outcome::unknown : Outcome::not_done;
    }

    void write_own(kv::Session& session, Memory& memory, std::string const& key, std::string const& value)
    {
        if (write(session, key, value) == Outcome::done)
            memory.own_writes.emplace_back(key, value);
    }

    void write_shared(kv::Session& session, Memory& memory, std::string const& key, std::string const& value)
    {
        auto const began = now();
        auto const outcome = write(session, key, value);
        if (outcome != Outcome::not_done)
            memory.operations.emplace_back(
                key, Operation{Operation::Kind::write, value, began, outcome == Outcome::done ? now() : never});
    }

    void read_shared(kv::Session& session, Memory& memory, std::string const& key)
    {
        auto const began = now();
        auto const reply = session.ask_once({"GET", key});
        if (reply and not reply->is_error())
            memory.operations.emplace_back(key, Operation{Operation::Kind::read, reply->text, began, now()});
        else
            std::this_thread::sleep_for(Milliseconds{2});
    }

    kv::Ports                ports_;
    std::vector<Memory>      memories_;
    std::atomic<std::size_t> acknowledged_ = 0;
    std::atomic<std::size_t> unknown_ = 0;
    std::atomic<bool>        stops_ = false;
    std::vector<std::thread> threads_;
};

} // namespace totora::process
