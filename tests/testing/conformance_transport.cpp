// SPDX-License-Identifier: BSL-1.0
#include "totora/testing/conformance/transport.hpp"

#include "support/tcp.hpp"
#include "totora/testing/conformance/sample_entries.hpp"
#include "totora/transport/loopback.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <exception>
#include <functional>
#include <future>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace totora::test::conformance_transport_tests
{

using namespace totora::conformance;

namespace
{

/// What can be wrong with a transport.
enum class Fault
{
    none,
    corrupts,
    forgets_a_field,
    invents_senders,
    delivers_to_all,
    alters_entries,
    loses_everything,
    loses_answers_to_entries,
    loses_what_is_large,
    loses_what_is_many,
    claims_to_carry_more,
    waits,
    never_returns_from_send,
    never_returns_from_receive,
    throws,
    throws_at_an_address,
    throws_at_whom_it_does_not_know,
    narrows_numbers,
    narrows_incarnations,
    wakes_once,
    repeats_without_end,
    accepts_other_incarnations,
    sends_to_other_incarnations,
    stays_with_the_first_incarnation,
    stays_with_the_first_address,
    learns_who_is_meant_from_requests,
    stays_full,
    reuses_memory,
    keeps_bytes_without_a_pin,
    keeps_a_reference_to_the_message,
    lets_damage_pass,
    does_not_wake,
    wakes_whom_it_should_not,
    does_not_count_bytes,
    counts_down,
    is_lost_when_renewed,
    is_lost_when_removed,
    accepts_other_clusters,
};

/// Passes only while a call waits that should not.
auto waited = std::chrono::milliseconds{0};

CallLimit by_what_was_waited()
{
    auto limit = CallLimit{};
    limit.now = [] { return waited; };
    return limit;
}

/// For what never returns: any limit will do.
CallLimit short_for_any_machine()
{
    auto limit = CallLimit{};
    limit.most = std::chrono::milliseconds{200};
    return limit;
}

/// Does not return; what waits here stays until the process ends.
[[noreturn]] void never_return()
{
    static auto* const never = new std::promise<void>{}; // What waits for it outlives all that is destroyed at the end.
    static auto const  kept = never->get_future().share();
    kept.wait();
    std::terminate();
}

/// The end of a loopback network, with one fault.
class Faulty
{
public:
    Faulty(Fault fault, LoopbackNetwork& network, ServerId id)
        : fault_(fault), end_(network.join(id, first_incarnation)), id_(id)
    {}

    void update(ServerId server, Incarnation incarnation, std::string_view address)
    {
        if (fault_ == Fault::throws_at_an_address and address.size() > 100)
            throw std::length_error("too long");
        if (fault_ == Fault::accepts_other_incarnations and incarnation != first_incarnation)
            return;
        if (fault_ == Fault::stays_with_the_first_incarnation and incarnation != first_incarnation)
            is_other_life_ = true;
        if (fault_ == Fault::stays_with_the_first_address and address.size() > 100)
            is_elsewhere_ = true;
        if (fault_ == Fault::narrows_incarnations)
            incarnation = Incarnation{incarnation.value % (std::uint64_t{1} << 32U)};
        incarnation_[server] = incarnation;
        end_.update(server, incarnation, address);
    }

    void send(Released const& message, Entries const& entries)
    {
        auto const* const append = std::get_if<AppendEntries>(&message.rpc());
        if (append != nullptr and append->number != AppendNumber{})
            bytes_taken_ += fault_ == Fault::counts_down ? std::uint64_t{} - entries.bytes() : entries.bytes();
        if (fault_ == Fault::loses_everything or
            (fault_ == Fault::stays_with_the_first_incarnation and is_other_life_) or
            (fault_ == Fault::stays_with_the_first_address and is_elsewhere_ and message.to() == ServerId{2}) or
            (fault_ == Fault::loses_answers_to_entries and
             std::holds_alternative<AppendEntriesResponse>(message.rpc())) or
            ((fault_ == Fault::loses_what_is_large or fault_ == Fault::claims_to_carry_more) and
             entries.bytes() > 60'000) or
            (fault_ == Fault::loses_what_is_many and entries.count() > 1000) or
            (fault_ == Fault::is_lost_when_renewed and is_renewed_) or
            (fault_ == Fault::is_lost_when_removed and is_removed_))
            return;
        if (fault_ == Fault::waits and message.to() == ServerId{2})
            waited += std::chrono::milliseconds{100};
        if (fault_ == Fault::never_returns_from_send and ++sent_ == 5)
            never_return();
        if (fault_ == Fault::throws_at_whom_it_does_not_know)
            (void)incarnation_.at(message.to());
        if (fault_ == Fault::throws and message.to() == ServerId{9})
            throw std::runtime_error("nobody is there");
        if (fault_ == Fault::stays_full and message.to() == ServerId{2} and ++sent_ == 200)
            inbox_.push_back(LinkChanged{message.to(), Link::full});
        if (fault_ == Fault::keeps_a_reference_to_the_message) {
            kept_.push_back({&message.rpc(), entries, message.to()});
            return;
        }
        if (fault_ == Fault::sends_to_other_incarnations and incarnation_[message.to()] != first_incarnation) {
            end_.update(message.to(), first_incarnation, {});
            end_.send(message, entries);
            return end_.update(message.to(), incarnation_[message.to()], {});
        }
        if (fault_ == Fault::keeps_bytes_without_a_pin)
            return end_.send(message, without_pin(entries));
        end_.send(message, fault_ == Fault::lets_damage_pass ? copy_of(entries) : entries);
        if (fault_ == Fault::delivers_to_all and message.to() != ServerId{3} and id_ != ServerId{3}) {
            auto const copy = Envelope{ServerId{3}, message.rpc(), Release::at_once()};
            end_.send(*copy.open(), entries);
        }
    }

    /// What was kept leaves later than it was handed over; then all that has arrived is here.
    void settle()
    {
        for (auto const& [rpc, entries, to] : std::exchange(kept_, {}))
            if (auto const late = Envelope{to, *rpc, Release::at_once()}; to.value <= 3)
                end_.send(*late.open(), entries);
        auto const had_nothing = inbox_.empty();
        while (auto event = end_.receive())
            inbox_.push_back(*std::move(event));
        auto const wakes = fault_ != Fault::does_not_wake and not(fault_ == Fault::wakes_once and has_woken_);
        if (had_nothing and not inbox_.empty() and wakes)
            has_woken_ = true;
        if (had_nothing and not inbox_.empty() and wakes)
            for (auto const& wake : wakes_)
                wake();
    }

    std::optional<TransportEvent> receive()
    {
        if (inbox_.empty() and fault_ == Fault::never_returns_from_receive)
            never_return();
        if (inbox_.empty())
            return fault_ == Fault::repeats_without_end ? last_ : std::nullopt;
        auto event = std::optional<TransportEvent>{std::move(inbox_.front())};
        inbox_.pop_front();
        auto* const received = std::get_if<Received>(&*event);
        if (received == nullptr)
            return event;
        if (auto* const vote = std::get_if<RequestVoteResponse>(&received->rpc); vote and fault_ == Fault::corrupts)
            vote->vote_granted = not vote->vote_granted;
        if (auto* const append = std::get_if<AppendEntries>(&received->rpc);
            append and fault_ == Fault::forgets_a_field)
            append->committed = {};
        if (auto* const append = std::get_if<AppendEntries>(&received->rpc);
            append and fault_ == Fault::narrows_numbers)
            append->round = Round{append->round.value % (std::uint64_t{1} << 32U)};
        if (fault_ == Fault::learns_who_is_meant_from_requests and not is_response(received->rpc))
            end_.update(received->from, first_incarnation, {});
        if (fault_ == Fault::invents_senders)
            received->from = ServerId{received->from.value % 3 + 1};
        if (fault_ == Fault::alters_entries and received->entries.count() > 2)
            received->entries = Entries{};
        if (fault_ == Fault::reuses_memory and received->entries.count() > 0 and received->entries.bytes() < 100'000)
            received->entries = into_shared_memory(received->entries);
        last_ = event;
        return event;
    }

    void set_wake(std::function<void()> wake)
    {
        if (fault_ != Fault::wakes_whom_it_should_not)
            wakes_.clear();
        wakes_.push_back(std::move(wake));
        has_woken_ = false;
    }

    [[nodiscard]] std::uint64_t entry_bytes_max() const
    {
        return fault_ == Fault::claims_to_carry_more ? 70'000 : fault_ == Fault::none ? number_max : 100'000;
    }

    [[nodiscard]] std::uint64_t bytes_taken(ServerId) const
    {
        return fault_ == Fault::does_not_count_bytes ? 0 : bytes_taken_;
    }

    void renew(ServerId) { is_renewed_ = true; }
    void remove(ServerId) { is_removed_ = true; }

private:
    struct Late
    {
        Rpc const* rpc;
        Entries    entries;
        ServerId   to;
    };

    /// The same entries, in memory that the next message will be put into.
    Entries into_shared_memory(Entries const& entries)
    {
        auto size = std::size_t{0};
        for (auto const entry : entries) {
            std::copy(entry.encoded.begin(), entry.encoded.end(), memory_->begin() + static_cast<std::ptrdiff_t>(size));
            size += entry.encoded.size();
        }
        auto same = Entries{};
        same.add({memory_, std::span<std::byte const>{*memory_}.first(size)}, entries.count());
        return same;
    }

    [[nodiscard]] static Entries without_pin(Entries const& entries)
    {
        auto same = Entries{};
        for (auto const& slice : entries.slices())
            same.add({nullptr, slice.bytes}, same.empty() ? entries.count() : 0);
        return same;
    }

    [[nodiscard]] static Entries copy_of(Entries const& entries)
    {
        auto copy = Entries{};
        for (auto const& slice : entries.slices()) {
            auto const block = std::make_shared<std::vector<std::byte>>(slice.bytes.begin(), slice.bytes.end());
            copy.add({block, *block}, copy.empty() ? entries.count() : 0);
        }
        return copy;
    }

    Fault                                   fault_;
    Loopback                                end_;
    ServerId                                id_;
    std::map<ServerId, Incarnation>         incarnation_;
    bool                                    is_other_life_ = false;
    bool                                    is_elsewhere_ = false;
    bool                                    is_renewed_ = false;
    bool                                    is_removed_ = false;
    bool                                    has_woken_ = false;
    int                                     sent_ = 0;
    std::uint64_t                           bytes_taken_ = 0;
    std::vector<Late>                       kept_;
    std::deque<TransportEvent>              inbox_;
    std::optional<TransportEvent>           last_;
    std::vector<std::function<void()>>      wakes_;
    std::shared_ptr<std::vector<std::byte>> memory_ = std::make_shared<std::vector<std::byte>>(100'000);
};

/// Does not declare how much it carries.
class Silent : private Faulty
{
public:
    using Faulty::Faulty;
    using Faulty::receive;
    using Faulty::send;
    using Faulty::settle;
    using Faulty::update;
};

/// Three servers on a loopback network.
template <typename End>
struct LoopOf
{
    explicit LoopOf(Fault fault, Carry how = Carry::values) : fault_(fault), network(how) {}

    End&        at(ServerId server) { return ends.at(server.value - 1); }
    Incarnation incarnation_of(ServerId) { return first_incarnation; }
    std::string address_of(ServerId) { return "nowhere"; }
    void        settle()
    {
        for (auto& end : ends)
            end.settle();
    }
    Loopback& of_another_cluster()
    {
        if (not other)
            other.emplace((fault_ == Fault::accepts_other_clusters ? network : other_network)
                              .join(ServerId{2}, first_incarnation));
        return *other;
    }

    Fault                   fault_;
    LoopbackNetwork         network;
    LoopbackNetwork         other_network;
    std::optional<Loopback> other;
    std::array<End, 3>      ends{End{fault_, network, ServerId{1}}, End{fault_, network, ServerId{2}},
                            End{fault_, network, ServerId{3}}};
};

using Loop = LoopOf<Faulty>;

/// Three servers with real sockets.
struct Sockets
{
    Sockets()
    {
        for (auto const id : {1U, 2U, 3U})
            servers.push_back(std::make_unique<test::TcpServer>(
                context, test::settings_of({ServerId{id}, Incarnation{std::uint64_t{10} * id}})));
    }

    TcpTransport& at(ServerId server) { return servers.at(server.value - 1)->transport(); }
    Incarnation   incarnation_of(ServerId server) { return Incarnation{10 * server.value}; }
    std::string   address_of(ServerId server) { return at(server).address(); }
    void          settle()
    {
        context.restart();
        for (auto handlers = 0; handlers < 300 and context.run_one_for(std::chrono::milliseconds{1}) > 0;)
            ++handlers;
    }
    TcpTransport& of_another_cluster()
    {
        auto settings = test::settings_of({ServerId{2}, Incarnation{20}});
        settings.cluster = cluster_of("another one");
        if (servers.size() == 3)
            servers.push_back(std::make_unique<test::TcpServer>(context, std::move(settings)));
        return servers.back()->transport();
    }

    boost::asio::io_context                       context;
    std::vector<std::unique_ptr<test::TcpServer>> servers;
};

std::string first_of(LawViolations const& broken)
{
    if (broken.empty())
        return {};
    BOOST_TEST(broken.front().reproduction.size() > 1U);
    return broken.front().law;
}

/// The law by which a transport with this fault is caught first; what it breaks besides follows from that.
std::string caught_by(Fault fault, CallLimit const& limit = by_what_was_waited())
{
    waited = {};
    return first_of(check_transport([fault] { return Loop{fault}; }, limit));
}

} // namespace

BOOST_AUTO_TEST_SUITE(conformance_transport)

BOOST_AUTO_TEST_CASE(the_loopback_keeps_all_laws)
{
    BOOST_TEST(to_string(check_transport([] { return Loop{Fault::none}; })) == "");
    BOOST_TEST(to_string(check_transport([] { return Loop{Fault::none, Carry::frames}; })) == "");
}

BOOST_AUTO_TEST_CASE(the_transport_over_tcp_keeps_all_laws)
{
    BOOST_TEST(to_string(check_transport([] { return Sockets{}; })) == "");
}

BOOST_AUTO_TEST_CASE(a_transport_that_breaks_a_law_is_caught_by_that_law)
{
    BOOST_TEST(caught_by(Fault::corrupts) == "what arrives was sent");
    BOOST_TEST(caught_by(Fault::forgets_a_field) == "what arrives was sent");
    BOOST_TEST(caught_by(Fault::narrows_numbers) == "what arrives was sent");
    BOOST_TEST(caught_by(Fault::narrows_incarnations) == "a response of another incarnation does not count");
    BOOST_TEST(caught_by(Fault::wakes_once) == "what arrives wakes");
    BOOST_TEST(caught_by(Fault::invents_senders) == "no sender is invented");
    BOOST_TEST(caught_by(Fault::delivers_to_all) == "only the addressee receives");
    BOOST_TEST(caught_by(Fault::alters_entries) == "entries arrive as they were sent");
    BOOST_TEST(caught_by(Fault::loses_everything) == "not everything is lost");
    BOOST_TEST(caught_by(Fault::loses_answers_to_entries) == "not everything is lost");
    BOOST_TEST(caught_by(Fault::loses_what_is_large) == "the largest append arrives");
    BOOST_TEST(caught_by(Fault::loses_what_is_many) == "the largest append arrives");
    BOOST_TEST(caught_by(Fault::claims_to_carry_more) == "the largest append arrives");
    BOOST_TEST(first_of(check_transport([] { return LoopOf<Silent>{Fault::loses_what_is_large}; })) ==
               "the largest append arrives");
    BOOST_TEST(caught_by(Fault::repeats_without_end) == "receive ends");
    BOOST_TEST(caught_by(Fault::accepts_other_incarnations) == "a response of another incarnation does not count");
    BOOST_TEST(caught_by(Fault::learns_who_is_meant_from_requests) ==
               "a response of another incarnation does not count");
    BOOST_TEST(caught_by(Fault::sends_to_other_incarnations) ==
               "what is meant for another incarnation does not arrive");
    BOOST_TEST(caught_by(Fault::stays_with_the_first_incarnation) == "an update replaces the one before");
    BOOST_TEST(caught_by(Fault::stays_with_the_first_address) == "an update replaces the one before");
    BOOST_TEST(caught_by(Fault::stays_full) == "a full link opens again");
    BOOST_TEST(caught_by(Fault::reuses_memory) == "received entries do not change");
    BOOST_TEST(caught_by(Fault::keeps_bytes_without_a_pin) == "entries arrive as they were sent");
    BOOST_TEST(caught_by(Fault::keeps_a_reference_to_the_message) == "what arrives was sent");
    BOOST_TEST(caught_by(Fault::lets_damage_pass) == "damaged entries do not arrive");
    BOOST_TEST(caught_by(Fault::does_not_wake) == "what arrives wakes");
    BOOST_TEST(caught_by(Fault::wakes_whom_it_should_not) == "a replaced wake-up is called no more");
    BOOST_TEST(caught_by(Fault::does_not_count_bytes) == "bytes that leave are counted");
    BOOST_TEST(caught_by(Fault::counts_down) == "bytes that leave are counted");
    BOOST_TEST(caught_by(Fault::is_lost_when_renewed) == "a renewed connection carries again");
    BOOST_TEST(caught_by(Fault::is_lost_when_removed) == "a removed server can be named again");
    BOOST_TEST(caught_by(Fault::accepts_other_clusters) == "nothing of another cluster arrives");
}

/// What must not come is not timed: one that is slow for the whole suite together, and one that never returns.
BOOST_AUTO_TEST_CASE(a_transport_whose_calls_wait_or_throw_is_caught_by_that_law)
{
    BOOST_TEST(caught_by(Fault::waits) == "no call waits");
    BOOST_TEST(caught_by(Fault::throws) == "no call throws");
    BOOST_TEST(caught_by(Fault::throws_at_whom_it_does_not_know) == "no call throws");
    BOOST_TEST(caught_by(Fault::throws_at_an_address) == "no call throws");
    BOOST_TEST(caught_by(Fault::never_returns_from_send, short_for_any_machine()) == "no call waits");
    BOOST_TEST(caught_by(Fault::never_returns_from_receive, short_for_any_machine()) == "no call waits");
}

BOOST_AUTO_TEST_CASE(what_a_test_throws_while_a_network_is_made_leaves_the_kit)
{
    auto const make = []() -> Loop { throw std::runtime_error("no network"); };
    BOOST_CHECK_THROW((void)check_transport(make), std::runtime_error);
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace totora::test::conformance_transport_tests
