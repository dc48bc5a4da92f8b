// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "arguments.hpp"

#include "totora/core/values/result.hpp"
#include "totora/data/identity.hpp"
#include "totora/transport/tcp_address.hpp"

#include <utility>

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/address.hpp>
#include <boost/asio/ip/tcp.hpp>

#include <algorithm>
#include <cstdint>
#include <functional>
#include <iterator>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace kv
{

/// Where a server listens, and where others find it: not always the same.
struct Addresses
{
    std::vector<totora::Peer> peers;              ///< All servers of the cluster.
    std::string               listen;             ///< For the other servers: a number and a port.
    std::string               client_listen_host; ///< A number.
    std::uint16_t             client_listen_port = 0;
    std::string               client_host;     ///< Where clients find it.
    std::uint16_t             client_port = 0; ///< 0 for the one that is taken.
    std::string               caution;         ///< A warning, if something may be wrong.

    /// The address that is announced to clients, if `port` was taken for them.
    [[nodiscard]] std::string for_clients(std::uint16_t port) const
    {
        return client_host + ":" + std::to_string(client_port == 0 ? port : client_port);
    }

    [[nodiscard]] totora::Incarnation incarnation_of(totora::ServerId id) const
    {
        for (auto const& peer : peers)
            if (peer.member.id == id)
                return peer.member.incarnation;
        return {};
    }
};

/// The number of the address that a name stands for on this machine; nothing if there is none.
using Resolve = std::function<std::optional<std::string>(std::string const& name)>;

/// Asks the system, and waits for it.
[[nodiscard]] inline std::optional<std::string> resolve_here(std::string const& name)
{
    auto       context = boost::asio::io_context{};
    auto       resolver = boost::asio::ip::tcp::resolver{context};
    auto       failure = boost::system::error_code{};
    auto const found = resolver.resolve(name, "", failure);
    if (failure or found.empty())
        return std::nullopt;
    return found.begin()->endpoint().address().to_string();
}

/// Works out the addresses of a server; the reason if that is not possible.
class AddressPlan
{
public:
    /// `members` are those that the log names; if it names none, the first members are taken.
    AddressPlan(Run const& run, totora::Identity const& identity, Resolve resolve,
                std::vector<totora::Peer> members = {})
        : run_(run), identity_(identity), resolve_(std::move(resolve)), members_(std::move(members))
    {}

    [[nodiscard]] totora::Result<Addresses, std::string> work_out()
    {
        for (auto const find : {&AddressPlan::find_peers, &AddressPlan::find_listen, &AddressPlan::find_clients})
            if (auto what = (this->*find)(); not what.empty())
                return Complaining{std::move(what)};
        return plan_;
    }

private:
    /// Those of the directory, replaced by those in --peer-address. This server may be none of them: it is to be let in, or was removed.
    [[nodiscard]] std::string find_peers()
    {
        plan_.peers = members_.empty() ? identity_.first_members : members_;
        auto const first = totora::address_of(identity_.first_members, identity_.id);
        if (not totora::address_of(plan_.peers, identity_.id))
            plan_.peers.push_back({{identity_.id, identity_.incarnation}, first.value_or("")});
        for (auto const& moved : run_.peer_addresses) {
            auto const known = std::find_if(plan_.peers.begin(), plan_.peers.end(),
                                            [&](auto const& peer) { return peer.member.id == moved.member.id; });
            if (known == plan_.peers.end())
                return "--peer-address names server " + std::to_string(moved.member.id.value) +
                       ", which is not of this cluster";
            known->address = moved.address;
        }
        if (run_.peer_addresses.empty()) // A server may take the place of another one, at its address.
            return {};
        for (auto one = plan_.peers.begin(); one != plan_.peers.end(); ++one)
            for (auto other = std::next(one); other != plan_.peers.end(); ++other)
                if (one->address == other->address)
                    return "with --peer-address, servers " + std::to_string(one->member.id.value) + " and " +
                           std::to_string(other->member.id.value) + " are both at " + one->address;
        return {};
    }

    [[nodiscard]] std::string find_listen()
    {
        auto const address = totora::address_of(plan_.peers, identity_.id);
        auto const own = address ? parse_peer_address(*address) : std::nullopt;
        if (not own or is_any_address(own->host))
            return "the directory has no address where others find this server: give it with --peer-address " +
                   std::to_string(identity_.id.value) + "=HOST:PORT";
        own_host_ = own->host;
        if (not run_.listen.empty()) {
            plan_.listen = run_.listen;
            return {};
        }
        auto const number = number_of(own->host);
        if (not number)
            return "nobody knows the address of '" + own->host +
                   "', where others find this server: give the address to listen on with --listen";
        plan_.listen = joined(*number, own->port);
        if (*number != own->host and is_loopback(*number) and has_other_machines())
            plan_.caution = "its own name '" + own->host + "' is " + *number +
                            " here, where no other machine finds it: give the address to listen on with --listen";
        return {};
    }

    [[nodiscard]] std::string find_clients()
    {
        auto const any = is_any_address(run_.client_host);
        plan_.client_host = run_.client_host.empty() or any ? own_host_ : run_.client_host;
        plan_.client_port = run_.client_port;
        plan_.client_listen_port = run_.client_port;
        if (not run_.client_listen.empty()) {
            auto const listen = totora::parse_address(run_.client_listen);
            plan_.client_listen_host = listen->address().to_string();
            plan_.client_listen_port = listen->port();
            return {};
        }
        auto const number = run_.client_host.empty() ? totora::parse_address(plan_.listen)->address().to_string()
                                                     : number_of(run_.client_host);
        if (not number)
            return "nobody knows the address of '" + run_.client_host +
                   "', where clients find this server: give the address to listen on with --client-listen";
        plan_.client_listen_host = *number;
        return {};
    }

    [[nodiscard]] std::optional<std::string> number_of(std::string const& host) const
    {
        return is_number(host) ? std::optional{host} : resolve_(host);
    }

    [[nodiscard]] static bool is_number(std::string const& host)
    {
        auto failure = boost::system::error_code{};
        static_cast<void>(boost::asio::ip::make_address(host, failure));
        return not failure;
    }

    [[nodiscard]] static bool is_loopback(std::string const& host)
    {
        auto       failure = boost::system::error_code{};
        auto const address = boost::asio::ip::make_address(host, failure);
        return failure ? host == "localhost" : address.is_loopback();
    }

    [[nodiscard]] bool has_other_machines() const
    {
        return std::any_of(plan_.peers.begin(), plan_.peers.end(), [this](auto const& peer) {
            auto const address = parse_peer_address(peer.address);
            return address and address->host != own_host_ and not is_loopback(address->host);
        });
    }

    [[nodiscard]] static std::string joined(std::string const& host, std::string const& port)
    {
        return (host.find(':') == std::string::npos ? host : "[" + host + "]") + ":" + port;
    }

    Run const&                run_;
    totora::Identity const&   identity_;
    Resolve                   resolve_;
    std::vector<totora::Peer> members_;
    Addresses                 plan_;
    std::string               own_host_;
};

} // namespace kv
