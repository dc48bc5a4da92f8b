// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "../../docs/examples/kv/protocol/session.hpp"
#include "process/kv_process.hpp"

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace totora::process
{

/// Real kv processes on this machine, one cluster. Servers are counted from 0 here, their ids from 1.
class KvCluster
{
public:
    explicit KvCluster(std::size_t servers, std::string name = "tested") : name_(std::move(name)), processes_(servers)
    {
        for (auto server = std::size_t{0}; server < servers; ++server) {
            client_ports_.push_back(free_port());
            peer_ports_.push_back(free_port());
            peers_ += (server == 0 ? "" : ",") + std::to_string(server + 1) +
                      "=127.0.0.1:" + std::to_string(peer_ports_.back());
        }
        for (auto server = std::size_t{0}; server < servers; ++server) {
            auto const made = run_kv(init_words(server));
            BOOST_REQUIRE_MESSAGE(made.exit_code == 0, made.errors);
        }
    }

    /// Makes the directory of one more server, which is to be let in. The first ones run.
    std::size_t make_joiner()
    {
        auto const server = size();
        client_ports_.push_back(free_port());
        peer_ports_.push_back(free_port());
        processes_.emplace_back();
        require_joiner(server);
        return server;
    }

    /// Makes the directory of a server that is to be let in, under an id that there was.
    void require_joiner(std::size_t server) const
    {
        auto const made = run_kv(join_words(server));
        BOOST_REQUIRE_MESSAGE(made.exit_code == 0, made.errors);
    }

    ~KvCluster()
    {
        if (std::uncaught_exceptions() > 0)
            for (auto server = std::size_t{0}; server < processes_.size(); ++server)
                BOOST_TEST_MESSAGE("server " << server + 1 << " printed:\n" << printed(server));
    }

    KvCluster(KvCluster const&) = delete;
    KvCluster& operator=(KvCluster const&) = delete;

    [[nodiscard]] std::size_t           size() const { return processes_.size(); }
    [[nodiscard]] std::filesystem::path directory(std::size_t server) const
    {
        return files_.path() / std::to_string(server + 1);
    }
    [[nodiscard]] std::filesystem::path files() const { return files_.path(); }
    [[nodiscard]] std::uint16_t         client_port(std::size_t server) const { return client_ports_[server]; }
    [[nodiscard]] std::vector<std::uint16_t> const& client_ports() const { return client_ports_; }
    [[nodiscard]] std::uint16_t                     peer_port(std::size_t server) const { return peer_ports_[server]; }
    [[nodiscard]] std::string const&                peers() const { return peers_; }
    [[nodiscard]] Process&                          process(std::size_t server) { return processes_[server]; }

    [[nodiscard]] std::vector<std::string> init_words(std::size_t server) const
    {
        return {"init",
                "--cluster",
                name_,
                "--id",
                std::to_string(server + 1),
                "--peers",
                peers_,
                "--dir",
                directory(server).string()};
    }

    [[nodiscard]] std::vector<std::string> join_words(std::size_t server) const
    {
        return {"init",         "--join",
                "--cluster-id", info(await_leader(), "raft_cluster_id"),
                "--id",         std::to_string(server + 1),
                "--dir",        directory(server).string()};
    }

    [[nodiscard]] std::string peer_address(std::size_t server) const
    {
        return "127.0.0.1:" + std::to_string(peer_ports_[server]);
    }

    /// What a server is started with that is to be let in.
    [[nodiscard]] std::vector<std::string> joiner_options(std::size_t server) const
    {
        return {"--peer-address", std::to_string(server + 1) + "=" + peer_address(server)};
    }

    [[nodiscard]] std::vector<std::string> run_words(std::size_t server) const
    {
        auto const port = std::to_string(client_ports_[server]);
        return {
            "run", "--segment-mib", std::to_string(segment_mib), "--dir", directory(server).string(), "--client-port",
            port};
    }

    /// Starts one server; `before` are words in front of the command (strace), `options` those of kv.
    void
    start(std::size_t server, std::vector<std::string> const& before = {}, std::vector<std::string> const& options = {})
    {
        auto       command = before;
        auto const words = run_words(server);
        command.push_back(TOTORA_KV);
        command.insert(command.end(), words.begin(), words.end());
        command.insert(command.end(), options.begin(), options.end());
        processes_[server] = Process{command, output_file(server), output_file(server)};
    }

    void start_all(std::vector<std::string> const& options = {})
    {
        for (auto server = std::size_t{0}; server < size(); ++server)
            start(server, {}, options);
    }

    /// All that a server has printed so far, over all its starts.
    [[nodiscard]] std::string printed(std::size_t server) const { return content_of(output_file(server)); }

    /// A field of a server's INFO; empty if it does not answer.
    [[nodiscard]] std::string info(std::size_t server, std::string_view field) const
    {
        auto client = kv::Client::connect(client_ports_[server], Milliseconds{1'000});
        auto reply = client ? client->ask({"INFO"}) : std::nullopt;
        return reply ? std::string{kv::info_field(reply->text, field)} : std::string{};
    }

    [[nodiscard]] std::size_t number(std::size_t server, std::string_view field) const
    {
        return static_cast<std::size_t>(kv::parse_integer(info(server, field)).value_or(0));
    }

    /// The server that leads in the latest term, as far as those that answer know.
    [[nodiscard]] std::optional<std::size_t> leader() const
    {
        auto leader = std::optional<std::size_t>{};
        auto term = std::size_t{0};
        for (auto server = std::size_t{0}; server < size(); ++server)
            if (processes_[server].is_running() and info(server, "raft_role") == "leader" and
                number(server, "raft_term") >= term) {
                leader = server;
                term = number(server, "raft_term");
            }
        return leader;
    }

    /// Waits until a leader has announced itself to its clients.
    [[nodiscard]] std::size_t await_leader() const
    {
        auto       found = std::optional<std::size_t>{};
        auto const leads = [&] {
            found = leader();
            return found and not info(*found, "leader_client_address").empty() and info(*found, "loading") == "0";
        };
        BOOST_REQUIRE_MESSAGE(eventually(leads), "a leader is elected in time");
        return *found;
    }

    /// Waits until every server that runs has applied what the leader has committed by now.
    void await_equality() const
    {
        auto const committed = number(await_leader(), "raft_commit");
        for (auto server = std::size_t{0}; server < size(); ++server)
            if (processes_[server].is_running())
                BOOST_REQUIRE_MESSAGE(eventually([&] { return number(server, "raft_applied") >= committed; }),
                                      "server " << server + 1 << " catches up in time");
    }

    std::size_t segment_mib = 2; ///< Small files, so that the log has many.

private:
    [[nodiscard]] std::filesystem::path output_file(std::size_t server) const
    {
        return files_.path() / (std::to_string(server + 1) + ".printed");
    }

    TemporaryDirectory         files_;
    std::string                name_;
    std::string                peers_;
    std::vector<std::uint16_t> client_ports_;
    std::vector<std::uint16_t> peer_ports_;
    std::vector<Process>       processes_;
};

} // namespace totora::process
